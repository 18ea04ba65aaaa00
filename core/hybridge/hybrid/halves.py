"""One computation for two callers: each takes its half of the result."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any

# Batches whose second half nobody has fetched; the oldest is dropped beyond this.
_MOST_WAITING = 4


class Halves:
    """Computes a pair once, gives one half to who asks first and keeps the other for its fetcher.

    A store asks a dense function for vectors of a batch and then a sparse function for those of
    the same batch, or both at once from two threads. Each half is given out once, so nothing is
    shared, and a batch that nobody asks for again is soon forgotten. Safe to use from threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: OrderedDict[Hashable, Future[Any]] = OrderedDict()

    def take(self, half: int, key: Hashable, compute: Callable[[], tuple[Any, Any]]) -> Any:
        """Return one half of `compute()`.

        Args:
            half: 0 or 1.
            key: What is computed; equal keys have equal results.
            compute: Computes both halves; called unless the other half has been taken already.

        Raises:
            Exception: Whatever `compute` raises, here or in the thread that is computing.
        """
        with self._lock:
            ready = self._waiting.pop((half, key), None)
            if ready is None:
                other: Future[Any] = Future()
                self._waiting[1 - half, key] = other
                while len(self._waiting) > _MOST_WAITING:
                    self._waiting.popitem(last=False)
        if ready is not None:
            return ready.result()
        return self._compute(half, key, compute, other)

    def _compute(
        self,
        half: int,
        key: Hashable,
        compute: Callable[[], tuple[Any, Any]],
        other: Future[Any],
    ) -> Any:
        try:
            pair = compute()
        except BaseException as error:
            with self._lock:
                self._waiting.pop((1 - half, key), None)
            other.set_exception(error)
            raise
        other.set_result(pair[1 - half])
        return pair[half]

    def __reduce__(self) -> tuple[object, ...]:
        return Halves, ()
