"""A collection that is made anew, or dropped, while it is used: answers are empty or good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from hybridge import F, MilvusStore, Record

MakeStore = Callable[..., MilvusStore]

ROWS = 20
SECONDS = 1.0


def records() -> list[Record]:
    """Rows of two words each, every other of which a filter selects."""
    return [
        Record(
            id=str(n),
            text=f"word{n} and more",
            metadata={"n": n, "owner": "acme"},
            dense=[1.0, float(n), 2.0],
        )
        for n in range(ROWS)
    ]


def reads(store: MilvusStore) -> dict[str, Callable[[], Any]]:
    """Calls that return nothing where there are no rows, and what they return otherwise."""
    few = F("n") < 10
    return {
        "search": lambda: [hit.id for hit in store.search("word1", vector=[1.0, 1.0, 2.0], k=1)],
        "BM25": lambda: [hit.id for hit in store.search("word3", mode="sparse")],
        "filtered": lambda: [hit.id for hit in store.search("word3", filter=few, mode="sparse")],
        "get": lambda: [record.id for record in store.get(["3"])],
        "count": lambda: store.count(few),
        "scroll": lambda: sorted(record.id for record in store.scroll(few)),
        "check": store.check,
    }


GOOD: dict[str, Any] = {
    "search": ["1"],
    "BM25": ["3"],
    "filtered": ["3"],
    "get": ["3"],
    "count": 10,
    "scroll": [str(n) for n in range(10)],
    "check": [],
}
NOTHING: dict[str, Any] = {name: 0 if name == "count" else [] for name in GOOD}


def anew(kind: str, store: MilvusStore, make_store: MakeStore) -> None:
    """Remove all rows, in one of the ways that there are."""
    if kind == "overwrite":
        make_store(collection_name=store.collection_name, overwrite=True).exists()
    else:
        getattr(store, kind)()


@pytest.mark.parametrize("kind", ["clear", "drop", "overwrite"])
@pytest.mark.parametrize("owner", [None, "owner"])
def test_reads_beside_it(kind: str, owner: str | None, make_store: MakeStore) -> None:
    """Each answer is that of the rows as they were, or that of none; rows come one batch at once.

    The batch is one upsert, so that an answer in between holds all rows or none; only counts read
    beside it may be a moment behind.
    """
    store = make_store(partition_key=owner)
    view = store if owner is None else store.for_tenant("acme")
    store.add(records())
    until, wrong = time.monotonic() + SECONDS, list[Any]()

    def read(name: str, call: Callable[[], Any]) -> None:
        while time.monotonic() < until:
            try:
                answer = call()
                if answer not in (GOOD[name], NOTHING[name]):
                    wrong.append((name, answer))
            except Exception as error:  # noqa: BLE001  # whatever is raised is wrong
                wrong.append((name, repr(error)))

    calls = reads(view)
    if kind != "clear":
        del calls["check"]  # of a collection that is not there, it says that it cannot
    threads = [threading.Thread(target=read, args=one) for one in calls.items()]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        anew(kind, store, make_store)
        store.add(records())
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.count() == ROWS
    assert view.check() == []


@pytest.mark.parametrize("kind", ["clear", "drop"])
def test_writes_beside_it(kind: str, make_store: MakeStore) -> None:
    """No write fails, and what came after the last time is there, and counted."""
    store = make_store()
    store.add(records())
    until, wrong = time.monotonic() + SECONDS, list[str]()

    def write(name: str) -> None:
        while time.monotonic() < until:
            try:
                store.add([Record(id=name, text=f"{name} word", dense=[1.0, 2.0, 3.0])])
                store.delete(filter=F("n") == 3)
                store.update([name], metadata={"n": 3})
            except Exception as error:  # noqa: BLE001  # whatever is raised is wrong
                wrong.append(repr(error))

    threads = [threading.Thread(target=write, args=(f"writer{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        anew(kind, store, make_store)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert wrong == []
    store.add(records())
    assert store.count() >= ROWS
    assert store.check() == []
