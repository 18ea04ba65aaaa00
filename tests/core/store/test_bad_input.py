"""Bad input is refused with an error of ours before anything is sent."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError, PartialWriteError

MakeStore = Callable[..., MilvusStore]

GOOD = Record(id="good", text="good", dense=np.ones(3, np.float32))


def bad(**fields: Any) -> Record:
    """A record that is good but for these fields."""
    return Record(**{"id": "bad", "text": "bad", "dense": np.ones(3, np.float32), **fields})


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (bad(id=""), "id is empty"),
        (bad(id=7), "not a string"),
        (bad(id="é" * 257), "514 bytes"),
        (bad(id="\ud800"), "surrogate"),
        (bad(text=None), "not a string"),
        (bad(text="я" * 32_768), "65,536 bytes"),
        (bad(text="a\udfff"), "surrogate"),
        (bad(document_id="d" * 2049), "2,049 bytes"),
        (bad(metadata=None), "dictionary"),
        (bad(metadata={"when": datetime.date(2026, 1, 1)}), "date"),
        (bad(metadata={"a": {"b": [1, math.nan]}}), r"metadata\['a'\]\['b'\]\[1\] is nan"),
        (bad(metadata={"x": math.inf}), "inf"),
        (bad(metadata={1: "x"}), "JSON keys are strings"),
        (bad(metadata={"x": (1, 2)}), "tuple"),
        (bad(metadata={"x": np.timedelta64(1, "s")}), "timedelta64"),
        (bad(metadata={"x": 2**63}), "64 bits"),
        (bad(metadata={"x": "\ud83d"}), "surrogate"),
        (bad(metadata={"x": "я" * 33_000}), "as JSON"),
        (bad(extra={"x": {1, 2}}), "extra"),
        (bad(dense=np.array([1, math.nan, 3])), "NaN"),
        (bad(dense=np.array([1, 1e39, 3])), "infinity"),
        (bad(dense=np.ones((1, 3))), "shape"),
        (bad(dense="abc"), "numbers"),
        (bad(dense=np.ones(4)), "dimension 4.*holds 3"),
        (bad(dense=None), "missing"),
        (bad(sparse={-1: 1.0}), "outside"),
        (bad(sparse={1: math.nan}), "positive"),
        ({"id": "bad", "text": "bad"}, "give hybridge.Record"),
    ],
)
def test_a_bad_record_is_refused_and_nothing_of_its_batch_is_written(
    store: MilvusStore, record: Any, complaint: str
) -> None:
    """The error names what is wrong; the good record beside it is not written either."""
    store.add([Record(id="first", text="first", dense=np.ones(3, np.float32))])
    with pytest.raises(InvalidInputError, match=complaint):
        store.add([GOOD, record])
    assert [r.id for r in store.scroll()] == ["first"]


def test_the_error_names_the_record_and_the_key(store: MilvusStore) -> None:
    """Among many records the culprit is found by its place, its id and its key."""
    with pytest.raises(InvalidInputError, match=r"record 1 \(id 'bad'\).*metadata\['when'\]"):
        store.add([GOOD, bad(metadata={"when": datetime.date(2026, 1, 1)})])


def test_a_column_takes_only_values_of_its_type(make_store: MakeStore) -> None:
    """A value that Milvus would bend to the column's type is refused."""
    store = make_store(metadata_schema={"year": int, "ok": bool, "share": float, "name": str})
    store.add([Record(text="x", metadata={"year": 1999, "ok": True, "share": 0.5, "name": "n"})])
    store.add([Record(text="x", metadata={"year": None}), Record(text="y")])
    for key, value in (("year", 5.5), ("year", True), ("ok", 1), ("share", 1), ("name", 7)):
        with pytest.raises(InvalidInputError, match=rf"metadata\['{key}'\]"):
            store.add([Record(text="x", metadata={key: value})])
    assert store.count() == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"query": "x", "k": 0}, "k=0"),
        ({"query": "x", "k": True}, "k=True"),
        ({"query": "x", "k": 2.5}, "k=2.5"),
        ({"query": "x", "k": 20_000}, "16384"),
        ({"query": "x", "fetch_k": 0}, "fetch_k=0"),
        ({"query": "x", "mode": "fuzzy"}, "mode='fuzzy'"),
        ({"query": "x", "mode": "dense"}, "dense field cannot use"),
        ({"query": "x", "mode": "hybrid"}, "dense field cannot use"),
        ({"vector": [1, 0, 0], "mode": "sparse"}, "sparse field cannot use"),
        ({"query": "x", "fusion": "best"}, "fusion='best'"),
        ({"query": "x", "fusion": 3}, "no method fuse"),
        ({"query": 5}, "not a string"),
        ({}, "nothing to search for"),
        ({"vector": [1, math.inf, 0]}, "infinity"),
        ({"vector": [1, 0]}, "dimension 2.*holds 3"),
        ({"vector": [1, 0, 0], "reranker": print}, "text of the query"),
        ({"query": "x", "reranker": "jina/jina-reranker-v2-base-multilingual"}, "rerank_function"),
        ({"query": "x", "filter": "year > 3"}, "expr="),
        ({"query": "x", "expr": {"year": 3}}, "string"),
    ],
)
def test_a_bad_search_is_refused(
    store: MilvusStore, arguments: dict[str, Any], complaint: str
) -> None:
    """Every argument that makes no sense is named."""
    store.add([GOOD])
    with pytest.raises(InvalidInputError, match=complaint):
        store.search(**arguments)


def test_search_many_takes_lists(store: MilvusStore) -> None:
    """A single string, and lists of different lengths, are refused."""
    with pytest.raises(InvalidInputError, match="list of texts"):
        store.search_many("cat")
    with pytest.raises(InvalidInputError, match="2 queries and 1 vectors"):
        store.search_many(["a", "b"], vectors=[[1, 0, 0]])


def test_get_takes_a_list(store: MilvusStore) -> None:
    """One string is not a list of ids."""
    with pytest.raises(InvalidInputError, match="give a list"):
        store.get("good")


@pytest.mark.parametrize("selector", [{}, {"filter": {}}, {"expr": ""}])
def test_delete_without_a_selector_is_refused(store: MilvusStore, selector: dict[str, Any]) -> None:
    """Nothing selected never means everything; the error names drop()."""
    store.add([GOOD])
    with pytest.raises(InvalidInputError, match=r"drop\(\)"):
        store.delete(**selector)
    assert store.count() == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"collection_name": "two words"}, "collection_name"),
        ({"collection_name": ""}, "collection_name"),
        ({"collection_name": "rows__hybridge"}, "companions"),
        ({"uri": "milvus"}, r"ends in '\.db'"),
        ({"uri": "ftp://host/x.db"}, r"ends in '\.db'"),
        ({"sparse": "tfidf"}, "tfidf.*known are bm25"),
        ({"sparse": "bm25:klingon"}, "klingon"),
        ({"sparse": 3}, "'int' is neither a SparseEmbeddingFunction"),
        ({"dense": 3}, "'int' is neither a DenseEmbeddingFunction"),
        ({"dim": 0}, "dim=0"),
        ({"metadata_schema": {"a b": int}}, "a b"),
        ({"metadata_schema": {"a": list}}, "list"),
    ],
)
def test_a_store_that_cannot_work_is_refused_at_once(
    make_store: MakeStore, arguments: dict[str, Any], complaint: str
) -> None:
    """The constructor checks its arguments before it opens anything."""
    with pytest.raises(InvalidInputError, match=complaint):
        make_store(**arguments)


def test_a_store_without_any_vectors_is_refused(make_store: MakeStore) -> None:
    """With sparse=None and no dense vectors there would be nothing to search."""
    with pytest.raises(InvalidInputError, match="nothing to index"):
        make_store(sparse=None).add([Record(text="x")])


def test_a_failure_in_a_later_batch_tells_what_landed(store: MilvusStore) -> None:
    """From an iterable, earlier batches stay; the error carries their ids."""
    records = (Record(id=str(i), text="x", metadata={"n": i if i < 5 else {i}}) for i in range(9))
    with pytest.raises(PartialWriteError, match="4 records were written") as caught:
        store.add(records, batch_size=2)
    assert caught.value.landed == ["0", "1", "2", "3"]
    assert sorted(r.id or "" for r in store.scroll()) == ["0", "1", "2", "3"]


def test_an_iterable_that_fails_tells_what_landed(store: MilvusStore) -> None:
    """An error of the caller's own generator is not swallowed either."""

    def broken() -> Any:
        yield from (Record(id="a", text="a"), Record(id="b", text="b"))
        msg = "disk on fire"
        raise OSError(msg)

    with pytest.raises(PartialWriteError, match="disk on fire") as caught:
        store.add(broken(), batch_size=1)
    assert caught.value.landed == ["a", "b"]
    assert isinstance(caught.value.__cause__, OSError)
