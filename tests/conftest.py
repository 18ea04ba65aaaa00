"""Fixtures that every suite uses: a path, a server, a store, the real model, the shared data."""

from __future__ import annotations

import os

# A model's threads wait by spinning: with two workers on two cores that takes more than the work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from hybridge import MilvusStore
from support.lite_server import lite_server as running

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
    with running(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> str:
    """The URI of the server that `HYBRIDGE_TEST_URI` names, else of a `milvus-lite server`."""
    return os.environ.get(URI) or str(request.getfixturevalue("lite_server"))


@pytest.fixture
def collection_name() -> str:
    """A collection name that no other test uses, for the server that all tests share."""
    return f"test_{uuid.uuid4().hex}"
