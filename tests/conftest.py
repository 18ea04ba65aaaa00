"""Fixtures that every suite uses: a path, a server, a store, the real model, the shared data."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from hybridge import MilvusStore

URI, TOKEN = "HYBRIDGE_TEST_URI", "HYBRIDGE_TEST_TOKEN"
"""What name a real server, on which suites run; see `tests/real_server.py`."""

if URI in os.environ or "HYBRIDGE_TEST_MILVUS" in os.environ:
    from support.milvus_23 import stand_in

    os.environ.setdefault("MILVUS_TOKEN", os.environ.get(TOKEN, ""))
    stand_in()

# No test may fail for the speed of the machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A Milvus Lite path where nothing is yet."""
    return str(tmp_path / "milvus.db")


@pytest.fixture
def make_store(path: str) -> Iterator[Callable[..., MilvusStore]]:
    """Makes stores on the path, and closes them after the test."""
    stores: list[MilvusStore] = []

    def make(**arguments: Any) -> MilvusStore:
        stores.append(MilvusStore(arguments.pop("uri", path), **arguments))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(make_store: Callable[..., MilvusStore]) -> MilvusStore:
    """A store with its own BM25 and no dense function."""
    return make_store()


@pytest.fixture(scope="session")
def lite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a `milvus-lite server` on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server") / "server.db"
    command = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1"]
    with (folder.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--data-dir", str(folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> str:
    """The URI of the server that `HYBRIDGE_TEST_URI` names, else of a `milvus-lite server`."""
    return os.environ.get(URI) or str(request.getfixturevalue("lite_server"))


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "milvus-lite server ended by itself"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("milvus-lite server did not open its port within 30 s")


@pytest.fixture
def collection_name() -> str:
    """A collection name that no other test uses, for the server that all tests share."""
    return f"test_{uuid.uuid4().hex}"
