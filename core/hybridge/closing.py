"""Context management for objects that have a `close` and an `aclose`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from typing_extensions import Self


class _Closable(Protocol):
    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class Closing:
    """A mixin that closes the object at the end of a `with` or `async with` block.

    The class that mixes it in defines `close` and its async twin `aclose`; type checkers reject a
    `with` block over one that does not. It is not an ABC, so that it mixes with any metaclass.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self: _Closable,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self: _Closable,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


@contextmanager
def closed_on_error(made: _Closable) -> Generator[None]:
    """Close an object that its maker will never see, if the block fails."""
    try:
        yield
    except BaseException:
        made.close()
        raise
