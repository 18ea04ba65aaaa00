"""The settings of a real server: each kind of index with its parameters, and how rows are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pymilvus import MilvusClient

from hybridge import DenseField, MilvusStore, Record, ServerOptions

MakeStore = Callable[..., MilvusStore]

ROWS = 1_200
"""More than the 1,024 below which Milvus builds no index."""

INDEXES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "AUTOINDEX": ({}, {"ef": 64}),
    "FLAT": ({}, {}),
    "HNSW": ({"M": 16, "efConstruction": 100}, {"ef": 2}),
    "IVF_FLAT": ({"nlist": 16}, {"nprobe": 16}),
    "IVF_SQ8": ({"nlist": 16}, {"nprobe": 16}),
    "IVF_PQ": ({"nlist": 16, "m": 4, "nbits": 8}, {"nprobe": 16}),
    "SCANN": ({"nlist": 16, "with_raw_data": True}, {"nprobe": 16, "reorder_k": 2}),
    "DISKANN": ({}, {"search_list": 2}),
}


@pytest.fixture
def client(real_server: str) -> Iterator[MilvusClient]:
    """Milvus's own client, to look at what was made."""
    made = MilvusClient(real_server, token=os.environ.get("MILVUS_TOKEN", ""))
    yield made
    made.close()


@pytest.mark.parametrize("index_type", INDEXES)
def test_each_index_is_built_and_searched(
    make_store: MakeStore, client: MilvusClient, collection_name: str, index_type: str
) -> None:
    """With its parameters; what is below the depth of a search is raised to it."""
    build, search_params = INDEXES[index_type]
    vectors = np.random.default_rng(3).normal(size=(ROWS, 8))
    field = DenseField(dim=8, index_type=index_type, index_params=build)
    store = make_store(fields={"dense": field}, sparse=None)
    store.add(Record(id=str(i), text="x", dense=vectors[i]) for i in range(ROWS))
    store.flush()
    [name] = client.list_indexes(collection_name, field_name="dense")
    described = client.describe_index(collection_name, name)
    assert described["index_type"] == index_type
    told = {key: described[key] for key in build}
    assert told == {key: str(value) for key, value in build.items()}
    hits = [store.search(vector=vectors[i], k=5, search_params=search_params) for i in range(20)]
    assert all(len(found) == 5 for found in hits)
    assert sum(found[0].id == str(i) for i, found in enumerate(hits)) >= 18


def test_rows_are_kept_as_the_options_say(
    make_store: MakeStore, client: MilvusClient, collection_name: str
) -> None:
    """Shards, replicas and properties; partitions are no use before Milvus 2.3.11 (issue 30607)."""
    options = ServerOptions(
        num_shards=2,
        replica_number=1,
        properties={"collection.ttl.seconds": 86_400, "mmap.enabled": True},
    )
    store = make_store(server=options, sparse=None)
    store.add([Record(id="a", text="x", dense=[1, 0])])
    described = client.describe_collection(collection_name)
    assert described["num_shards"] == 2
    assert described["properties"]["collection.ttl.seconds"] == "86400"
    assert described["properties"]["mmap.enabled"] == "true"
    assert store.count() == 1


@pytest.mark.parametrize("level", ["Strong", "Session", "Bounded", "Eventually"])
def test_each_level_of_consistency_answers(make_store: MakeStore, level: Any) -> None:
    """The strong ones with the row that was just written; no level hides it from reads by id."""
    store = make_store(server=ServerOptions(consistency_level=level), sparse=None)
    for number in range(10):
        store.add([Record(id=str(number), text="x", dense=[number, 1])])
        found = [hit.id for hit in store.search(vector=[number, 1], k=100)]
        assert level in ("Bounded", "Eventually") or str(number) in found
        assert [one.id for one in store.get([str(number)])] == [str(number)]
        assert store.count() == number + 1


def test_a_strong_search_sees_what_another_has_written(
    make_store: MakeStore, client: MilvusClient, collection_name: str
) -> None:
    """At once: another client's acknowledged row, of which this process knows no time."""
    store = make_store(server=ServerOptions(consistency_level="Strong"), sparse=None)
    store.add([Record(id="first", text="x", dense=[1, 0])])
    row = client.query(collection_name, filter='id == "first"', output_fields=["*"])[0]
    for number in range(10):
        client.upsert(collection_name, [{**row, "id": f"other{number}"}])
        assert f"other{number}" in [hit.id for hit in store.search(vector=[1, 0], k=100)]
