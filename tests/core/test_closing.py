"""`Closing`: what has a `close` and an `aclose` is closed at the end of a block."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from hybridge.closing import Closing


class Named(ABC):
    """Such as a framework's base class."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name."""


class Door(Closing, Named):
    """Counts how often it was closed, and how."""

    name = "door"

    def __init__(self) -> None:
        self.closed: list[str] = []

    def close(self) -> None:
        """Note it."""
        self.closed.append("close")

    async def aclose(self) -> None:
        """Note it."""
        self.closed.append("aclose")


def test_a_block_closes_even_when_it_fails() -> None:
    """`with` returns the object, closes it once and lets the error through."""
    door = Door()
    with door as entered:
        assert entered is door
        assert door.closed == []
    assert door.closed == ["close"]
    with pytest.raises(ZeroDivisionError), door:
        raise ZeroDivisionError
    assert door.closed == ["close", "close"]


async def test_an_async_block_closes_by_the_async_twin() -> None:
    """`async with` awaits `aclose`."""
    door = Door()
    async with door as entered:
        assert entered is door
    assert door.closed == ["aclose"]
