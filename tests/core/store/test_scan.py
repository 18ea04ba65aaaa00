"""A scan that is kept for the next filter never outlives the rows that it is of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge import F, MilvusStore, Record
from hybridge.store import selection
from hybridge.store.engine.shared import Scan
from support.examples import examples

MakeStore = Callable[..., MilvusStore]
EVEN = F("even") == True  # noqa: E712  # a filter, not a truth value


@pytest.fixture
def make_store(make_store: MakeStore) -> MakeStore:
    """Makes stores that the engine searches: how deep it is asked to is what this is about."""
    return partial(make_store, in_process_search=False)


def record(number: int, even: bool) -> Record:
    """A row whose metadata key `even` is no column."""
    return Record(id=str(number), text=f"word {number}", metadata={"even": even})


@pytest.fixture(scope="module")
def two_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MilvusStore]]:
    """Two stores of one collection in one process."""
    path = Path(tmp_path_factory.mktemp("scan"), "scan.db")
    stores = [MilvusStore(path), MilvusStore(path)]
    yield stores
    for store in stores:
        store.close()


def kept(store: MilvusStore) -> Scan | None:
    """The scan that is kept, if it still holds."""
    shared = store._session.collection().shared
    found = shared.scanned
    return found if found is not None and found.version == shared.version else None


numbers = st.integers(0, 9)
changes = st.one_of(
    st.tuples(st.just("add"), st.lists(st.tuples(numbers, st.booleans()), max_size=5)),
    st.tuples(st.just("delete"), st.lists(numbers, max_size=3)),
    st.tuples(st.just("delete even"), st.none()),
    st.tuples(st.just("clear"), st.none()),
    st.tuples(st.just("drop"), st.none()),
)


@settings(max_examples=examples(15))
@given(history=st.lists(st.tuples(st.integers(0, 1), changes), max_size=8))
def test_a_filter_sees_every_change_at_once(
    two_stores: list[MilvusStore], history: list[tuple[int, tuple[str, object]]]
) -> None:
    """Whichever store adds, overwrites, deletes, clears or drops, both find the same rows next."""
    two_stores[0].drop()
    rows: dict[str, bool] = {}
    for place, (change, argument) in history:
        store = two_stores[place]
        if change == "add":
            pairs: list[tuple[int, bool]] = argument  # type: ignore[assignment]
            store.add(record(*pair) for pair in pairs)
            rows |= {str(number): even for number, even in pairs}
        elif change == "delete":
            ids = [str(number) for number in argument]  # type: ignore[attr-defined]
            store.delete(ids)
            rows = {row_id: even for row_id, even in rows.items() if row_id not in ids}
        elif change == "delete even":
            store.delete(filter=EVEN)
            rows = {row_id: even for row_id, even in rows.items() if not even}
        else:
            store.clear() if change == "clear" else store.drop()
            rows = {}
        expected = {row_id for row_id, even in rows.items() if even}
        for either in two_stores:
            assert {found.id for found in either.get(filter=EVEN)} == expected
            assert either.count(EVEN) == len(expected)


def test_a_scan_is_kept_until_the_next_write(make_store: MakeStore) -> None:
    """The second filter reads nothing anew; a write, even of other rows, ends that."""
    store = make_store()
    store.add([record(1, True), record(2, False)])
    assert store.count(EVEN) == 1
    first = kept(store)
    assert first is not None
    assert store.count(~EVEN) == 1
    assert kept(store) is first
    store.add([record(3, True)])
    assert kept(store) is None
    assert store.count(EVEN) == 2


def test_a_scan_that_a_write_overtakes_is_not_kept(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began before the write and ended after it: the next filter finds what was written."""
    store = make_store()
    store.add([record(1, True)])
    collection = store._session.collection()
    select = collection.select

    def select_and_write(expression: str, columns: Sequence[str]) -> Iterator[Any]:
        yield from select(expression, columns)
        monkeypatch.undo()
        store.add([record(2, True)])

    monkeypatch.setattr(collection, "select", select_and_write)
    assert store.count(EVEN) == 1
    assert kept(store) is None
    assert store.count(EVEN) == 2


def test_a_large_collection_is_not_kept(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above `MOST_ROWS` memory does not grow with the collection; the answer is the same."""
    monkeypatch.setattr(selection, "MOST_ROWS", 9)
    store = make_store()
    store.add(record(number, number % 2 == 0) for number in range(10))
    assert store.count(EVEN) == 5
    assert kept(store) is None


def test_a_server_is_asked_anew(
    make_store: MakeStore, lite_server: str, collection_name: str
) -> None:
    """Others may write to it, so nothing is kept."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add([record(1, True)])
    assert store.count(EVEN) == 1
    assert kept(store) is None
    store.drop()


def test_filters_beside_a_writer(make_store: MakeStore) -> None:
    """What a write has acknowledged, the next filter finds, however many read meanwhile."""
    store = make_store()
    store.add([record(-1, False)])
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            store.count(EVEN)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        counts = []
        for number in range(25):
            store.add([record(number, True)])
            counts.append(store.count(EVEN))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert counts == list(range(1, 26))
