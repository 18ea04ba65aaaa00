"""What makes one synchronous code path safe to close and easy to await.

The async methods run the sync ones on a pool of the store's own. Measured on a path and on a
server, for 1 to 200 concurrent searches, this is as fast as pymilvus's async client (1166 against
1045/s at 50), stalls the loop less (19 against 51 ms) and is tied to no event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from hybridge.errors import StoreClosedError
from hybridge.store.lifetime import renew_in_child

T = TypeVar("T")

_WORKERS = 32


class Calls:
    """The calls under way; closing refuses new ones and waits for those.

    Args:
        name: What is closed, for the error.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._closed: str | None = None
        self._ended = False
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Forget the calls of other threads, in a child that has none of them."""
        self._running = set[int]()  # threads: one that is interrupted anywhere is gone from it
        self._changed = threading.Condition()

    @contextmanager
    def running(self) -> Generator[None]:
        """Count a call for as long as the block runs; a call within it is a part of it.

        Raises:
            StoreClosedError: If closed.
        """
        own = threading.get_ident()
        if own in self._running:
            yield
            return
        try:
            self._begin(own)
            yield
        finally:
            with self._changed:
                self._running.discard(own)
                self._changed.notify_all()

    def _begin(self, own: int) -> None:
        with self._changed:
            if self._closed is None:
                self._running.add(own)
                return
        if self._ended and threading.current_thread().daemon:
            threading.Event().wait()  # as Python has its daemon threads do, to end without a word
        msg = f"{self._name} {self._closed}"
        raise StoreClosedError(msg)

    def close(self, why: str = "is closed: open a new one") -> bool:
        """Refuse new calls, saying why; False if it was closed before."""
        with self._changed:
            new = self._closed is None
            if new:
                self._closed = why
            return new

    def end(self) -> bool:
        """Refuse new calls, since the process ends; False if it was closed before."""
        self._ended = True
        return self.close("is closed, since the interpreter ends: end its threads first")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the calls under way; False if some are left after so many seconds.

        That of this thread is not waited for: a handler of a signal may close, or a `__del__`.
        """
        own = {threading.get_ident()}
        with self._changed:
            return self._changed.wait_for(lambda: self._running <= own, seconds)


class CallsOfView(Calls):
    """Some of the calls under way, which close without the others.

    Args:
        name: What is closed, for the error.
        every: All the calls; where they are closed, these are, too.
    """

    def __init__(self, name: str, every: Calls) -> None:
        super().__init__(name)
        self._every = every

    @contextmanager
    def running(self) -> Generator[None]:
        """Count a call for as long as the block runs.

        Raises:
            StoreClosedError: If closed.
        """
        with self._every.running(), super().running():
            yield


class Threads:
    """A thread pool that starts with its first task."""

    def __init__(self, name: str, workers: int = _WORKERS) -> None:
        self._name = name
        self._workers = workers
        self.renew()
        renew_in_child(self)

    def renew(self) -> None:
        """Begin without threads, as a child does."""
        self._starting = threading.RLock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The pool, started when it is first asked for."""
        with self._starting:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix=self._name)
            return self._pool

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` on the pool, with the caller's context variables, and await its result."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, context.run, call)

    def close(self) -> None:
        """End the pool without waiting for its idle threads."""
        with self._starting:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
                self._pool = None
