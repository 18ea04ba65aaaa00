"""A store behind a relay that imposes what a Milvus server imposes and Milvus Lite does not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pymilvus import MilvusClient

from hybridge import DenseField, F, MilvusStore, Record
from hybridge.errors import (
    StoreConnectionError,
    StoreOverloadedError,
    StorePermissionError,
)
from hybridge.store.bm25 import statistics_log
from support.engines import servers_over_lite
from support.relay import (
    MIB,
    Answer,
    Call,
    HeldWrites,
    Rule,
    Silence,
    busy,
    flushes_apart,
    imposed,
    is_milvus,
    messages_within,
    pages_of,
    read_only,
    relay,
)

Behind = Callable[..., MilvusStore]


@pytest.fixture
def behind(lite_server: str, collection_name: str) -> Iterator[Behind]:
    """Makes stores of one collection, each behind a relay of its own with some rules."""
    with ExitStack() as left:
        left.enter_context(servers_over_lite())

        def make(*rules: Rule, **arguments: object) -> MilvusStore:
            uri = left.enter_context(relay(lite_server, *rules)).uri
            return left.enter_context(
                MilvusStore(uri, collection_name=collection_name, **arguments)  # type: ignore[arg-type]
            )

        yield make


def large_records(count: int) -> Iterator[Record]:
    """Records of 64 to 190 kB: a text, a context and metadata, each within its own limit."""
    rng = random.Random(count)
    for number in range(count):
        size = rng.randrange(64_000, 190_000) // 3
        part = f"{number:06} " * (size // 7)
        yield Record(
            id=f"{number:06}", text=part, context=part, metadata={"part": part}, dense=[1, number]
        )


# --- reads that see what was written -------------------------------------------------------------


def stale_reads(store: MilvusStore, count: int) -> int:
    """Return how many of so many reads missed what the store had just written."""
    stale = 0
    for number in range(0, count, 5):
        one = f"{number}"
        store.add([Record(id=one, text=f"word{number}", document_id="d")])
        stale += [record.id for record in store.get([one])] != [one]
        store.add([Record(id=one, text=f"other{number}")])
        stale += [record.document_id for record in store.scroll(F("n") != number)][-1:] != ["d"]
        stale += [hit.id for hit in store.search(f"other{number}", mode="sparse")] != [one]
        stale += store.delete([one]) != 1
        stale += store.count() != 0
    return stale


def test_reads_see_the_stores_own_writes(behind: Behind) -> None:
    """Though a read that carries no timestamp of them does not, for as long as they travel."""
    store = behind(HeldWrites(seconds=60))
    assert stale_reads(store, 50) == 0
    store.add([Record(id="a", text="a word")])
    client = MilvusClient(store.address.uri)
    asked = {"filter": 'id == "a"', "output_fields": ["id"]}
    name = store.collection_name
    assert client.query(name, consistency_level="Eventually", **asked) == []
    assert len(store.get(["a"])) == 1
    assert len(client.query(name, consistency_level="Eventually", **asked)) == 1


@pytest.mark.long
def test_no_read_of_500_is_stale(behind: Behind) -> None:
    """Get, overwrite, scroll, search, delete and count, each right after a write."""
    assert stale_reads(behind(HeldWrites()), 500) == 0


def test_a_short_page_is_not_the_last(behind: Behind) -> None:
    """A server ends a page where one of its segments ends, which is not where the rows end."""
    store = behind(pages_of(7))
    store.add([Record(id=f"{number:02}", text=f"word{number}") for number in range(40)])
    assert [record.id for record in store.scroll()] == [f"{number:02}" for number in range(40)]
    assert store.check() == []


# --- who may only read ---------------------------------------------------------------------------


def test_a_role_that_may_only_read_can_read(behind: Behind, lite_server: str) -> None:
    """Search in every mode, get, count, scroll and check work, and nothing is written."""
    fields = {"title": DenseField(source=None, dim=2)}
    writer = behind(fields=fields, dim=2)
    writer.add(
        Record(
            id=f"{i}",
            text=f"word{i} parrot",
            metadata={"n": i},
            dense=[1, i],
            vectors={"title": [i, 1]},
        )
        for i in range(40)
    )
    writer.flush()
    called: list[str] = []

    def noted(call: Call, answer: Answer) -> bytes:
        called.append(call.name)
        return answer(call)

    store = behind(noted, read_only)
    vectors = {"dense": [1, 3], "title": [1, 3]}
    for mode in ("dense", "sparse", "hybrid", "title", ["title", "sparse"]):
        assert len(store.search("word3 parrot", vector=vectors, mode=mode, k=5)) == 5
    assert [hit.id for hit in store.search("parrot", filter=F("n") == 7, mode="sparse")] == ["7"]
    assert [record.id for record in store.get(["3", "4"])] == ["3", "4"]
    assert (store.count(), store.count(F("n") < 5)) == (40, 5)
    assert len(list(store.scroll())) == 40
    assert store.check() == []
    reads = {"DescribeCollection", "DescribeIndex", "Query", "Search"}
    assert set(called) <= {"Connect", "GetVersion", *reads}
    with pytest.raises(StorePermissionError, match="grant the privilege"):
        store.add([Record(id="x", text="x", dense=[1, 1], vectors={"title": [1, 1]})])
    with pytest.raises(StorePermissionError, match="grant the privilege"):
        store.delete(["3"])
    assert writer.count() == 40
    assert writer.check() == []


# --- messages ------------------------------------------------------------------------------------


def passes_in_and_out(store: MilvusStore, count: int) -> None:
    """Write so many large rows and read them back in every way."""
    ids = store.add(large_records(count))
    expected = list(large_records(count))
    for records in (store.get(ids), list(store.scroll())):
        assert [record.id for record in records] == ids
        assert all(
            (got.text, got.context, got.metadata) == (put.text, put.context, put.metadata)
            for got, put in zip(records, expected, strict=True)
        )
    assert {hit.id for hit in store.search(vector=[1, 0], k=count)} == set(ids)
    assert store.count(F("part") == expected[3].metadata["part"]) == 1
    assert store.delete(ids[::2]) == len(ids[::2])
    assert store.count() == count - len(ids[::2])


def test_large_rows_pass_in_messages_that_fit(behind: Behind) -> None:
    """Rows of 64 to 190 kB through messages of 2 MiB, in and out."""
    passes_in_and_out(behind(messages_within(2 * MIB), sparse=None), 100)


@pytest.mark.long
def test_a_thousand_large_rows_pass(behind: Behind) -> None:
    """Some 130 MB through messages of 64 MiB."""
    passes_in_and_out(behind(messages_within(), sparse=None), 1000)


@pytest.mark.long
def test_twenty_thousand_rows_are_complete(behind: Behind) -> None:
    """However they are read, all of them come once."""
    store = behind(*imposed())
    ids = store.add(Record(id=f"{i:05}", text=f"word{i} parrot") for i in range(20_000))
    assert store.count() == 20_000
    assert [record.id for record in store.scroll()] == ids
    assert [record.id for record in store.get(ids)] == ids
    assert store.count(F("n").is_empty()) == 20_000
    assert store.check() == []


# --- a server at its limits ----------------------------------------------------------------------


def test_rate_limits_are_waited_for(behind: Behind) -> None:
    """A call that is refused for its rate is made again, and nothing is lost or doubled."""
    store = behind(busy(every=3), is_milvus("v2.5.4"))
    for number in range(10):
        store.add(Record(id=f"{number}-{i}", text=f"word{i}") for i in range(5))
        assert len(store.search("word3", k=50, mode="sparse")) == number + 1
    assert store.delete(["0-0", "1-1"]) == 2
    assert len(list(store.scroll())) == store.count() == 48
    assert store.check() == []


def test_a_flush_that_comes_too_soon_waits(behind: Behind) -> None:
    """The next one is made when the server lets it."""
    store = behind(flushes_apart(seconds=0.5))
    store.add([Record(id="a", text="a word")])
    store.flush()
    store.flush()
    store.add([Record(id="b", text="a word")])
    assert store.count() == 2


def test_a_flush_that_is_refused_breaks_nothing(behind: Behind) -> None:
    """What was acknowledged is in the server's log, so writing goes on."""

    def full(call: Call, answer: Answer) -> bytes:
        return (
            call.refused(9, "quota exceeded, force to deny")
            if call.name == "Flush"
            else answer(call)
        )

    store = behind(full)
    store.add([Record(id="a", text="a word")])
    with pytest.raises(StoreOverloadedError, match="call again later"):
        store.flush()
    store.add([Record(id="b", text="a word")])
    assert store.check() == []
    assert store.count() == 2


def test_an_add_whose_answer_never_comes_ends_and_is_settled(
    behind: Behind, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes within the limit; the rows came through, and later count for all."""
    monkeypatch.setattr(statistics_log, "SETTLED_AFTER", 0.5)

    def writes_rows(call: Call) -> bool:
        return call.name == "Upsert" and call.request.collection_name == collection_name

    silence = Silence(writes_rows)
    store = behind(silence, timeout=2)
    store.add([Record(id="a", text="a word")])
    silence.begun.set()
    with pytest.raises(StoreConnectionError, match="within 2 s"):
        store.add([Record(id="b", text="a parrot")])
    silence.begun.clear()
    reader = behind()
    assert {record.id for record in reader.scroll()} == {"a", "b"}
    assert len(reader.search("parrot", mode="sparse")) == 1
    store.add([Record(id="c", text="a third word")])
    for one in (reader, store):
        assert one.check() == []


# --- a server before 2.6 -------------------------------------------------------------------------


def drifted(store: MilvusStore) -> None:
    """Add rows whose average length is not that of the first ones."""
    store.add([Record(id="0", text="one", dense=[1, 0])])
    store.add(
        Record(
            id=f"{i}",
            text="two words " * i,
            dense=[i, 1],
            context=f"context {i}",
            document_id="d",
            metadata={"n": i},
            extra={"some": [i]},
        )
        for i in range(1, 30)
    )


def test_rows_are_written_whole_where_parts_cannot_be(behind: Behind) -> None:
    """Weighing anew changes the sparse vectors and nothing else."""
    store = behind(is_milvus("v2.5.4"), metadata_schema={"n": int})
    drifted(store)
    assert not store._session.collection().dialect.engine.partial_upserts
    before = list(store.scroll(with_vectors=True))
    assert store.reencode_sparse() == 30
    after = list(store.scroll(with_vectors=True))
    assert [record.sparse for record in before] != [record.sparse for record in after]
    assert [record.with_vectors({"dense": record.dense}) for record in before] == [
        record.with_vectors({"dense": record.dense}) for record in after
    ]
    assert store.count(F("n") > 20) == 9
    assert store.check() == []


@pytest.mark.parametrize("version", ["v2.5.4", "v2.6.4"])
def test_a_row_that_changes_meanwhile_is_not_written_back(behind: Behind, version: str) -> None:
    """Between a read and a write another process overwrites one row and deletes another."""
    other = behind()
    done: list[str] = []

    def meanwhile(call: Call, answer: Answer) -> bytes:
        if not done and call.name == "Query" and "metadata" in call.request.output_fields:
            answered = answer(call)
            done.append(call.name)
            other.add([Record(id="7", text="quite another text", dense=[5, 5])])
            other.delete(["8"])
            return answered
        return answer(call)

    drifted(other)
    store = behind(meanwhile, is_milvus(version))
    assert store.reencode_sparse() == 29
    assert done
    assert [record.text for record in store.get(["7", "8"])] == ["quite another text"]
    assert store.check() == []


def test_a_row_that_changes_at_the_last_moment_is_weighed_again(behind: Behind) -> None:
    """Another process overwrites it after its mark was read, just before its vector arrives."""
    other = behind()
    texts = iter(["quite another text", "and once more another one"])

    def overtaken(call: Call, answer: Answer) -> bytes:
        if call.name == "Upsert" and call.request.partial_update:
            text = next(texts, None)
            if text is not None:
                other.add([Record(id="7", text=text, dense=[5, 5])])
        return answer(call)

    drifted(other)
    store = behind(overtaken, is_milvus("v2.6.4"))
    assert store.reencode_sparse() == 30
    assert [record.text for record in store.get(["7"])] == ["and once more another one"]
    assert store.check() == []
