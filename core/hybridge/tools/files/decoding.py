"""Bytes of a file as text."""

from __future__ import annotations

import codecs
from pathlib import Path

from hybridge.errors import InvalidInputError

LARGEST = 64 * 2**20
"""Bytes of a file that is read as a whole."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_whole(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        InvalidInputError: If there are too many.
    """
    size = path.stat().st_size
    if size > LARGEST:
        msg = (
            f"it has {size:,} bytes, and {LARGEST:,} are read at once: cut it into several files, "
            "or make rows of it (.jsonl, .csv), which may be any number"
        )
        raise InvalidInputError(msg)
    return path.read_bytes()


def is_encoding(name: str) -> bool:
    """Whether Python knows a text encoding of this name."""
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def encoding_of(start: bytes, encoding: str) -> str:
    """Return the encoding that the mark at the beginning of a file says, else the given one."""
    marked = (name for mark, name in _MARKS.items() if start.startswith(mark))
    return next(marked, encoding)


def decode(content: bytes, encoding: str) -> str:
    """Return bytes as text.

    Raises:
        InvalidInputError: If they are no text of that encoding.
    """
    encoding = encoding_of(content, encoding)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise undecodable(error) from error
    if "\0" in text:
        msg = "it holds NUL characters, as no text does: is it of another kind than its name says?"
        raise InvalidInputError(msg)
    return text


def undecodable(error: UnicodeDecodeError) -> InvalidInputError:
    """Return the error that says where a text is not of its encoding."""
    return InvalidInputError(
        f"byte {error.start:,} is no {error.encoding}: save it as UTF-8, or say its encoding "
        "(--encoding cp1252)"
    )
