"""A real Milvus Lite collection per test module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from milvus_lite.server_manager import server_manager_instance
from pymilvus import MilvusClient

from support.filter_collection import Collection


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """A collection on a path of its own, one per test module."""
    path = str(Path(tmp_path_factory.mktemp("lite"), "filters.db").resolve())
    client = MilvusClient(path)
    yield Collection(client)
    client.close()
    server_manager_instance.release_server(path)
