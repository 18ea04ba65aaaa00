"""Context management for what has a `close` and an `aclose`."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType

from typing_extensions import Self


class Closing:
    """Closes itself at the end of a `with` or `async with` block."""

    @abstractmethod
    def close(self) -> None:
        """Close; closing twice is fine."""

    @abstractmethod
    async def aclose(self) -> None:
        """Async twin of `close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
