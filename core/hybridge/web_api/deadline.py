"""A deadline for a whole call, where the library limits only its parts."""

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

    `requests` restarts its read timeout with every byte, so an answer that trickles in could block
    its caller forever. The call runs in a thread of its own; an abandoned one ends when its socket
    does.

    Args:
        seconds: How long to wait.
        call: What to do.

    Raises:
        DeadlineError: The time is up. Anything that `call` raises comes through.
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
