"""The arguments that the constructors of model functions share, checked before they are used."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeVar, cast

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_path
from hybridge.texts import check_text

T = TypeVar("T")

# What indexes an array on every platform; nobody means a batch or a text that long.
_LARGEST = 2**31 - 1

_bounded = reprlib.Repr()
_bounded.maxstring = _bounded.maxother = 200


def shown(value: object) -> str:
    """Return a `repr` for an error message: bounded in length and depth, and never an error."""
    try:
        return _bounded.repr(value)
    except (ValueError, RecursionError):  # an int of more digits than Python converts
        return f"a value of type {type(value).__name__}"


def check_flag(value: object, name: str) -> None:
    """Check that an argument is True or False.

    Raises:
        InvalidInputError: It is neither.
    """
    if not isinstance(value, bool):
        msg = f"{name} must be True or False, not {shown(value)}"
        raise InvalidInputError(msg)


def check_count(value: object, name: str, lowest: int = 1, largest: int = _LARGEST) -> None:
    """Check that an argument is a whole number within limits; a bool is not.

    Raises:
        InvalidInputError: It is not.
    """
    parse_count(value, name, lowest, largest)


def parse_count(value: object, name: str, lowest: int = 1, largest: int = _LARGEST) -> int:
    """Return a whole number within limits, NumPy's too, as an `int`; a bool is none.

    Raises:
        InvalidInputError: It is no such number.
    """
    is_whole = not isinstance(value, bool) and isinstance(value, Integral)
    number = int(cast("int", value)) if is_whole else lowest - 1
    if not lowest <= number <= largest:
        limits = f"of at least {lowest}" if largest == _LARGEST else f"from {lowest} to {largest}"
        msg = f"{name} must be a whole number {limits}, not {shown(value)}"
        raise InvalidInputError(msg)
    return number


def check_fraction(value: float, name: str) -> None:
    """Check that an argument is a number from 0 to 1; a bool is not.

    Raises:
        InvalidInputError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        msg = f"{name} must be a number from 0 to 1, not {shown(value)}"
        raise InvalidInputError(msg)


def check_function(value: object, name: str, of: str) -> None:
    """Check that an argument is a function, or None.

    Args:
        value: The argument.
        name: What the caller calls it.
        of: What it is a function of, for the error.

    Raises:
        InvalidInputError: It is neither.
    """
    if value is not None and not callable(value):
        msg = f"{name} must be a function of {of}, not {shown(value)}"
        raise InvalidInputError(msg)


def check_choice(value: object, name: str, choices: tuple[str, ...]) -> None:
    """Check that an argument is one of a few strings.

    Raises:
        InvalidInputError: It is not; the error lists them.
    """
    if not isinstance(value, str) or value not in choices:
        msg = f"{name} must be one of {', '.join(map(repr, choices))}, not {shown(value)}"
        raise InvalidInputError(msg)


def check_label(value: object, name: str) -> None:
    """Check that an argument is a string that is not empty, such as the name of an API's model.

    Raises:
        InvalidInputError: It is not.
    """
    check_text(value, name)
    if not value:
        msg = f"{name} must not be empty"
        raise InvalidInputError(msg)


def parse_location(value: object, name: str) -> str:
    """Return the name of a model on the hub, or the path of a folder, as a string.

    Raises:
        InvalidInputError: It is neither a string nor a path, or no path can look like it.
    """
    if not is_path(value):
        msg = f"{name} must be a name or a path, not {shown(value)}"
        raise InvalidInputError(msg)
    location = os.fspath(value)
    check_label(location, name)
    if "\0" in location:
        msg = f"{name} must not contain NUL, not {shown(location)}"
        raise InvalidInputError(msg)
    return location


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
