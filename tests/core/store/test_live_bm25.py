"""The store's own BM25: exact after any change, shared, explained, mended."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hybridge import BM25EmbeddingFunction, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.store.bm25 import reencoding, statistics_log
from hybridge.store.bm25.live import AVERAGED, LiveBM25

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


def bm25_of(store: MilvusStore) -> LiveBM25:
    """The BM25 of the field "sparse"."""
    opened = store._session.find()
    assert opened is not None
    return opened.bm25[0]


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
    [row] = collection.read(["7"], ["*"]).values()
    collection.upsert([dict(row) | {"text": "something else altogether"}])
    report = store.check()
    assert any("tokens are" in line and "rebuild_statistics()" in line for line in report)
    assert any("terms differ" in line for line in report)
    assert any("1 rows have sparse vectors" in line for line in report)
    store.rebuild_statistics()
    store.reencode_sparse()
    assert store.check() == []
    assert [hit.id for hit in store.search("altogether")] == ["7"]


@pytest.mark.on_a_path("where others write, a write that was cut short is told by its open row")
def test_counts_lost_in_a_crash_are_counted_again_on_opening(make_store: MakeStore) -> None:
    """Rows that were written without their counts are noticed, since their number differs."""
    store = make_store()
    store.add(Record(id=str(i), text=text) for i, text in enumerate(texts(20)))
    collection = store._session.collection()
    [row] = collection.connection.call("query", "hybridge", filter='id == "7"', output_fields=["*"])
    collection.upsert([dict(row) | {"id": "more"}])
    store.close()
    reopened = make_store()
    assert reopened.search("word1")
    assert reopened.check() == []


@pytest.mark.on_a_path("where others write, a write that was cut short is told by its open row")
def test_an_overwrite_cut_short_is_noticed_on_opening(make_store: MakeStore) -> None:
    """As many rows as before, but their mark is ahead of the counts: they are counted anew."""
    store = make_store()
    store.add(Record(id=str(i), text=text) for i, text in enumerate(texts(20)))
    collection = store._session.collection()
    [row] = collection.read(["7"], ["*"]).values()
    mark = f"path/{collection.shared.writes + 1}"
    collection.upsert([dict(row) | {"text": "something else altogether", "write": mark}])
    store.close()
    reopened = make_store()
    assert reopened.search("altogether") is not None
    assert not [line for line in reopened.check() if "statistics" in line]


def test_a_rebuild_is_the_first_thing_after_a_crash(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its counts follow the sum of those before the crash, which would cover them otherwise."""
    monkeypatch.setattr(statistics_log, "COMPACT_AT", 8)
    store = make_store()
    for i, text in enumerate(texts(20)):
        store.add([Record(id=str(i), text=text)])
    collection = store._session.collection()
    [row] = collection.read(["3"], ["*"]).values()
    collection.upsert([{**row, "id": "20"}])
    store.close()
    reopened = make_store()
    assert reopened.check() != []
    reopened.rebuild_statistics()
    assert reopened.check() == []


@pytest.mark.on_a_path("where others write, they may be reading what a sum covers")
def test_many_small_writes_are_compacted(make_store: MakeStore) -> None:
    """The log does not grow with the number of writes, and counts nothing twice."""
    store = make_store()
    for i, text in enumerate(texts(300)):
        store.add([Record(id=str(i % 200), text=text)])
    companion = store._session.collection().companion
    rows = store._session.collection().connection.call(
        "query", companion.name, filter='kind == "counts"', output_fields=["id"]
    )
    assert len(rows) <= statistics_log.COMPACT_AT
    assert store.check() == []
    store.close()
    assert make_store().check() == []


def test_an_interrupted_compaction_counts_nothing_twice(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were summed up but not yet deleted are not counted again, then or later."""
    store = make_store()
    for i, text in enumerate(texts(30)):
        store.add([Record(id=str(i), text=text)])
    companion = store._session.collection().companion
    kept = [row for row in companion.listing() if row["kind"] == "counts"]
    complete = companion.read([row["id"] for row in kept])
    monkeypatch.setattr(statistics_log, "COMPACT_AT", 8)
    store.add([Record(id="more", text="word1 word2")])  # sums up
    companion.upsert([dict(row) | {"kind": "counts"} for row in complete])
    store.close()
    for _ in range(2):  # the second time a sum covers the leavings of the first
        reopened = make_store()
        assert reopened.check() == []
        for i in range(12):
            reopened.add([Record(id=f"again{i}", text=f"word{i}")])
        assert reopened.check() == []
        reopened.close()


@pytest.mark.on_a_path("where others write, nothing is weighed anew by itself")
def test_few_by_few_ends_up_ranking_like_all_at_once(make_store: MakeStore) -> None:
    """However a collection was filled, the average length of its first 1,000 rows weighs it."""
    slow, fast = make_store(), make_store(collection_name="fast")
    documents = texts(AVERAGED + 100, low=1, high=12)
    records = [Record(id=str(i), text=text) for i, text in enumerate(documents)]
    for record in records[:100]:
        slow.add([record])
    for start in range(100, len(records), 10):
        slow.add(records[start : start + 10])
    fast.add(records)
    assert bm25_of(slow).state.average_length == bm25_of(fast).state.average_length
    for query in queries(20):
        first = {hit.id: hit.score for hit in slow.search(query, k=10)}
        second = {hit.id: hit.score for hit in fast.search(query, k=10)}
        assert first == second
    assert slow.check() == fast.check() == []


@pytest.mark.on_a_path("where others write, nothing is weighed anew by itself")
def test_a_young_collection_is_weighed_nearly_right(make_store: MakeStore) -> None:
    """Below 1,000 rows the average is that of more than a quarter of them."""
    slow, fast = make_store(), make_store(collection_name="fast")
    documents = texts(200)
    for i, text in enumerate(documents):
        slow.add([Record(id=str(i), text=text)])
    fast.add(Record(id=str(i), text=text) for i, text in enumerate(documents))
    for query in queries(20):
        first = {hit.id: hit.score for hit in slow.search(query, k=200)}
        second = {hit.id: hit.score for hit in fast.search(query, k=200)}
        assert first == pytest.approx(second, rel=0.05)
    assert slow.check() == []


@pytest.mark.parametrize("as_list", [True, False])
def test_no_row_of_one_call_is_written_twice(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, as_list: bool
) -> None:
    """The first 1,000 documents fix the average length, whatever the batch size."""
    store = make_store()
    short, long = texts(AVERAGED, low=1, high=3), texts(500, low=20, high=40)
    collection, written = store._session.collection(), []

    def counting(call: Callable[[list[Any]], None]) -> Callable[[list[Any]], None]:
        def count(rows: list[Any]) -> None:
            written.append(len(rows))
            call(rows)

        return count

    for name in ("upsert", "update"):
        monkeypatch.setattr(collection, name, counting(getattr(collection, name)))
    records = [Record(id=str(i), text=text) for i, text in enumerate(short + long)]
    store.add(records if as_list else iter(records), batch_size=100)
    store.search("word1")
    assert written == [100] * 15
    tokens = sum(len(text.split()) for text in short)
    assert bm25_of(store).state.average_length == tokens / AVERAGED
    assert store.check() == []


def test_the_average_length_may_be_given(make_store: MakeStore) -> None:
    """Then no document fixes it, and a reopened store keeps it."""
    store = make_store(average_length=7)
    store.add([Record(id=str(i), text=text) for i, text in enumerate(texts(300))])
    store.add([Record(id=f"more{i}", text=text) for i, text in enumerate(texts(300))])
    assert bm25_of(store).state.average_length == 7
    store.close()
    reopened = make_store()
    assert reopened.check() == []
    assert bm25_of(reopened).state.average_length == 7
    for wrong in (0, -1, "7", float("nan"), True):
        with pytest.raises(InvalidInputError, match="average_length"):
            make_store(average_length=wrong)


@pytest.mark.on_a_path("where others write, nothing is weighed anew by itself")
def test_a_small_collection_that_has_changed_is_weighed_anew(make_store: MakeStore) -> None:
    """Once it has doubled and its average length has moved by more than 15 %, not before."""
    store = make_store()
    store.add([Record(text="short text") for _ in range(AVERAGED)])
    store.add([Record(text="much longer text " * 4) for _ in range(AVERAGED - 1)])
    assert bm25_of(store).state.average_length == 2
    store.add([Record(text="much longer text " * 4)])
    assert bm25_of(store).state.average_length == 7
    assert store.check() == []


@pytest.mark.on_a_path("where others write, nothing is weighed anew by itself")
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
    assert bm25_of(store).drift > reencoding.MAX_DRIFT
    assert store.reencode_sparse() == 40
    assert bm25_of(store).drift == 0
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
    collection, bm25 = store._session.collection(), bm25_of(store)
    update, calls = collection.update, []

    def fail_at_the_third(changes: dict[str, Any], marks: dict[str, Any]) -> list[str]:
        calls.append(len(changes))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return update(changes, marks)

    monkeypatch.setattr(collection, "update", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        reencoding.reencode(bm25)
    store.close()
    reopened = make_store()
    assert any("sparse vectors of another average" in line for line in reopened.check())
    assert reopened.reencode_sparse() == 80
    assert reopened.check() == []


def test_a_word_in_every_document_finds_them_by_okapi(make_store: MakeStore) -> None:
    """Its idf is below 0 there, which Milvus refuses: it adds next to nothing instead."""
    store = make_store(sparse=BM25EmbeddingFunction("en", idf="okapi"))
    store.add(Record(id=str(n), text=f"common word{n}") for n in range(3))
    assert len(store.search("common", mode="sparse")) == 3
    assert store.search("common word1", mode="sparse", k=1)[0].id == "1"
