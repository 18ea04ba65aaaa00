"""A real Milvus server of the tests' own: started, killed, started again, ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from urllib.request import urlopen

PYTHON = "HYBRIDGE_TEST_MILVUS"
"""The environment variable that names the Python of an environment with PyPI's `milvus`."""

_PROGRAM = Path(__file__).parents[2] / ".venv-milvus-2.3.5" / "program"
_START = Path(__file__).with_name("start_milvus.py")
_WITHIN = 180.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class MilvusServer:
    """A server on a port of loopback; a context manager that ends it and removes its data.

    The server listens on every address of the machine, so it is started where there is only
    loopback; see `tests/real_server.py`.

    Args:
        folder: A folder for its data and its log.
        port: Its port.
        **settings: Its settings, by the names of the package's template, or of `milvus.yaml`.
    """

    def __init__(self, folder: Path, port: int, **settings: object) -> None:
        self.uri = f"http://127.0.0.1:{port}"
        self._health = free_port()
        self._folder = folder
        # A server that is started again waits until its registration from before has ended.
        named = {"proxy_port": port, "common.session.ttl": 5, **settings}
        self._command = [
            os.environ[PYTHON], str(_START), str(_PROGRAM), str(folder), str(self._health),
            *(f"{name}={value}" for name, value in named.items()),
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is well."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + _WITHIN
        while not self._is_well():
            assert self._process.poll() is None, self._last_words()
            assert time.monotonic() < until, self._last_words()
            time.sleep(0.5)

    def _is_well(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._health}/healthz", timeout=5) as answer:
                return bool(answer.read() == b"OK")
        except OSError:
            return False

    def _last_words(self) -> str:
        return (self._folder / "server.log").read_text("utf-8", "replace")[-2000:]

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> MilvusServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """End it and remove its data."""
        self.kill()
        shutil.rmtree(self._folder)
