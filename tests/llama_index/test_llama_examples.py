"""The examples run as they are, without a key, and print what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "llamaindex_query_engine.py",
            ["? What is E-4711?", "licence server is down", "thirty-five days"],
        ),
        (
            "one_collection_two_frameworks.py",
            ["LangChain changed it", "still knows what came before", "neither lost what"],
        ),
    ],
)
def test_the_example_runs(name: str, expected: list[str]) -> None:
    """It ends well and says what a newcomer should see."""
    done = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(text in done.stdout for text in expected), done.stdout
