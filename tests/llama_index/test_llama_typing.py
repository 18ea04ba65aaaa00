"""User code over the LlamaIndex adapter passes type checkers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def mypy(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file as `mypy --strict` does, with the project's own settings."""
    command = [sys.executable, "-m", "mypy", "--strict", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_user_code_passes_mypy_strict() -> None:
    """Code that uses every public name as users write it has no type error."""
    done = mypy(ROOT / "tests" / "typing" / "llama_index_usage.py")
    assert done.returncode == 0, done.stdout


def test_wrong_code_does_not(tmp_path: Path) -> None:
    """A misspelt argument and a wrong type are found, so the types do say something."""
    file = tmp_path / "wrong.py"
    file.write_text(
        "from llama_index_hybridge import MilvusRetriever, MilvusVectorStore\n"
        "MilvusVectorStore(collection='a')\n"
        "MilvusRetriever(MilvusVectorStore(), mode='fuzzy')\n"
    )
    errors = [line for line in mypy(file).stdout.splitlines() if "error:" in line]
    assert len(errors) == 2, errors
    assert '"collection"' in errors[0]
    assert "fuzzy" in errors[1]
