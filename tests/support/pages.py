"""The pages of the documentation, as the programs that they are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOVING = DOCS / "moving"


def blocks_of(page: Path, language: str = "python") -> list[str]:
    """Return each piece of Python on a page, or of what is marked by another word."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def program_of(page: Path) -> str:
    """Return the program that the pieces of a page make, one after another."""
    return "\n".join(blocks_of(page))


def unexplained(page: Path) -> list[str]:
    """Return what is marked `py`, which no test runs, without `<!-- not run: reason -->` above."""
    pieces = re.findall(r"(<!-- not run: \S.*-->\n)?```py\n(.*?)```", page.read_text("utf-8"), re.S)
    return [code for reason, code in pieces if not reason]


def promises_of(program: str) -> list[str]:
    """Return what the comments of a program say that it prints, line by line."""
    return re.findall(r"^print\(.*\)\s+# (.*)$", program, re.MULTILINE)
