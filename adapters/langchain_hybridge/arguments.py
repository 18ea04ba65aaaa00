"""What a component is given, checked before LangChain or a function sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from hybridge.errors import InvalidInputError

T = TypeVar("T")


def check_names(
    given: Iterable[str],
    known: Iterable[str],
    owner: str,
    spellings: Mapping[str, str] | None = None,
) -> None:
    """Refuse arguments that there are not.

    Args:
        given: The names given.
        known: The names of all that there are.
        owner: What has those, for the error.
        spellings: What others call them, and which one is meant.

    Raises:
        InvalidInputError: If there is no such argument; it says what was meant, as far as that can
            be told.
    """
    names = sorted(known)
    for name in given:
        if name not in names:
            meant = (spellings or {}).get(name) or next(iter(get_close_matches(name, names, 1)), "")
            hint = f" (write {meant}=)" if meant else ""
            msg = f"{owner} has no argument {name!r:.80}{hint}; it has {', '.join(names)}"
            raise InvalidInputError(msg)


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
