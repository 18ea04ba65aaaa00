"""The LangChain examples run as they are and say what they promise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, since they keep their databases beside them."""
    return Path(
        shutil.copytree(FOLDER, tmp_path / "examples", ignore=shutil.ignore_patterns("*.db"))
    )


def run(example: Path) -> str:
    """Run an example and return what it prints."""
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_swap(examples: Path) -> None:
    """At most five lines differ, and both applications answer the same."""
    shown = run(examples / "langchain_swap.py")
    difference, *answers = shown.split("? ")
    changed = [line for line in difference.splitlines() if line.startswith(("   +", "   -"))]
    assert 0 < len(changed) <= 5
    assert len(answers) == 2
    for answer in answers:
        in_memory, hybridge = answer.splitlines()[1:3]
        assert in_memory.split(":", 1)[1].strip() == hybridge.split(":", 1)[1].strip()
    assert "a second start finds the same: True" in shown


@pytest.mark.long
def test_rag(examples: Path) -> None:
    """It answers from the right documents, and a second run reuses the index."""
    first = run(examples / "langchain_rag.py")
    assert "Indexing" in first
    assert "random.shuffle Shuffle list x in place" in first
    assert "shutil.rmtree Recursively delete a directory tree." in first
    assert "gzip.compress Compress data" in first
    second = run(examples / "langchain_rag.py")
    assert "Reusing the index" in second
    assert first.split("\n\n", 1)[1] == second.split("\n\n", 1)[1]
