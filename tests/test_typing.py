"""What type checkers say of programs as users write them, in `tests/typing`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "typing"
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.py"))


def check(*command: str) -> None:
    """Run a type checker from the repository's root, where its configuration is."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=FOLDER.parents[1], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_mypy_agrees(program: str) -> None:
    """What is right passes `mypy --strict`, and what is marked as wrong does not."""
    check("mypy", "--strict", str(FOLDER / program))


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS)
def test_pyright_agrees(program: str) -> None:
    """The same by pyright, strict too."""
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    check("pyright", "--pythonpath", sys.executable, str(FOLDER / program))
