"""What settings of Milvus may be: tables of names, each with the values that Milvus documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping, is_number

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Allowed:
    """The values that a setting may have.

    Attributes:
        kind: bool, int, float or str.
        lowest: The least number.
        highest: The largest number.
        choices: The strings.
    """

    kind: type
    lowest: float = 0
    highest: float = LARGEST
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind is bool:
            return "True or False"
        if self.kind is str:
            return "one of " + ", ".join(map(repr, self.choices))
        noun = "a whole number" if self.kind is int else "a number"
        return f"{noun} from {self.lowest:g} to {self.highest:.10g}"

    def allows(self, value: Any) -> bool:
        """Whether a setting may have this value."""
        if self.kind is bool:
            return isinstance(value, bool)
        if self.kind is str:
            return isinstance(value, str) and value in self.choices
        if not is_number(value) or (self.kind is int and not isinstance(value, int)):
            return False
        return self.lowest <= value <= self.highest


def check_settings(given: Any, allowed: Mapping[str, Allowed], name: str) -> None:
    """Check settings against a table.

    Args:
        given: The settings.
        allowed: All that there are, by name.
        name: What the caller calls them, for the error.

    Raises:
        InvalidInputError: If it is no dictionary, there is no such setting, or it may not have that
            value.
    """
    if not is_mapping(given):
        msg = f"{name}={shown(given)}: give a dictionary"
        raise InvalidInputError(msg)
    for key, value in given.items():
        if key not in allowed:
            known = ", ".join(allowed) or "none"
            msg = f"{name}: there is no {shown(key)} here; there is {known}"
            raise InvalidInputError(msg)
        check_setting(value, allowed[key], f"{name}[{key!r}]")


def check_setting(value: Any, allowed: Allowed, name: str) -> None:
    """Check one setting.

    Raises:
        InvalidInputError: If it may not have that value.
    """
    if not allowed.allows(value):
        msg = f"{name}={shown(value)}: give {allowed}"
        raise InvalidInputError(msg)
