"""Some ten thousand real documents that a machine has: docstrings, manual pages, packages.

They are the docstrings of Python's standard library, the manual pages and the descriptions of the
installed packages.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from stdlib_docs import collect_docstrings

LONGEST = 20_000
"""Characters of a document, of which all fields of a store hold at least as many."""


def documents() -> Iterator[dict[str, str]]:
    """Each document of the machine as a row: its text, its name, and what it is."""
    for name, text in sorted(collect_docstrings().items()):
        yield row(f"{name}\n{text}", name, "docstring")
    for path in sorted(Path("/usr/share/man").glob("man[1-8]/*.gz")):
        yield row(manual_page(path), path.name.removesuffix(".gz"), "manual")
    for package in sorted(distributions(), key=lambda one: one.metadata["Name"]):
        said = package.metadata.json
        yield row(str(said.get("description") or said.get("summary")), str(said["name"]), "package")


def row(text: str, name: str, kind: str) -> dict[str, str]:
    return {"text": text[:LONGEST], "name": name, "kind": kind}


def manual_page(path: Path) -> str:
    """The words of a manual page, without the commands that set its type."""
    with gzip.open(path, "rt", errors="replace") as file:
        lines = [line for line in file if line[:1] not in (".", "'")]
    return re.sub(r"\\f.|\\s[-+]?\d+|\\\*?\(..|\\(.)", r"\1", "".join(lines))
