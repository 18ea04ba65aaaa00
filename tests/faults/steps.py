"""A process that names each step of what it does to a path's files, and is killed at one of them.

A step is an operation on a file below the path (it is opened to be written, each write and half of
it, renamed, synchronised, removed, a folder made or removed), or the begin or end of a call of ours
to the engine. A process that is killed at a step has done what comes before it.

Many steps find all files as the step before did, and a process that is killed at one of these
leaves the same. So a process that is not killed notes the state of the files with each step.
"""

from __future__ import annotations

import builtins
import io
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from hybridge import MilvusStore
from hybridge.store.bm25 import statistics_log
from hybridge.store.engine.connection import Connection

Operation = Callable[[MilvusStore], object]
"""What is done to a store. It is acknowledged when it returns."""


class Step(NamedTuple):
    """A step.

    Attributes:
        name: What is done next.
        state: Tells the files as they are then, and what is acknowledged, from others.
    """

    name: str
    state: str


_WRITING = os.O_WRONLY | os.O_RDWR
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "pymilvus", "milvus_lite.server_manager"])


def state_of(path: Path) -> str:
    """Return what tells the files below a path, as they are now, from others."""
    digest = sha256()
    for file in sorted(path.rglob("*")):
        with suppress(FileNotFoundError):  # another thread removes it
            content = file.read_bytes() if file.is_file() else b""
            digest.update(repr((str(file), content)).encode())
    return digest.hexdigest()


class Steps:
    """The steps of this process, which is killed at one of them.

    Args:
        path: The Milvus Lite path.
        last: The number of the step at which it is killed; None for none.

    Attributes:
        all: What they were.
        done: How many operations were acknowledged.
    """

    def __init__(self, path: Path, last: int | None) -> None:
        self.all: list[Step] = []
        self.done = 0
        self._path, self._last = path, last
        self._lock = threading.RLock()

    def reach(self, name: str) -> None:
        """Reach a step."""
        with self._lock:
            if len(self.all) == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            state = f"{self.done} {state_of(self._path)}" if self._last is None else ""
            self.all.append(Step(name, state))

    def watch(self) -> None:
        """Reach a step with each operation of this process, for the rest of its life."""
        sys.addaudithook(self._audit)
        self._watch_files()
        self._watch_calls()

    def _at(self, verb: str, file: Any) -> None:
        """Reach the step of a file, if it is below the path."""
        if os.path.abspath(file).startswith(str(self._path)):
            self.reach(f"{verb} {os.path.relpath(file, self._path)}")

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES:
            folder = arguments[-1] if event != "os.rename" else -1
            where = "" if folder == -1 else os.readlink(f"/proc/self/fd/{folder}")
            self._at(event.removeprefix("os."), os.path.join(where, os.fsdecode(arguments[0])))
        elif event == "open" and isinstance(arguments[0], str) and arguments[2] & _WRITING:
            self._at("open", arguments[0])

    def _watch_files(self) -> None:
        open_, fsync, write_table, at = builtins.open, os.fsync, pq.write_table, self._at

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                data = bytes(data)
                at("write", self.name)
                done = super().write(data[: len(data) // 2])
                at("write half of", self.name)
                return done + super().write(data[done:])

        def opened(file: Any, mode: str = "r", *left: Any, **options: Any) -> Any:
            if not set(mode) <= set("wbt"):
                return open_(file, mode, *left, **options)
            raw = io.BufferedWriter(File(file, "w"))
            return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8")

        def synchronised(number: int) -> None:
            at("fsync", os.readlink(f"/proc/self/fd/{number}"))
            fsync(number)

        def table_written(table: pa.Table, where: str, **options: Any) -> None:
            buffer = io.BytesIO()
            write_table(table, buffer, **options)
            with opened(where, "wb") as file:
                file.write(buffer.getvalue())

        builtins.open, os.fsync, pq.write_table = opened, synchronised, table_written

    def _watch_calls(self) -> None:
        call = Connection.call

        def called(connection: Connection, operation: str, name: str, **arguments: Any) -> Any:
            self.reach(f"before {operation} of {name}")
            answer = call(connection, operation, name, **arguments)
            self.reach(f"after {operation} of {name}")
            return answer

        Connection.call = called  # type: ignore[method-assign]


def _run(path: Path, operations: Sequence[Operation], last: int | None, told: Pipe) -> None:
    """Run operations in a process of their own, and tell which are acknowledged."""
    statistics_log.COMPACT_AT = 4  # so that counts are summed up
    steps = Steps(path, last)
    steps.watch()
    store = MilvusStore(path)
    for operation in operations:
        operation(store)
        told.send((steps.done + 1, list(steps.all)))
        steps.done += 1
    os.kill(os.getpid(), signal.SIGKILL)


def run(
    path: Path, operations: Sequence[Operation], last: int | None = None
) -> tuple[int, list[Step]]:
    """Run operations on a path in a process of their own, which is killed at a step, or after all.

    Args:
        path: The Milvus Lite path.
        operations: Functions of modules: the process imports them.
        last: The number of the step; None for none.

    Returns:
        How many operations were acknowledged, and the steps up to the last of these.
    """
    read, told = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_run, args=(path, operations, last, told))
    process.start()
    told.close()
    done, steps = 0, list[Step]()
    try:
        while True:
            done, steps = read.recv()
    except EOFError:
        process.join()
    assert process.exitcode == -signal.SIGKILL
    return done, steps
