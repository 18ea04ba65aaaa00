"""Rows in and out of a real server: fresh, complete, and however large.

`HYBRIDGE_TEST_FULL=1` runs the figures that the bars name, else a part of each.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from hybridge import F, MilvusStore, Record

FULL = "HYBRIDGE_TEST_FULL" in os.environ

MakeStore = Callable[..., MilvusStore]


def record(number: int, text: str = "a text") -> Record:
    """A record whose id is its number."""
    metadata = {"number": number, "even": number % 2 == 0}
    return Record(id=f"{number:05}", text=text, dense=[number % 17, 1], metadata=metadata)


def test_a_store_reads_its_own_writes(make_store: MakeStore) -> None:
    """At once, each time: by id, by filter, by search, after an overwrite and after a deletion."""
    store = make_store(sparse=None)
    there: set[str] = set()
    for number in range(500 if FULL else 50):
        row = Record(id=f"r{number % 7}", text=f"text {number}", dense=[number, 1])
        store.add([row])
        there.add(str(row.id))
        assert [one.text for one in store.get([str(row.id)])] == [row.text]
        [found] = [one for one in store.scroll() if one.id == row.id]
        assert found.text == row.text
        assert row.text in [hit.text for hit in store.search(vector=[number, 1], k=7)]
        if number % 5 == 4:
            assert store.delete([str(row.id)]) == 1
            assert store.get([str(row.id)]) == []
            there.remove(str(row.id))
        assert {one.id for one in store.scroll()} == there
        assert store.count() == len(there)


def test_many_rows_are_complete(make_store: MakeStore) -> None:
    """Counted, scrolled, read by id, found by filter, and three of four deleted."""
    rows, deleted = (20_000, 15_000) if FULL else (5_000, 3_750)
    store = make_store(sparse=None, metadata_schema={"number": int})
    store.add(map(record, range(rows)), batch_size=1000)
    ids = [f"{number:05}" for number in range(rows)]
    assert store.count() == rows
    assert [one.id for one in store.scroll()] == ids
    assert [one.id for one in store.get(ids[::-1])] == ids[::-1]
    assert store.count(F("even") == True) == rows // 2  # noqa: E712
    assert store.delete(filter=F("number") < deleted) == deleted
    assert store.count() == rows - deleted
    assert [one.id for one in store.scroll(F("even") == False)] == ids[deleted + 1 :: 2]  # noqa: E712


def test_pages_are_complete_whatever_is_flushed(make_store: MakeStore) -> None:
    """A page ends where a segment of the server ends, which is not where the rows end."""
    store = make_store(sparse=None)
    for start in range(4):
        store.add(map(record, range(start, 40, 4)))
        if start % 2 == 0:
            store.flush()
    assert [one.id for one in store.scroll()] == [f"{number:05}" for number in range(40)]
    assert store.delete(filter=F("number") >= 10) == 30


@pytest.mark.parametrize("kilobytes", [64, 190])
def test_large_rows_pass_in_messages_that_fit(make_store: MakeStore, kilobytes: int) -> None:
    """A message has 64 MiB at most, an answer 100 MB; a batch, a page and a read have more."""
    store = make_store(sparse=None)
    store.add([record(0)])
    rows = 1000 if FULL else 700
    filling = "x" * 63_000
    more = {"context": filling, "extra": {"filling": filling}} if kilobytes > 64 else {}
    store.add(
        (
            Record(id=f"{number:05}", text=f"{number} {filling}", dense=[1, 1], **more)
            for number in range(rows)
        ),
        batch_size=rows,
    )
    ids = [f"{number:05}" for number in range(rows)]
    assert [one.text.split()[0] for one in store.get(ids)] == [str(n) for n in range(rows)]
    assert sum(len(one.text) > 63_000 for one in store.scroll()) == rows
    store.add([Record(id=one, text="short", dense=[1, 1]) for one in ids], batch_size=rows)
    assert {one.context for one in store.get(ids)} == {more.get("context")}
    assert store.delete(ids) == rows
    assert store.count() == 0
