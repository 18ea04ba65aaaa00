"""Fixtures of the suites that only a real server can run; see `tests/real_server.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hybridge import MilvusStore
from support.milvus_server import PYTHON, MilvusServer, free_port

MakeStore = Callable[..., MilvusStore]


WANTED = "needs a real Milvus server: `make test-server`"


@pytest.fixture(scope="session")
def real_server() -> str:
    """The URI of the server that `HYBRIDGE_TEST_URI` names."""
    return os.environ.get("HYBRIDGE_TEST_URI") or pytest.skip(WANTED)


@pytest.fixture
def make_store(real_server: str, collection_name: str) -> Iterator[MakeStore]:
    """Makes stores of one collection of the test's own, which is dropped after it."""
    stores: list[MilvusStore] = []

    def make(**arguments: Any) -> MilvusStore:
        stores.append(MilvusStore(real_server, collection_name=collection_name, **arguments))
        return stores[-1]

    yield make
    if stores:
        stores[0].drop()
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., MilvusServer]]:
    """Starts servers of the module's own, which it may kill, and ends them."""
    if PYTHON not in os.environ:
        pytest.skip(WANTED + ", of its own")
    servers: list[MilvusServer] = []

    def make(**arguments: Any) -> MilvusServer:
        folder = tmp_path_factory.mktemp("milvus")
        servers.append(MilvusServer(folder, free_port(), **arguments))
        servers[-1].start()
        return servers[-1]

    yield make
    for server in servers:
        server.end()
