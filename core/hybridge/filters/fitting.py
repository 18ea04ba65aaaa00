"""Values of filters that a language model wrote, made those of a typed column.

A model writes "2000" for a year, since all that it writes is text. Where a metadata key is a typed
column, its type says what was meant.
"""

from __future__ import annotations

import math

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.operators import Operator
from hybridge.filters.values import Value
from hybridge.narrowing import is_list, is_tuple

FITTED: frozenset[Operator] = frozenset({"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"})
"""The operators that compare whole values."""

_FLAGS = {"true": True, "false": False}


def fit_value(value: object, operator: Operator, kind: type, key: str) -> object:
    """Return the value as one that a column can hold; one value for a list operator as a list.

    Args:
        value: What was written.
        operator: What it is compared by.
        kind: The type of the column: str, int, float or bool.
        key: The metadata key, for the error.

    Raises:
        FilterError: If no value of the column looks like it; it says what to write.
    """
    if operator not in FITTED or value is None:
        return value
    if is_list(value) or is_tuple(value):
        return [_fitted(one, kind, key) for one in value]
    fitted = _fitted(value, kind, key)
    return [fitted] if operator in ("in", "nin") else fitted


def _fitted(value: object, kind: type, key: str) -> Value:
    if kind is str or not isinstance(value, str):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return str(value) if kind is str and is_number else value  # type: ignore[return-value]
    text = value.strip()
    try:
        if kind is bool:
            return _FLAGS[text.lower()]
        return _number(text)
    except (LookupError, ValueError):
        like = {bool: "true or false", int: "a number such as 2000"}.get(kind, "a number")
        msg = f"the values of {key!r} are of type {kind.__name__}, and {shown(value)} is none: "
        raise FilterError(msg + f"write {like}") from None


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        if not math.isfinite(number := float(text)):
            raise
        return number
