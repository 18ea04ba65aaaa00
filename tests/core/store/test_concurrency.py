"""Threads, event loops, flushing and closing at once: nothing is lost and nothing hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hybridge import F, MilvusStore, Record
from hybridge.errors import StoreClosedError
from hybridge.store.engine import shared
from hybridge.store.engine.gate import Gate
from support.word_function import WordFunction

MakeStore = Callable[..., MilvusStore]


def test_concurrent_writers_lose_nothing(make_store: MakeStore) -> None:
    """Two stores, several threads, flushes in between: all acknowledged rows are there."""
    stores = [make_store(), make_store()]

    def write(worker: int) -> None:
        store = stores[worker % 2]
        for batch in range(10):
            store.add(
                Record(id=f"{worker}-{batch}-{i}", text=f"word{i} of {worker}") for i in range(20)
            )
            if batch % 3 == worker % 3:
                store.flush()
        store.delete(ids=[f"{worker}-0-{i}" for i in range(20)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert stores[0].count() == 6 * 9 * 20
    for store in stores:
        store.close()
    reopened = make_store()
    assert sum(1 for _ in reopened.scroll()) == 6 * 9 * 20
    [hit] = reopened.search("word3", k=1)
    expected = make_store(collection_name="fresh")
    expected.add(reopened.scroll())
    assert hit.score == pytest.approx(expected.search("word3", k=1)[0].score, rel=2e-3)


def test_many_event_loops_one_store(store: MilvusStore) -> None:
    """asyncio.run again and again, in any thread, on one store."""
    store.add([Record(id=str(i), text=f"word {i}") for i in range(50)])

    async def ask() -> list[str]:
        answers = await asyncio.gather(*(store.asearch(f"word {i}", k=1) for i in range(20)))
        return [hits[0].id for hits in answers]

    expected = [str(i) for i in range(20)]
    assert asyncio.run(ask()) == expected
    assert asyncio.run(ask()) == expected
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: asyncio.run(ask()), range(3))) == [expected] * 3


async def test_the_loop_goes_on_while_the_store_works(store: MilvusStore) -> None:
    """A long call does not hold the event loop."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await store.aadd([Record(text=f"row {i}") for i in range(2000)])
    ticking.cancel()
    assert ticks > 10


def test_closing_does_not_wait_for_its_own_call(make_store: MakeStore) -> None:
    """A `__del__`, a handler of a signal or a function may close in the middle of a call."""

    class Closing(WordFunction):
        close = staticmethod(lambda: None)

        def encode_queries(self, queries: Sequence[str]) -> Any:
            self.close()
            return super().encode_queries(queries)

    function = Closing()
    store = make_store(dense=function)
    store.add([Record(id="a", text="fox")])
    function.close = store.close
    with pytest.raises(StoreClosedError, match="was closed during this call"):
        store.search("fox")
    assert make_store().count() == 1


def test_closing_waits_for_the_calls_under_way(store: MilvusStore) -> None:
    """Every search either finishes or says closed; none crashes."""
    store.add([Record(id=str(i), text=f"word {i}") for i in range(500)])
    outcomes: list[str] = []
    started = threading.Barrier(9)

    def search() -> None:
        started.wait()
        for _ in range(50):
            try:
                outcomes.append("found" if store.search("word", k=1) else "nothing")
            except StoreClosedError:
                outcomes.append("closed")

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    started.wait()
    store.close()
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {"found", "closed"}
    assert len(outcomes) == 400


@pytest.mark.on_a_path("a server hides nothing while it flushes")
def test_a_read_beside_a_flush_sees_the_rows_as_they_are(make_store: MakeStore) -> None:
    """None is missing and none is back: Milvus Lite itself reads wrong for that moment."""
    store, ended = make_store(metadata_schema={"mine": bool}), threading.Event()

    def flush_often() -> None:
        while not ended.is_set():
            store.add([Record(id=f"other {i}", text="theirs") for i in range(100)])
            store.flush()

    other = threading.Thread(target=flush_often)
    other.start()
    try:
        for turn in range(20):
            store.add([Record(id=str(i), text="mine", metadata={"mine": True}) for i in range(50)])
            store.delete([str(i) for i in range(turn)])
            found = [store.count(F("mine") == True) for _ in range(6)]  # noqa: E712
            assert found == [50 - turn] * 6
            assert len(store.get([str(i) for i in range(50)])) == 50 - turn
    finally:
        ended.set()
        other.join()


def test_a_call_within_a_call_waits_for_nobody() -> None:
    """A `__del__` that closes a store on the same path may run in any call, a flush waiting."""
    gate, began, ended = Gate(), threading.Event(), threading.Event()

    def go_alone() -> None:
        began.set()
        with gate.passed(alone=True):
            ended.set()

    other = threading.Thread(target=go_alone)
    with gate.passed(alone=False):
        other.start()
        began.wait()
        with gate.passed(alone=False), gate.passed(alone=True):
            assert not ended.is_set()
    other.join()
    assert ended.is_set()
    with gate.passed(alone=True), gate.passed(alone=False):
        pass


@pytest.mark.on_a_path("a server flushes by itself")
def test_a_read_by_the_engine_flushes_when_many_rows_wait(make_store: MakeStore) -> None:
    """100 waiting rows are flushed by the next read, fewer are not, and a write never flushes."""
    store = make_store(in_process_search=False)
    store.add([Record(text="row 1")])
    state = store._session.collection().shared
    store.search("row")
    assert state.waiting == 0
    store.add([Record(text=f"row {i}") for i in range(99)])
    store.search("row")
    assert state.waiting == 99
    store.add([Record(text="row 100")])
    assert state.waiting == 100
    store.search("row")
    assert state.waiting == 0


@pytest.mark.on_a_path("a server flushes by itself")
def test_a_read_in_this_process_leaves_the_flush_to_the_next_write(make_store: MakeStore) -> None:
    """100 waiting rows are searched as they are, and flushed by the write that follows."""
    store = make_store()
    store.add([Record(id=str(i), text=f"row {i}") for i in range(100)])
    state = store._session.collection().shared
    assert [hit.id for hit in store.search("99", k=1)] == ["99"]
    assert state.waiting == 200
    store.add([Record(text="row 100")])
    assert state.waiting == 1
    store.search("row")
    store.add([Record(text="row 101")])
    assert state.waiting == 2


@pytest.mark.on_a_path("a server flushes by itself")
def test_a_read_in_this_process_flushes_very_many_rows(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would be kept twice in memory is flushed before it is read."""
    monkeypatch.setattr(shared, "FLUSH_THRESHOLD_HERE", 150)
    store = make_store()
    store.add([Record(text=f"row {i}") for i in range(100)])
    store.search("row")
    assert store._session.collection().shared.waiting == 0
