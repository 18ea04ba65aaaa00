"""What becomes of open stores when their process ends, or is forked.

Python ends in steps: it refuses new work to thread pools, Milvus Lite's own among them, waits for
the threads that are left, and only then runs `atexit` functions. A call to Milvus Lite in between
would wait for ever. So stores are closed before all that, by the hook that the standard library's
own pools use; where a Python lacks it, `atexit` is next best.

A forked child has none of its parent's threads but the one that forked: Milvus Lite runs in the
parent alone, and locks that other threads held stay taken. So there everything begins anew.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from importlib import import_module
from time import monotonic
from typing import Protocol
from weakref import WeakSet

_WAITS = 3.0
"""Seconds that an ending process waits for the calls under way, of all stores together."""


class Ending(Protocol):
    """What is to be closed before its process ends."""

    def end(self, until: float) -> None:
        """Close, and raise nothing.

        Args:
            until: When calls under way are left to themselves, by the monotonic clock.
        """


class Forked(Protocol):
    """What is of no use to a forked child as it is."""

    def renew(self) -> None:
        """Begin again, in a child, with nothing open and no lock taken."""


_ending: WeakSet[Ending] = WeakSet()
_forked: WeakSet[Forked] = WeakSet()


def end_with_process(one: Ending) -> None:
    """Close an object before its process ends."""
    _ending.add(one)


def renew_in_child(one: Forked) -> None:
    """Renew an object wherever its process is forked."""
    _forked.add(one)


def call_in_child(call: Callable[[], None]) -> None:
    """Make a call wherever the process is forked."""
    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=call)


def _end() -> None:
    until = monotonic() + _WAITS
    for one in list(_ending):
        one.end(until)


def _renew() -> None:
    for one in list(_forked):
        one.renew()


import_module("concurrent.futures.thread")  # its hook is registered first, and so runs last
getattr(threading, "_register_atexit", atexit.register)(_end)
call_in_child(_renew)
