"""Strings as literals: the only way a string gets into an expression."""

from __future__ import annotations

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def quote(text: str) -> str:
    r"""Return `text` as a string literal of the expression language.

    Only `\\`, `\"`, `\n`, `\r` and `\t` are escapes there; everything else, NUL included, is raw.

    Raises:
        InvalidInputError: `text` is not a string.
    """
    if not isinstance(text, str):
        msg = f"{shown(text)} is a {type(text).__name__}, not a string"
        raise InvalidInputError(msg)
    return f'"{text.translate(_ESCAPES)}"'
