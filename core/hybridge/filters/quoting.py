"""Strings as literals: the only way a string gets into an expression."""

from __future__ import annotations

import re

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_ESCAPED = re.compile(r'[\\"\n\r\t]')
"""What must be escaped. Few strings hold it, and looking costs a quarter of `translate`."""


def quote(text: str) -> str:
    r"""Return `text` as a string literal of the expression language.

    Only `\\`, `\"`, `\n`, `\r` and `\t` are escapes there; everything else, NUL included, is raw.

    Raises:
        InvalidInputError: `text` is not a string.
    """
    if not isinstance(text, str):
        msg = f"{shown(text)} is a {type(text).__name__}, not a string"
        raise InvalidInputError(msg)
    return f'"{text.translate(_ESCAPES) if _ESCAPED.search(text) else text}"'
