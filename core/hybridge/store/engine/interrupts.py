"""Keeping Ctrl-C out of a call to the engine.

An exception that a signal raises inside gRPC leaves a lock of its channel taken, and every later
call on it waits for ever (9 of 24 times). So a signal that comes during a call takes effect right
after it; a second one at once, for a server that does not answer.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupted_after() -> Generator[None]:
    """Let Ctrl-C take effect after the block; only the main thread is ever interrupted."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[tuple[int, FrameType | None]] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))
        if len(came) > 1:
            handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if len(came) == 1:
            handler(*came[0])
