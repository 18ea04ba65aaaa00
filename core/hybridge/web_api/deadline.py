"""A limit on the whole of a call that has only limits on its parts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The call did not come back in time."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return `call()`, or give up waiting for it.

    `requests` restarts its read timeout with every byte, so an answer that drips would hold its
    caller for ever. The call runs in a thread of its own; one that is given up ends by itself as
    soon as its socket does.

    Args:
        seconds: How long to wait.
        call: What to do.

    Raises:
        DeadlineError: The time has passed. Anything that `call` raises comes through.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            outcome.set_exception(error)

    Thread(target=run, name="hybridge-web-api", daemon=True).start()
    try:
        return outcome.result(seconds)
    except FutureTimeoutError:
        if outcome.done():
            raise
        raise DeadlineError from None
