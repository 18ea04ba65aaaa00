"""Calls that go side by side, and those that go alone.

While Milvus Lite flushes, its rows are in two places or in none for a moment: beside a flush 5 of
370 counts were wrong, with rows that had been deleted, and the engine takes no lock of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Gate:
    """What calls pass by many at a time, or one by itself.

    A call within another of its thread is a part of it: a `__del__` that closes a store may run
    anywhere.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._own = threading.local()
        self._passing = 0
        self._closed = False

    @contextmanager
    def passed(self, *, alone: bool) -> Generator[None]:
        """Run the block beside others; or when all of them have ended, and before others begin."""
        if getattr(self._own, "passing", False):
            yield
            return
        self._own.passing = True
        try:
            with self._alone() if alone else self._beside_others():
                yield
        finally:
            self._own.passing = False

    @contextmanager
    def _beside_others(self) -> Generator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._passing += 1
        try:
            yield
        finally:
            with self._changed:
                self._passing -= 1
                self._changed.notify_all()

    @contextmanager
    def _alone(self) -> Generator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed = True
        try:
            with self._changed:
                self._changed.wait_for(lambda: not self._passing)
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()
