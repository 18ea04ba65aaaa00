"""A process that is killed at one of its calls to a server, and what had arrived by then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from support.relay import Answer, Call, Failure


@dataclass(frozen=True)
class Moment:
    """When a process is killed.

    Attributes:
        concerns: Which of its calls count.
        number: At which of these, from 1.
        arrives: Whether the server does what was asked all the same.
    """

    concerns: Callable[[Call], bool]
    number: int
    arrives: bool


class KilledAt:
    """A rule of a relay: the process that calls through it is killed at a moment.

    Args:
        moment: When; None lets it end by itself.
    """

    def __init__(self, moment: Moment | None) -> None:
        self._moment = moment
        self._calls = 0
        self._process: subprocess.Popen[str] | None = None
        self._over = threading.Event()

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of Python to its end; return what it prints."""
        tests = str(Path(__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": tests}
        command = [sys.executable, "-c", program, *arguments]
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        )
        said = self._process.communicate(timeout=300)[0]
        if self._moment is None:
            assert self._process.returncode == 0
        else:
            assert self._process.returncode == -signal.SIGKILL
            assert self._over.wait(60)
        return said

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Answer, or kill the process; the server may get its call all the same."""
        moment = self._moment
        if moment is None or not moment.concerns(call):
            return answer(call)
        self._calls += 1
        if self._calls != moment.number:
            return answer(call)
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        try:
            if moment.arrives:
                answer(call)
        finally:
            self._over.set()
        raise Failure(grpc.StatusCode.UNAVAILABLE, "whoever asked is dead")


class Arrived:
    """A rule: counts how often each row of a collection was changed in part.

    Args:
        key: The primary key.

    Attributes:
        rows: How often, by key.
    """

    def __init__(self, key: str) -> None:
        self.rows: Counter[str] = Counter()
        self._key = key

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Answer, and count."""
        answered = answer(call)
        if is_change(call):
            [keys] = [one for one in call.request.fields_data if one.field_name == self._key]
            self.rows.update(keys.scalars.string_data.data)
        return answered


def is_change(call: Call) -> bool:
    """Whether a call changes some columns of rows that are there."""
    return call.name == "Upsert" and bool(call.request.partial_update)


def is_note(call: Call) -> bool:
    """Whether a call writes to a companion."""
    return call.name == "Upsert" and call.request.collection_name.endswith("__hybridge")
