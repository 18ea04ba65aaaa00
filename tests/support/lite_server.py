"""A `milvus-lite server` of the tests' own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymilvus import MilvusClient

_WITHIN = 120.0
"""Seconds within which it listens: one on a quiet machine."""


def raw_client(uri: str, **arguments: Any) -> MilvusClient:
    """Return pymilvus's client, which does not ping while it is idle: Milvus Lite ends such ones.

    gRPC shares a connection between clients that ask for it in the same way, so that the next to
    open one would be refused with it.
    """
    options = {"grpc.keepalive_permit_without_calls": False}
    return MilvusClient(uri, grpc_options=options, **arguments)


class LiteServer:
    """One on a free port of 127.0.0.1; each start of it has the same port and data.

    Args:
        folder: A folder for its data and its log.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1"]
        data = str(self._folder / "server.db")
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port), "--data-dir", data],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + _WITHIN
        while not self._listens():
            assert self._process.poll() is None, "milvus-lite server ended by itself"
            if time.monotonic() > until:
                self.kill()
                raise AssertionError(f"milvus-lite server did not listen within {_WITHIN} s")
            time.sleep(0.1)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def freeze(self) -> None:
        """Stop it where it is: it keeps its connections and answers nothing."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._send(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.thaw()
            self._send(signal.SIGTERM)
            self._wait()

    def _send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _wait(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=20)
        self._process = None


@contextmanager
def lite_server(folder: Path) -> Iterator[str]:
    """Run one with its data and its log in a folder; give its URI."""
    server = LiteServer(folder)
    server.start()
    try:
        yield server.uri
    finally:
        server.stop()
