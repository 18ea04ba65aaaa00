"""What a component is given, checked before LangChain or a function sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from hybridge.errors import InvalidInputError

T = TypeVar("T")


def parse_items(given: Iterable[T], kind: type[Any], name: str) -> list[T]:
    """Return what was given as a list.

    Args:
        given: The items.
        kind: What each has to be.
        name: What the caller calls them, for the error.

    Raises:
        InvalidInputError: If it cannot be iterated over, or one is something else.
    """
    try:
        items = list(given)
    except TypeError:
        msg = f"{name} must be a list of {kind.__name__}, not {type(given).__name__}"
        raise InvalidInputError(msg) from None
    for position, item in enumerate(items):
        if not isinstance(item, kind):
            msg = f"{name}[{position}] must be a {kind.__name__}, not {type(item).__name__}"
            raise InvalidInputError(msg)
    return items
