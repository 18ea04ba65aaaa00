"""What a filter may compare with: JSON scalars and lists of them, made plain and checked once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from hybridge.errors import FilterError

Scalar: TypeAlias = "str | int | float | bool | None"
Value: TypeAlias = "Scalar | tuple[Scalar, ...]"


def plain_text(text: str, what: str) -> str:
    """Return `text` as a plain `str`.

    Raises:
        FilterError: It holds a lone surrogate, which no stored text can.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{what} {text!r} holds a lone surrogate, which no stored text can; remove it"
        raise FilterError(msg) from None
    return str.__str__(text)


def plain_scalar(value: object) -> Scalar:
    """Return `value` as exactly a `str`, `int`, `float`, `bool` or None.

    Subclasses (a NumPy float, a string enumeration) lose their own `repr`, which must never
    reach an expression.

    Raises:
        FilterError: It is not a JSON scalar, or not finite.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain_text(value, "the value")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    msg = (
        f"a filter cannot compare with {value!r} ({type(value).__name__}): "
        "give a string, a finite number, a boolean or None"
    )
    raise FilterError(msg)


def plain_scalars(values: object) -> tuple[Scalar, ...]:
    """Return a list, set, range or other collection of JSON scalars as a tuple.

    Raises:
        FilterError: It is a single value or a mapping, or holds something else.
    """
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes, Mapping)):
        msg = f"a list of values is needed here, got {values!r}; put a single value in a list"
        raise FilterError(msg)
    return tuple(plain_scalar(value) for value in values)


def plain_value(value: object) -> Value:
    """Return a JSON scalar or a list of them, lists as tuples.

    Raises:
        FilterError: It is something else, or holds something else.
    """
    if isinstance(value, (list, tuple)):
        return plain_scalars(value)
    return plain_scalar(value)
