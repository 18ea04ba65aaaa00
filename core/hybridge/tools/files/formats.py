"""Which reader a file has, by its suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hybridge.tools.files.part import Reader
from hybridge.tools.files.pdf import read_pdf
from hybridge.tools.files.tables import read_csv, read_jsonl
from hybridge.tools.files.texts import read_html, read_markdown, read_text

TABLES: Mapping[str, Reader] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".tsv": read_csv,
}
"""Files of rows, whose text, id and metadata are in columns."""

_READERS: Mapping[str, Reader] = {
    ".adoc": read_text,
    ".htm": read_html,
    ".html": read_html,
    ".markdown": read_markdown,
    ".md": read_markdown,
    ".org": read_text,
    ".pdf": read_pdf,
    ".rst": read_text,
    ".text": read_text,
    ".txt": read_text,
    ".xhtml": read_html,
    **TABLES,
}


def is_known(path: Path) -> bool:
    """Whether files of this suffix are read where nobody names them."""
    return path.suffix.lower() in _READERS


def is_table(path: Path) -> bool:
    """Whether a file is one of rows."""
    return path.suffix.lower() in TABLES


def reader_of(path: Path) -> Reader:
    """Return what reads a file; one of an unknown suffix is a text."""
    return _READERS.get(path.suffix.lower(), read_text)
