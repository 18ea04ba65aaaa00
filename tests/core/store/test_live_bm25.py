"""The store's own BM25: exact after any change, shared, explained, mended."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.store import reencoding, statistics_log

MakeStore = Callable[..., MilvusStore]

WORDS = [f"word{i}" for i in range(300)]


def texts(count: int, seed: int = 1, low: int = 3, high: int = 60) -> list[str]:
    """Random texts of very different lengths, over words of very different frequencies."""
    rng = random.Random(seed)
    weights = [1 / (i + 1) for i in range(len(WORDS))]
    return [" ".join(rng.choices(WORDS, weights, k=rng.randint(low, high))) for _ in range(count)]


def queries(count: int) -> list[str]:
    """Random queries over the same words."""
    return texts(count, seed=2, low=1, high=4)


def test_the_sum_of_the_explanation_is_the_score(store: MilvusStore) -> None:
    """Each matching term comes with what it adds; terms that do not match are left out."""
    store.add(
        [
            Record(id="a", text="red houses stand by the red river"),
            Record(id="b", text="a blue boat"),
        ]
    )
    [hit] = store.search("the red house and a river crossing")
    explanation = store.explain("the red house and a river crossing", hit.id)
    assert list(explanation) == sorted(explanation, key=lambda term: -explanation[term])
    assert set(explanation) == {"red", "hous", "river"}
    assert sum(explanation.values()) == pytest.approx(hit.scores["sparse"].score, rel=1e-5)
    with pytest.raises(InvalidInputError, match="no row 'c'"):
        store.explain("red", "c")


def test_a_store_without_its_own_bm25_has_nothing_to_check(make_store: MakeStore) -> None:
    """The error says so."""
    store = make_store(sparse=None)
    store.add([Record(text="x", dense=np.ones(3))])
    for call in (store.check, store.rebuild_statistics, store.reencode_sparse):
        with pytest.raises(InvalidInputError, match="no BM25 of its own"):
            call()


def test_check_finds_and_rebuild_mends_lost_counts(make_store: MakeStore) -> None:
    """An overwrite whose counts were lost is reported with what mends it."""
    store = make_store()
    store.add(Record(id=str(i), text=text) for i, text in enumerate(texts(50)))
    assert store.check() == []
    collection = store._session.collection()
    [row] = collection.connection.call("query", "hybridge", filter='id == "7"', output_fields=["*"])
    collection.upsert([dict(row) | {"text": "something else altogether"}])
    report = store.check()
    assert any("tokens are" in line and "rebuild_statistics()" in line for line in report)
    assert any("terms differ" in line for line in report)
    assert any("1 rows have sparse vectors" in line for line in report)
    store.rebuild_statistics()
    store.reencode_sparse()
    assert store.check() == []
    assert [hit.id for hit in store.search("altogether")] == ["7"]


def test_counts_lost_in_a_crash_are_counted_again_on_opening(make_store: MakeStore) -> None:
    """Rows that were written without their counts are noticed, since their number differs."""
    store = make_store()
    store.add(Record(id=str(i), text=text) for i, text in enumerate(texts(20)))
    connection = store._session.collection().connection
    connection.call("delete", store.collection_name, filter='id in ["3", "4"]')
    store.close()
    reopened = make_store()
    assert reopened.search("word1")
    assert reopened.check() == []


def test_many_small_writes_are_compacted(make_store: MakeStore) -> None:
    """The log does not grow with the number of writes, and counts nothing twice."""
    store = make_store()
    for i, text in enumerate(texts(300)):
        store.add([Record(id=str(i % 200), text=text)])
    companion = store._session.collection().companion
    rows = store._session.collection().connection.call(
        "query", companion, filter='kind == "counts"', output_fields=["id"]
    )
    assert len(rows) <= statistics_log._COMPACT_AT
    assert store.check() == []
    store.close()
    assert make_store().check() == []


def test_an_interrupted_compaction_counts_nothing_twice(make_store: MakeStore) -> None:
    """Rows that were summed up but not yet deleted are not counted again, then or later."""
    store = make_store()
    for i, text in enumerate(texts(30)):
        store.add([Record(id=str(i), text=text)])
    log = store._bm25(store._session.look())._log
    before = log.read()
    kept = log._rows()
    log.replace(before)
    connection, companion = (
        store._session.collection().connection,
        store._session.collection().companion,
    )
    connection.call("upsert", companion, data=[dict(row) | {"kind": "counts"} for row in kept])
    assert log.read() == before
    log.replace(log.read())  # a second compaction, which the first one's leavings must survive
    assert log.read() == before
    assert store.check() == []


def test_one_by_one_ends_up_ranking_like_all_at_once(make_store: MakeStore) -> None:
    """However a small collection was filled, it is weighed by its true average length."""
    slow, fast = make_store(), make_store(collection_name="fast")
    documents = texts(400)
    for i, text in enumerate(documents):
        slow.add([Record(id=str(i), text=text)])
    fast.add(Record(id=str(i), text=text) for i, text in enumerate(documents))
    for query in queries(60):
        first = {hit.id: hit.score for hit in slow.search(query, k=10)}
        second = {hit.id: hit.score for hit in fast.search(query, k=10)}
        assert first == pytest.approx(second, rel=1e-5)
    assert slow.check() == []


def test_a_large_collection_reports_its_drift(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Above the documented size nothing is rewritten by itself; the warning names the method."""
    monkeypatch.setattr(reencoding, "SMALL", 10)
    store = make_store()
    store.add([Record(id=str(i), text="short text") for i in range(20)])
    store.add([Record(id=f"long{i}", text="long text " * 30) for i in range(20)])
    store.search("text")
    store.search("text")
    assert caplog.text.count("reencode_sparse()") == 1
    assert store._bm25(store._session.look()).drift > reencoding.MAX_DRIFT
    assert store.reencode_sparse() == 40
    assert store._bm25(store._session.look()).drift == 0
    assert store.check() == []


def test_an_interrupted_reencoding_goes_on(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is kept; the rest follows at the next call, also after reopening."""
    monkeypatch.setattr(reencoding, "SMALL", 0)
    monkeypatch.setattr(reencoding, "_BATCH", 10)
    store = make_store()
    store.add([Record(id=f"{i:02}", text="a short text" + " long text" * i) for i in range(50)])
    store.add([Record(id=f"x{i:02}", text="long text " * 40) for i in range(50)])
    collection, bm25 = store._session.collection(), store._bm25(store._session.look())
    update, calls = collection.update, []

    def fail_at_the_third(rows: list[dict[str, object]]) -> None:
        calls.append(len(rows))
        if len(calls) == 3:
            raise KeyboardInterrupt
        update(rows)

    monkeypatch.setattr(collection, "update", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        reencoding.reencode(collection, bm25)
    store.close()
    reopened = make_store()
    assert any("sparse vectors of another average" in line for line in reopened.check())
    assert reopened.reencode_sparse() == 80
    assert reopened.check() == []
