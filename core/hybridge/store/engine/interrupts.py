"""Keeping signals out of a call to the engine.

An exception that a signal raises inside gRPC, Ctrl-C or `sys.exit` in a handler of SIGTERM, leaves
a lock of its channel taken, and every later call on it waits for ever (9 of 24 times). So does a
handler that makes a call of its own there. So a signal that comes during a call takes effect right
after it; a second one at once, for a server that does not answer.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("INT", "TERM", "HUP", "QUIT", "BREAK", "ALRM", "USR1", "USR2")
_SIGNALS = [getattr(signal, f"SIG{name}") for name in _NAMES if hasattr(signal, f"SIG{name}")]
"""Those that programs have handlers for; to ask for all sixty takes 50 µs."""


@contextmanager
def interrupted_after() -> Generator[None]:
    """Let signals take effect after the block; only the main thread is ever interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {one: handler for one in _SIGNALS if callable(handler := signal.getsignal(one))}
    came: list[tuple[int, FrameType | None]] = []
    is_over = False

    def note(number: int, frame: FrameType | None) -> None:
        if not is_over:
            came.append((number, frame))
        if is_over or len(came) > 1:
            handlers[number](number, frame)

    for one in handlers:
        signal.signal(one, note)
    try:
        yield
    finally:
        is_over = True  # a handler that raises here may leave `note` in the place of the others
        try:
            for one, handler in handlers.items():
                signal.signal(one, handler)
        finally:
            if len(came) == 1:
                [(number, frame)] = came
                handlers[number](number, frame)
