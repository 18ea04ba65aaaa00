"""What a value that anyone gave is, in words that type checkers follow.

`isinstance(value, Mapping)` says nothing about keys and values, and strict checkers report every
use of them. Behind these functions they may be anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

MAPPING: Any = (dict, Mapping)  # `dict` first: the check for an abstract class costs ten times more
LIST: Any = list
TUPLE: Any = tuple
NUMPY: Any = np.generic
"""For `isinstance` in hot paths, where a call would cost: being Any, they narrow nothing."""


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Say whether a value is a mapping."""
    return isinstance(value, MAPPING)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Say whether a value is a list."""
    return isinstance(value, list)


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    """Say whether a value is a tuple."""
    return isinstance(value, tuple)


def is_set(value: object) -> TypeGuard[set[Any] | frozenset[Any]]:
    """Say whether a value is a set, frozen or not."""
    return isinstance(value, (set, frozenset))


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Say whether a value is a sequence of values; a text is one value."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Say whether a value is an iterable of values; a text is one value.

    So is a NumPy array without dimensions, which has the method and fails when it is called.
    """
    if isinstance(value, (str, bytes)) or getattr(value, "ndim", None) == 0:
        return False
    return isinstance(value, Iterable)


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is an int or a float; a bool is neither."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    """Say whether a value is a string or a path."""
    return isinstance(value, (str, os.PathLike))


def plain_scalar(value: Any) -> Any:
    """Return Python's own value of a NumPy bool, number or text, and anything else as it is."""
    return value.item() if isinstance(value, NUMPY) and value.dtype.kind in "biufU" else value
