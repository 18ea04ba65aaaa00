"""A filter means the same wherever the store takes one, and values never become code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge import DOCUMENT_ID, ROW_ID, F, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.filters import And, Filter, match
from hybridge.store import selection
from support.examples import examples
from support.filter_strategies import PROMOTED, random_records, trees
from support.hostile import HOSTILE

MakeStore = Callable[..., MilvusStore]

STORABLE = [text for text in HOSTILE if 0 < len(text.encode()) <= 512]


@pytest.fixture(scope="module", params=["with columns", "without columns"])
def rows(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MilvusStore]:
    """A store with random rows, half of them flushed, with or without promoted columns."""
    schema = PROMOTED if request.param == "with columns" else None
    records = [
        Record(
            id=record.id,
            text="word " + "filler " * (place % 5),
            document_id=record.document_id,
            metadata={
                key: value
                for key, value in record.metadata.items()
                if key not in PROMOTED or value is None or type(value) is PROMOTED[key]
            },
            dense=np.array([1.0, place]),
        )
        for place, record in enumerate(random_records(5, 50))
    ]
    with MilvusStore(
        tmp_path_factory.mktemp("filters") / "rows.db", metadata_schema=schema
    ) as store:
        store.add(records[:25])
        store.flush()
        store.add(records[25:])
        yield store


def _selects_what_match_selects(rows: MilvusStore, tree: Filter) -> None:
    records = list(rows.scroll())
    expected = {record.id for record in records if match(tree, record)}
    assert {record.id for record in rows.scroll(tree)} == expected
    assert rows.count(tree) == len(expected)
    if not tree.empty:
        assert {record.id for record in rows.get(filter=tree)} == expected
    ids = [str(record.id) for record in reversed(records)]
    assert [one.id for one in rows.get(ids, filter=tree)] == [i for i in ids if i in expected]
    for mode in ("dense", "sparse", "hybrid"):
        [hits, few] = rows.search_many(
            ["word", "word"],
            vectors=[[1.0, 2.0]] * 2,
            k=len(records),
            mode=mode,  # type: ignore[arg-type]
            filter=tree,
        )
        assert {hit.id for hit in hits} == {hit.id for hit in few} == expected


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees)
def test_every_method_selects_what_match_selects(rows: MilvusStore, tree: Filter) -> None:
    """Scroll, count and search in each mode find the rows that the filter means."""
    _selects_what_match_selects(rows, tree)


@pytest.mark.long
@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(tree=trees)
def test_every_method_selects_what_match_selects_long(rows: MilvusStore, tree: Filter) -> None:
    """The same, with and without columns, many times."""
    _selects_what_match_selects(rows, tree)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees, seed=st.integers(0, 3))
def test_delete_removes_what_match_selects(
    tmp_path_factory: pytest.TempPathFactory, tree: Filter, seed: int
) -> None:
    """No row beyond those that the filter means is deleted, and none is left."""
    path = tmp_path_factory.mktemp("deleted") / "rows.db"
    with MilvusStore(path) as store:
        records = [
            Record(id=r.id, text="word", document_id=r.document_id, metadata=r.metadata)
            for r in random_records(seed, 20)
        ]
        store.add(records)
        stored = list(store.scroll())
        doomed = {record.id for record in stored if match(tree, record)}
        if And([tree]).empty:
            with pytest.raises(InvalidInputError, match="without a selector"):
                store.delete(filter=tree)
            return
        assert store.delete(filter=tree) == len(doomed)
        assert {r.id for r in store.scroll()} == {r.id for r in stored} - doomed
        assert store.check() == []


def test_long_id_lists_are_cut(make_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A residual that selects more ids than one expression takes finds them all, best first."""
    monkeypatch.setattr(selection, "IDS_PER_CALL", 7)
    store = make_store()
    store.add(
        Record(id=str(i), text="word", metadata={"n": i}, dense=np.array([1.0, i / 9]))
        for i in range(60)
    )
    hits = store.search(vector=[1.0, 0.0], k=20, filter=F("n") >= 10)
    assert [hit.id for hit in hits] == [str(i) for i in range(10, 30)]
    assert len(store.search("word", k=60, filter=F("n") >= 10, mode="sparse")) == 50
    assert store.count(F("n") >= 10) == 50
    assert store.delete(filter=F("n") >= 10) == 50


def test_an_id_that_is_named_twice_is_one_row(make_store: MakeStore) -> None:
    """Milvus Lite gives it as often as `in [...]` names it."""
    store = make_store()
    store.add(Record(id=name, text="word", metadata={"n": 1}) for name in "abc")
    for tree in (ROW_ID.isin(["a", "a"]), ROW_ID.isin(["a", "a"]) & (F("n") == 1)):
        assert store.count(tree) == 1
        assert [record.id for record in store.scroll(tree)] == ["a"]
        assert [hit.id for hit in store.search("word", k=9, filter=tree)] == ["a"]
    twice = 'id in ["a", "a"]'
    assert store.count(F("n") == 1, expr=twice) == 1
    assert [hit.id for hit in store.search("word", k=9, filter=F("n") == 1, expr=twice)] == ["a"]
    assert store.delete(filter=tree) == 1


@pytest.mark.on_a_path("thirty seconds; test_server_dialect reads and writes hostile ids")
def test_hostile_strings_are_data(make_store: MakeStore) -> None:
    """As ids, keys, values, document ids and column values each names its own row and no other."""
    store = make_store(metadata_schema={"column": str})
    store.add(
        Record(id=text, text="word", document_id=text, metadata={"column": text, text: text})
        for text in STORABLE
    )
    assert len(STORABLE) >= 100
    assert store.count() == len(STORABLE)
    for text in STORABLE:
        [record] = store.get([text])
        assert (record.id, record.document_id) == (text, text)
        for wanted in (
            text == ROW_ID,
            text == DOCUMENT_ID,
            F("column") == text,
            ROW_ID.isin([text, "nobody"]),
        ):
            assert [r.id for r in store.scroll(wanted)] == [text]
    for text in STORABLE[::8]:
        assert [r.id for r in store.scroll(F(text) == text)] == [text]
        if not text.startswith("$"):  # in the dictionary spelling those are operators
            assert [hit.id for hit in store.search("word", filter={text: text})] == [text]


def test_hostile_deletions_delete_what_they_name(make_store: MakeStore) -> None:
    """Deleting by a hostile id or document id takes one row, and absent ones take none."""
    store = make_store()
    half = len(STORABLE) // 2
    store.add(Record(id=text, text="word", document_id=text) for text in STORABLE[:half])
    for text in STORABLE[half:]:
        assert store.delete(ids=[text]) == 0
        assert store.delete(document_id=text) == 0
        assert store.delete(filter=F("key") == text) == 0
    for number, text in enumerate(STORABLE[:half], start=1):
        selector = {"ids": [text]} if number % 2 else {"document_id": text}
        assert store.delete(**selector) == 1  # type: ignore[arg-type]
        assert store.count() == half - number


def test_filters_and_metadata_schema_survive_reopening(tmp_path: Path) -> None:
    """Columns are compiled again after reopening, without being named."""
    path = tmp_path / "x.db"
    with MilvusStore(path, metadata_schema={"year": int}) as store:
        store.add([Record(id="a", text="word", metadata={"year": 1999})])
    with MilvusStore(path) as store:
        assert store.count(F("year") == 1999) == 1
        assert store._session.find().layout.columns == {"year": int}  # type: ignore[union-attr]
