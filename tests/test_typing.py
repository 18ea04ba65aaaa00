"""What type checkers say of programs as users write them, and of the packages themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "typing"
ROOT = FOLDER.parents[1]
STRICT_FINDINGS = 52  # docs/typing.md says which there are, and why
STRICT_ALONE = {
    "reportMissingTypeStubs",
    "reportPrivateUsage",
    "reportUnknownArgumentType",
    "reportUnknownMemberType",
    "reportUnknownVariableType",
    "reportUnnecessaryComparison",
    "reportUnnecessaryIsInstance",
    "reportUnusedImport",
}
"""Rules that pyright's strict level alone has; it reports what the lower ones do as well."""

PROGRAMS = sorted(str(path) for path in FOLDER.glob("*.py"))


def check(*command: str) -> None:
    """Run a type checker from the repository's root, where its configuration is."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_agrees() -> None:
    """What is right passes `mypy --strict`, and what is marked as wrong does not."""
    assert len(PROGRAMS) == 3
    check("mypy", "--strict", *PROGRAMS)


@pytest.mark.long
def test_pyright_agrees() -> None:
    """The same by pyright, strict too."""
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    check("pyright", "--pythonpath", sys.executable, *PROGRAMS)


@pytest.mark.long
def test_pyright_of_the_packages() -> None:
    """Strictly, no more than docs/typing.md gives reasons for: nothing as the project is set."""
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    strict = ["--project", str(FOLDER / "strict_sources.json")]
    done = subprocess.run([*command, *strict], cwd=ROOT, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert said["summary"]["filesAnalyzed"] > 100, done.stdout
    findings = [one for one in said["generalDiagnostics"] if one["severity"] != "information"]
    assert len(findings) <= STRICT_FINDINGS, done.stdout
    assert {one["rule"] for one in findings} <= STRICT_ALONE, done.stdout
