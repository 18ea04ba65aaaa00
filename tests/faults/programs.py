"""Programs that end, are interrupted or are forked in the middle of what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

ENDS_WITHIN = 120.0
"""Seconds after which a program hangs: it ends within five on a quiet machine."""


def start(path: Path | str, *parts: str) -> subprocess.Popen[str]:
    """Start a program that has a path's store of ten rows; it says "ready" when it goes on.

    Args:
        path: The Milvus Lite path.
        *parts: What it does with `store` and `path`.
    """
    head = """
        import atexit, os, signal, sys, threading, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs ignore it
        from hybridge import MilvusStore, Record
        path = sys.argv[1]
        store = MilvusStore(path)
        store.add([Record(id=str(n), text=f"word{n} and more") for n in range(10)])
        def ready():
            print("ready", flush=True)
    """
    program = "".join(textwrap.dedent(part) for part in (head, *parts))
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )


def wait_until_ready(program: subprocess.Popen[str]) -> None:
    """Wait for the line "ready"."""
    assert program.stdout is not None
    assert program.stderr is not None
    assert program.stdout.readline() == "ready\n", program.stderr.read()


def end_of(program: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return how a program ended: its exit code, what it printed and its errors.

    Raises:
        AssertionError: If it hangs, with where its threads are; it is killed.
    """
    try:
        out, err = program.communicate(timeout=ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        program.send_signal(signal.SIGABRT)  # PYTHONFAULTHANDLER says where it is
        _, err = program.communicate()
        msg = f"it hangs:\n{err}"
        raise AssertionError(msg) from None
    return program.returncode, out, err


def interrupt_after(program: subprocess.Popen[str], seconds: float, signal_number: int) -> None:
    """Send a signal to a program that is ready, some time later."""
    wait_until_ready(program)
    time.sleep(seconds)
    program.send_signal(signal_number)
