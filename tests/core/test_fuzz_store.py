"""Wrong types and values anywhere in a store raise errors of Hybridge's own, and change nothing.

A few hundred calls in the ordinary run; `HYBRIDGE_FUZZ=5000` makes that many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge import AUTO, TEXT, DenseField, F, HybridgeError, MilvusStore, Record, SparseField
from hybridge.retrieval.fusion import Weighted
from support.word_function import WordFunction

EXAMPLES = int(os.environ.get("HYBRIDGE_FUZZ", "300"))


def deep(levels: int) -> list[Any]:
    """A list inside a list, as many levels deep."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


class Hostile:
    """An object that fails at whatever is asked of it."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __len__(self) -> int:
        return -1


ODD: list[Any] = [
    None, True, False, 0, -1, 1, 3, 10**400, -(10**400), 2**63, 1.5, float("nan"), float("inf"), "",
    "a", "fox", "hybrid", "dense", "title", "a\0b", "\ud800", "x" * 600, "http://[bad", "http://a b",
    "./\0.db", b"bytes", bytearray(b"x"), (), [], {}, set(), {"a"}, frozenset({1}), [None], [1], ["a"],
    [["a"]], [b"a"], {"a": 1}, {1: 2.0}, {1: float("nan")}, {-1: 1.0}, {2**40: 1.0}, {"a": {"$eq": 1}},
    {"$and": 3}, {"$nope": 1}, {"a": {"$in": 3}}, {None: 1}, {"dense": [1, 2]}, {"dense": None},
    {"nope": [1.0]}, [1.0, 2.0], [10**400], [float("nan")], ["x", "y"], np.ones(3), np.ones((2, 2)),
    np.array(["a"]), np.float32(1), np.int64(3), np.array([]), object(), object, print, int, ValueError,
    deep(2000), range(3), iter([1]), Record(text="a"), [Record(text="a"), 3], F("a") == 1, F("a"), TEXT,
    AUTO, Weighted(), DenseField(), DenseField(source="title"), SparseField("bm25"),
    {"title": DenseField(dim=3)}, {"title": 3}, {"a b": DenseField(dim=3)}, {"id": DenseField(dim=3)},
    {"year": int}, {"year": "int"}, {"a b": str}, WordFunction(), WordFunction, lambda *_: 1,
    lambda query, documents, top_k=5: 3, 1j, slice(3), NotImplemented, ..., type, memoryview(b"x"),
    "id == 3", "id ==", 'id == "', "(((", "nope > 3", "metadata", "1 == 1) or (1 == 1",
]  # fmt: skip


class Odd(int):
    """The place of an odd value: Hypothesis cannot write every value itself."""

    def __repr__(self) -> str:
        return f"Odd({int(self)})"


odd = st.integers(0, len(ODD) - 1).map(Odd)


def real(value: Any) -> Any:
    """The values that stand at the places in a structure."""
    if isinstance(value, Odd):
        return ODD[value]
    if isinstance(value, dict):
        return {name: real(one) for name, one in value.items()}
    return tuple(map(real, value)) if isinstance(value, tuple) else value


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusStore]:
    """A store with two dense fields and BM25, and a few rows."""
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    fields = {"title": DenseField(WordFunction(), source="title")}
    with MilvusStore(path, dense=WordFunction(), fields=fields) as made:
        made.add(Record(id=name, text=name, metadata={"title": name}) for name in ("fox", "safe"))
        yield made


SEARCH = ("k", "mode", "filter", "expr", "fusion", "fetch_k", "reranker", "with_vectors", "vector")
MMR = ("k", "mode", "filter", "expr", "fusion", "fetch_k", "balance", "mmr_field", "vector")
RECORD = (
    "id", "text", "metadata", "document_id", "context", "extra", "dense", "sparse", "vectors",
)  # fmt: skip
ARGUMENTS = (
    "uri", "collection_name", "token", "db_name", "dense", "sparse", "fields", "search_fields", "dim",
    "metadata_schema", "partition_key", "average_length", "timeout",
)  # fmt: skip


def some(names: tuple[str, ...], most: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """A few of the arguments, with odd values."""
    return st.dictionaries(st.sampled_from(names), odd, min_size=1, max_size=most)


def construct(arguments: dict[str, Any], path: str) -> None:
    """Make a store, and count its rows where that opens nothing new."""
    with MilvusStore(**{"uri": path, "timeout": 1, **arguments}):
        pass


CALLS: list[tuple[str, st.SearchStrategy[Any], Callable[[MilvusStore, Any], Any]]] = [
    ("search", st.tuples(odd, some(SEARCH)), lambda s, a: s.search(a[0], **a[1])),
    ("search a text", some(SEARCH), lambda s, a: s.search("fox", **a)),
    ("search_many", st.tuples(odd, odd), lambda s, a: s.search_many(a[0], vectors=a[1])),
    ("search_mmr", some(MMR), lambda s, a: s.search_mmr("fox", **a)),
    ("get", odd, lambda s, a: s.get(a)),
    ("get by filter", odd, lambda s, a: s.get(filter=a)),
    ("count", st.tuples(odd, odd), lambda s, a: s.count(a[0], expr=a[1])),
    ("scroll", st.tuples(odd, odd), lambda s, a: list(s.scroll(a[0], expr=a[1]))),
    ("delete", odd, lambda s, a: s.delete([a])),
    ("delete by document", odd, lambda s, a: s.delete(ids=["none"], document_id=a)),
    ("update", st.tuples(odd, odd), lambda s, a: s.update(a[0], metadata=a[1])),
    ("explain", st.tuples(odd, odd, odd), lambda s, a: s.explain(a[0], a[1], field=a[2])),
    ("for_tenant", odd, lambda s, a: s.for_tenant(a).count()),
    ("using", odd, lambda s, a: s.using(dense=a).search("fox")),
    ("add", st.tuples(odd, odd), lambda s, a: s.add(a[0], batch_size=a[1])),
    ("add a record", some(RECORD, 3), lambda s, a: s.add([Record(**{"id": "owl", **a})])),
]


@pytest.mark.parametrize(("name", "arguments", "call"), CALLS, ids=[name for name, _, _ in CALLS])
def test_a_call_with_odd_arguments_raises_errors_of_ours(
    store: MilvusStore,
    name: str,
    arguments: st.SearchStrategy[Any],
    call: Callable[[MilvusStore, Any], Any],
) -> None:
    """Whatever is passed, and "safe" is still there."""

    @settings(max_examples=max(10, EXAMPLES // len(CALLS)))
    @given(arguments)
    def fuzz(given_arguments: Any) -> None:
        try:
            call(store, real(given_arguments))
        except HybridgeError as error:
            assert str(error)

    fuzz()
    assert [record.text for record in store.get(["safe"])] == ["safe"]


@settings(max_examples=max(20, EXAMPLES // 4))
@given(arguments=some(ARGUMENTS, 2))
def test_a_store_of_odd_arguments_raises_errors_of_ours(
    tmp_path_factory: pytest.TempPathFactory, arguments: dict[str, Any]
) -> None:
    """The constructor refuses what makes no sense."""
    try:
        construct(real(arguments), str(tmp_path_factory.getbasetemp() / "none.db"))
    except HybridgeError as error:
        assert str(error)


@settings(max_examples=max(20, EXAMPLES // 4))
@given(kind=st.sampled_from([DenseField, SparseField]), function=odd, arguments=some(
    ("source", "dim", "metric", "index_type", "index_params", "name"), 2
))  # fmt: skip
def test_a_field_of_odd_arguments_raises_errors_of_ours(
    kind: Any, function: Any, arguments: dict[str, Any]
) -> None:
    """So does a field, and the store that is given it."""
    if kind is SparseField:
        arguments = {name: value for name, value in arguments.items() if name in ("source", "name")}
    try:
        field = kind(real(function), **real(arguments))
        MilvusStore("none.db", fields={"title": field}).close()
    except HybridgeError as error:
        assert str(error)
