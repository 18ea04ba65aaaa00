"""The suites that speak of the store in general run twice: on a path, and as on a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hybridge import MilvusStore
from support.engines import servers_over_lite

MakeStore = Callable[..., MilvusStore]

GENERAL = {
    "test_adoption",
    "test_concurrency",
    "test_context",
    "test_fields",
    "test_filters_in_the_store",
    "test_live_bm25",
    "test_overwriting",
    "test_search",
    "test_store",
    "test_tenants",
}
"""The suites that speak of the store in general."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of those suites on both engines, but for what a marker holds to paths.

    Where a real server is named, they run there alone.
    """
    is_general = metafunc.module.__name__.rpartition(".")[2] in GENERAL
    is_held = metafunc.definition.get_closest_marker("on_a_path") is not None
    if is_general and not is_held and "make_store" in metafunc.fixturenames:
        engines = ["server"] if "HYBRIDGE_TEST_URI" in os.environ else ["path", "server"]
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """Which engine the test is on."""
    return getattr(request, "param", "path")


@pytest.fixture
def make_store(
    make_store: MakeStore, engine: str, request: pytest.FixtureRequest
) -> Iterator[MakeStore]:
    """Makes stores on the engine of the test, and closes them after it."""
    if engine == "path":
        yield make_store
        return
    uri, prefix = request.getfixturevalue("server"), f"test_{uuid.uuid4().hex}"

    def make(**arguments: Any) -> MilvusStore:
        name = arguments.pop("collection_name", "hybridge")
        return make_store(uri=uri, collection_name=f"{prefix}_{name}", **arguments)

    with servers_over_lite():
        yield make
