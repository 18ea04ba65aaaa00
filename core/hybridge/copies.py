"""Copies that share what they copy."""

from __future__ import annotations

from typing import Any

from typing_extensions import Self


class SharedCopies:
    """A mixin whose copies, deep ones too, are other objects with the same attributes.

    For what holds a store: one process opens a collection once.
    """

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.__copy__()
