"""What a filter may compare with: JSON scalars and lists of them, made plain and checked once."""

from __future__ import annotations

import math
from typing import TypeAlias

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.narrowing import NUMPY, is_iterable, is_list, is_mapping, is_tuple, plain_scalar

Scalar: TypeAlias = "str | int | float | bool | None"
Value: TypeAlias = "Scalar | tuple[Scalar, ...]"

_MAX_BITS = 14_000
"""Of an integer: longer ones Python refuses to print."""


def parse_text(text: str, what: str) -> str:
    """Return `text` as a plain `str`.

    Raises:
        FilterError: It holds a lone surrogate, which no stored text can.
    """
    if not _is_storable(text):
        msg = f"{what} {shown(text)} holds a lone surrogate, which no stored text can; remove it"
        raise FilterError(msg)
    return str.__str__(text)


def parse_scalar(value: object) -> Scalar:
    """Return `value` as exactly a `str`, `int`, `float`, `bool` or None.

    Subclasses (a NumPy float, a string enumeration) lose their own `repr`, which must never
    reach an expression.

    Raises:
        FilterError: It is not a JSON scalar, not finite, or an integer of thousands of digits.
    """
    if isinstance(value, NUMPY):
        value = plain_scalar(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return parse_text(value, "the value")
    if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    msg = (
        f"a filter cannot compare with {shown(value)} ({type(value).__name__}): "
        "give a string (an ISO date is one), a finite number, a boolean or None"
    )
    raise FilterError(msg)


def parse_scalars(values: object) -> tuple[Scalar, ...]:
    """Return a list, set, range or other collection of JSON scalars as a tuple.

    Raises:
        FilterError: It is a single value or a mapping, or holds something else.
    """
    if not is_iterable(values) or isinstance(values, bytearray) or is_mapping(values):
        msg = f"a list of values is needed here, got {shown(values)}; put a single value in a list"
        raise FilterError(msg)
    listed = list(values)
    if set(map(type, listed)) == {str} and _is_storable("".join(listed)):
        return tuple(listed)  # thousands of ids at once: 3,000 in .2 ms, one by one in 1.8
    return tuple(parse_scalar(value) for value in listed)


def _is_storable(text: str) -> bool:
    """Whether a text holds no lone surrogate; two that meet are two still."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_value(value: object) -> Value:
    """Return a JSON scalar or a list of them, lists as tuples.

    Raises:
        FilterError: It is something else, or holds something else.
    """
    if isinstance(value, (str, int, float)) or not (is_list(value) or is_tuple(value)):
        return parse_scalar(value)
    return parse_scalars(value)
