"""What goes to stdout, as text for people or JSON for programs, and whether progress is shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text


def show(data: Mapping[str, Any], lines: Iterable[str | Text], *, as_json: bool) -> None:
    """Print one of two spellings of the same.

    Args:
        data: What is said, for programs.
        lines: The same for people; colours and wrapping are left out where no terminal reads it.
        as_json: Which of the two.
    """
    if as_json:
        ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
        print(json.dumps(data, ensure_ascii=ascii_only, indent=2), flush=True)
        return
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(line)


def is_watched() -> bool:
    """Whether somebody sees a progress bar on stderr."""
    return sys.stderr.isatty()


def short_path(path: str) -> str:
    """Return a path as it is written from here, where it is below."""
    try:
        return os.fspath(Path(path).relative_to(Path.cwd().resolve()))
    except ValueError:
        return path
