"""After any sequence of changes, BM25 is what a fresh count over the live rows gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge import F, MilvusStore, Record
from support.examples import examples

WORDS = ["red", "blue", "house", "boat", "river", "the", "näive", "日本", "running", "run", ""]

ids = st.integers(0, 11).map(str)
texts = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
records = st.builds(
    Record,
    id=ids,
    text=texts,
    document_id=st.sampled_from(["a", "b", None]),
    metadata=st.builds(dict, n=st.integers(0, 3)),
)


@dataclass(frozen=True)
class Operation:
    """One change: the method's name and what it is called with."""

    name: str
    argument: object = None


operations = st.one_of(
    st.lists(records, min_size=1, max_size=8).map(lambda batch: Operation("add", batch)),
    st.lists(records, min_size=1, max_size=8).map(lambda batch: Operation("add", batch)),
    st.lists(ids, min_size=1, max_size=4).map(lambda some: Operation("delete ids", some)),
    st.sampled_from(["a", "b"]).map(lambda document: Operation("delete document", document)),
    st.integers(0, 3).map(lambda n: Operation("delete filter", n)),
    st.sampled_from([Operation("search"), Operation("flush"), Operation("reopen")]),
    st.sampled_from([Operation("drop"), Operation("reencode"), Operation("clear")]),
)


def apply(store: MilvusStore, operation: Operation, path: Path) -> MilvusStore:
    """Do one operation; reopening gives another store."""
    match operation.name:
        case "add":
            store.add(operation.argument, batch_size=3)  # type: ignore[arg-type]
        case "delete ids":
            store.delete(ids=operation.argument)  # type: ignore[arg-type]
        case "delete document":
            store.delete(document_id=operation.argument)  # type: ignore[arg-type]
        case "delete filter":
            store.delete(filter=F("n") == operation.argument)
        case "search":
            store.search("red house by the river")
        case "reencode":
            if store.exists():
                store.reencode_sparse()
        case "reopen":
            store.close()
            return MilvusStore(path)
        case other:
            getattr(store, other)()
    return store


def run_sequence(folder: Path, sequence: list[Operation]) -> None:
    """Run a sequence, then compare with a recount and with a store built afresh."""
    path = folder / "rows.db"
    store = MilvusStore(path)
    try:
        for operation in sequence:
            store = apply(store, operation, path)
        if not store.exists():
            return
        assert store.check() == []
        live = list(store.scroll())
        with MilvusStore(path, collection_name="fresh", overwrite=True) as fresh:
            if not live:
                assert store.search("red") == []
                return
            fresh.add(live)
            for each in (store, fresh):
                each.reencode_sparse()
            for query in ("red", "house boat", "the running river", "日本 näive red"):
                expected = {hit.id: hit.score for hit in fresh.search(query, k=10)}
                found = {hit.id: hit.score for hit in store.search(query, k=10)}
                assert found == pytest.approx(expected, rel=1e-5)
    finally:
        store.close()


def sequences(number: int) -> settings:
    """Settings for so many sequences, each in a folder of its own."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=number, deadline=None, suppress_health_check=checks)


@sequences(examples(8))
@given(sequence=st.lists(operations, min_size=3, max_size=15))
def test_statistics_equal_a_recount(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[Operation]
) -> None:
    """Adds, overwrites, every kind of deletion, drops, reopenings: counts and ranking are exact."""
    run_sequence(tmp_path_factory.mktemp("sequence"), sequence)


@pytest.mark.long
@sequences(examples(80))
@given(sequence=st.lists(operations, min_size=5, max_size=30))
def test_statistics_equal_a_recount_long(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[Operation]
) -> None:
    """The same, more often and longer."""
    run_sequence(tmp_path_factory.mktemp("sequence"), sequence)
