"""The README's examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(example: str, tmp_path: Path) -> None:
    """Copied into an empty folder it runs without an error, and prints what its comments say."""
    program = tmp_path / "example.py"
    program.write_text(example, "utf-8")
    for _ in range(2):  # and again, over the collection that the first run made
        result = subprocess.run(
            [sys.executable, program.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        expected = re.findall(r"^print\(.*\)\s+# (.*)$", example, re.MULTILINE)
        assert result.stdout.splitlines() == expected
