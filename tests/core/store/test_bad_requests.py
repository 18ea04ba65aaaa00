"""A request that cannot be met is refused before anything is encoded, sync and async."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridge import DenseField, MilvusStore, Record, Weighted
from hybridge.errors import HybridgeError, InvalidInputError, StoreClosedError
from support.letters import AsyncLetters, Letters

MakeStore = Callable[..., MilvusStore]
MakeLetters = type[Letters]

NESTED: Any = []
for _ in range(100_000):
    NESTED = [NESTED]

BAD_SEARCHES: list[dict[str, Any]] = [
    {"k": 0},
    {"k": "3"},
    {"k": 10**5000},
    {"query": 3},
    {"query": "\ud800"},
    {"query": None},
    {"query": None, "vector": {}},
    {"filter": "year > 3"},
    {"filter": {"year": {"$near": 3}}},
    {"filter": 3},
    {"expr": {"year": 3}},
    {"expr": 'id == "a'},
    {"expr": ") or (1 == 1"},
    {"mode": "fuzzy"},
    {"mode": 3},
    {"mode": []},
    {"mode": ["dense", "fuzzy"]},
    {"mode": ["dense", 3]},
    {"mode": NESTED},
    {"fusion": "best"},
    {"fusion": Weighted},
    {"fusion": 3},
    {"fusion": Weighted({"dense": 1.0})},
    {"fetch_k": 0},
    {"fetch_k": "deep"},
    {"fetch_k": {"dense": 0}},
    {"fetch_k": {"fuzzy": 3}},
    {"fetch_k": {3: 3}},
    {"reranker": "jina/jina-reranker-v2-base-multilingual"},
    {"reranker": 3},
    {"vector": {"title": [1.0, 2.0]}},
    {"vector": {"title": [1.0] * 7 + [float("nan")]}},
    {"vector": {"title": "abcdefgh"}},
    {"vector": {"title": [10**400] * 8}},
    {"vector": {"blurb": [1.0]}},
    {"vector": 3},
    {"vector": {"title": 3}},
]
BAD_MMR: list[dict[str, Any]] = [
    {"balance": 2},
    {"balance": "half"},
    {"fetch_k": 0},
    {"mmr_field": "sparse"},
    {"mmr_field": "blurb"},
    {"mmr_field": 3},
    {"k": 0},
]
BAD_WRITES: list[tuple[Any, dict[str, Any]]] = [
    ("text", {}),
    (3, {}),
    ({"text": "x"}, {}),
    ([{"text": "x"}], {}),
    ([Record(text="x")], {"batch_size": 0}),
    ([Record(text="x"), Record(text="y", id=3)], {}),  # type: ignore[arg-type]
    ([Record(text="x"), Record(text="y", metadata={"title": 3})], {}),
    ([Record(text="x"), Record(text="y", vectors={"blurb": [1.0]})], {}),  # type: ignore[dict-item]
    ([Record(text="x"), Record(text="y", dense=[1.0])], {}),  # type: ignore[arg-type]
    ([Record(text="x"), Record(text="y", sparse=[1.0])], {}),  # type: ignore[arg-type]
    ([Record(text="x"), Record(text="y", vectors=3)], {}),  # type: ignore[arg-type]
    ([Record(text="x"), Record(text="y", context=3)], {}),  # type: ignore[arg-type]
    ([Record(text="x"), Record(text="y", metadata={"x": NESTED})], {}),
]


@pytest.fixture(params=[Letters, AsyncLetters])
def function(request: pytest.FixtureRequest) -> Letters:
    """A function, with and without an async half."""
    made: Letters = request.param(26)
    return made


@pytest.fixture
def store(make_store: MakeStore, function: Letters) -> MilvusStore:
    """A store with rows and three fields, whose functions have been called for the last time."""
    store = make_store(dense=function, fields={"title": DenseField(Letters(8), source="title")})
    store.add([Record(id="a", text="a red fox", metadata={"title": "Foxes"})])
    function.calls.clear()
    store.function("title").calls.clear()
    return store


def assert_not_called(store: MilvusStore) -> None:
    """No function was asked for anything."""
    for field in ("dense", "title"):
        assert store.function(field).calls == []


async def test_a_bad_search_encodes_nothing(store: MilvusStore) -> None:
    """Whatever is wrong with it."""
    for arguments in BAD_SEARCHES:
        asked = {"query": "fox", **arguments}
        with pytest.raises(InvalidInputError):
            store.search(**asked)
        with pytest.raises(InvalidInputError):
            await store.asearch(**asked)
        query, vector = asked.pop("query"), asked.pop("vector", None)
        queries = None if query is None else [query]
        vectors = {n: [one] for n, one in vector.items()} if isinstance(vector, dict) else vector
        with pytest.raises(InvalidInputError):
            store.search_many(queries, vectors=vectors, **asked)
        with pytest.raises(InvalidInputError):
            await store.asearch_many(queries, vectors=vectors, **asked)
    assert_not_called(store)


async def test_a_bad_mmr_search_encodes_nothing(store: MilvusStore) -> None:
    """Diversity has arguments of its own."""
    for arguments in BAD_MMR:
        with pytest.raises(InvalidInputError):
            store.search_mmr("fox", **arguments)
        with pytest.raises(InvalidInputError):
            await store.asearch_mmr("fox", **arguments)
    assert_not_called(store)


async def test_a_bad_write_encodes_nothing(store: MilvusStore) -> None:
    """A list is checked to its end first."""
    for records, arguments in BAD_WRITES:
        with pytest.raises(InvalidInputError):
            store.add(records, **arguments)
        with pytest.raises(InvalidInputError):
            await store.aadd(records, **arguments)
    assert_not_called(store)
    assert store.count() == 1


async def test_a_closed_store_encodes_nothing(store: MilvusStore) -> None:
    """Neither to search nor to write."""
    store.close()
    for call in (
        lambda: store.search("fox"),
        lambda: store.search_many(["fox"]),
        lambda: store.search_mmr("fox"),
        lambda: store.add([Record(text="x")]),
    ):
        with pytest.raises(StoreClosedError):
            call()
    for awaited in (
        lambda: store.asearch("fox"),
        lambda: store.asearch_many(["fox"]),
        lambda: store.asearch_mmr("fox"),
        lambda: store.aadd([Record(text="x")]),
    ):
        with pytest.raises(StoreClosedError):
            await awaited()
    assert_not_called(store)


async def test_no_collection_yet_needs_no_vectors(make_store: MakeStore, function: Letters) -> None:
    """There is nothing to find; a field that a new one would not have is refused all the same."""
    store = make_store(dense=function)
    assert store.search("fox") == await store.asearch("fox") == []
    assert store.search_many(["fox", "hen"]) == await store.asearch_many(["a", "b"]) == [[], []]
    assert store.search_mmr("fox") == await store.asearch_mmr("fox") == []
    with pytest.raises(InvalidInputError, match="fuzzy"):
        store.search("fox", mode="fuzzy")
    with pytest.raises(InvalidInputError, match="fuzzy"):
        await store.asearch("fox", mode="fuzzy")
    assert function.calls == []


async def test_no_queries_need_no_vectors(store: MilvusStore) -> None:
    """Neither do no records."""
    assert store.search_many([]) == await store.asearch_many([]) == []
    assert store.add([]) == await store.aadd([]) == []
    assert_not_called(store)


async def test_a_missing_tenant_encodes_nothing(make_store: MakeStore, function: Letters) -> None:
    """Nor one where there are none."""
    store = make_store(dense=function, partition_key="tenant")
    store.for_tenant("acme").add([Record(text="fox")])
    other = make_store(collection_name="other", dense=function)
    other.add([Record(text="fox")])
    function.calls.clear()
    for one in (store, other.for_tenant("acme")):
        with pytest.raises(InvalidInputError):
            one.search("fox")
        with pytest.raises(InvalidInputError):
            await one.asearch("fox")
        with pytest.raises(InvalidInputError):
            one.add([Record(text="fox")])
        with pytest.raises(InvalidInputError):
            await one.aadd([Record(text="fox")])
    assert function.calls == []


async def test_a_contradiction_encodes_nothing(make_store: MakeStore, function: Letters) -> None:
    """A collection of another length or language is found before its first vector is made."""
    make_store(dense=Letters(9), sparse="bm25:de").add([Record(text="x")])
    for arguments in ({"dense": function}, {"dense": function, "sparse": "bm25:en"}):
        store = make_store(**arguments)
        with pytest.raises(HybridgeError):
            store.search("fox")
        with pytest.raises(HybridgeError):
            store.add([Record(text="y")])
        with pytest.raises(HybridgeError):
            await store.asearch("fox")
        with pytest.raises(HybridgeError):
            await store.aadd([Record(text="y")])
    assert function.calls == []
