"""The server's half of the dialect, over a `milvus-lite server` or a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from hybridge import F, MilvusStore, Record
from hybridge.store.engine import dialect
from support.engines import servers_over_lite
from support.relay import imposed, relay

IS_REAL = "HYBRIDGE_TEST_URI" in os.environ

HOSTILE = [
    "C:\\new\\table.txt", "a\\x41", 'x" or id != "', 'say "hi"', "C:\\Users\\x", "\\", "it's",
    "tab\there", "new\nline", "nul\0x", "é漢😀", "\\\\server\\share", "notes\\archive\\2024.md",
    '"', "'", "%", "_", "a%b", '" and id != "', "\\\"", "\\'", "id", "null", "true", "[1]", "{}",
    "$meta", "a]", 'a"]', "\r", "\x7f", "\u2028", " ", "  lead", "trail ", "/etc/passwd", "..",
    "https://x/?a=1&b=2#c", "<a href='x'>", "a,b", "a;b", "--", "/*", "\\n", "\\t", "\\u0041",
    "x" * 512, "😀" * 128, "\u0301", "é",
]  # fmt: skip


@pytest.fixture(params=["plain", "imposed"])
def store(
    request: pytest.FixtureRequest, server: str, collection_name: str
) -> Iterator[MilvusStore]:
    """A store that takes the server for a Milvus server, or one with a server's rules."""
    if request.param == "imposed" and IS_REAL:
        pytest.skip("a real server imposes its own rules")
    with ExitStack() as left:
        left.enter_context(servers_over_lite())
        if request.param == "imposed":
            server = left.enter_context(relay(server, *imposed())).uri
        yield left.enter_context(MilvusStore(server, collection_name=collection_name))


def test_the_dialect_is_the_servers(store: MilvusStore) -> None:
    """Or these tests would show nothing."""
    store.add([Record(id="a", text="a word")])
    assert isinstance(store._session.collection().dialect.engine, dialect.Server)
    assert not store._session.collection().dialect.exclusive


def test_hostile_ids_are_ids(store: MilvusStore) -> None:
    """Added, overwritten, read, scrolled, searched and deleted like any other."""
    assert len(set(HOSTILE)) == 50
    store.add([Record(id="base", text="a word", dense=[1, 0])])
    for one in HOSTILE:
        store.add([Record(id=one, text="first", dense=[0, 1], document_id="d")])
        store.add([Record(id=one, text="second text", dense=[0, 1])])
        [record] = store.get([one])
        assert (record.id, record.text, record.document_id) == (one, "second text", "d")
    assert {record.id for record in store.scroll()} == {*HOSTILE, "base"}
    assert {hit.id for hit in store.search("second", k=60, mode="sparse")} == set(HOSTILE)
    assert store.check() == []
    for one in HOSTILE:
        assert store.delete([one]) == 1
    assert [record.id for record in store.scroll()] == ["base"]
    assert store.check() == []


def test_pages_are_complete(store: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages there are, each row comes once, in the order of the keys."""
    monkeypatch.setattr(dialect, "_PAGE", 7)
    rng = np.random.default_rng(5)
    ids = [f"{number:04}" for number in rng.permutation(300)]
    store.add([Record(id=one, text=f"word{one}", metadata={"n": int(one)}) for one in ids])
    assert [record.id for record in store.scroll()] == sorted(ids)
    assert [record.id for record in store.scroll(F("n") < 100)] == sorted(ids)[:100]
    assert store.delete(filter=F("n") >= 100) == 200
    assert store.count() == 100
    assert store.check() == []


def test_two_flushes_break_nothing(store: MilvusStore) -> None:
    """A server refuses the second within ten seconds; writing goes on."""
    store.add([Record(id="a", text="a word")])
    store.flush()
    store.flush()
    store.add([Record(id="b", text="a word")])
    assert store.count() == 2


@pytest.mark.skipif(IS_REAL, reason="the relay that counts is one before a milvus-lite server")
def test_what_a_warm_store_asks(
    server: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch takes four calls, a search one per field, within the time between two looks."""
    monkeypatch.setattr("hybridge.store.session.LOOK_AGAIN", 1000.0)
    with (
        servers_over_lite(),
        relay(server) as asked,
        MilvusStore(asked.uri, collection_name=collection_name) as store,
    ):
        store.add([Record(id=str(i), text=f"word{i}", dense=[i, 1]) for i in range(20)])
        store.search("word1", vector=[1, 1])
        asked.calls.clear()
        store.add([Record(id=str(i), text=f"other{i}", dense=[i, 2]) for i in range(10, 30)])
        assert asked.calls == ["Query", "Upsert", "Upsert", "Upsert"]
        asked.calls.clear()
        assert len(store.search("word1", vector=[1, 1])) == 4
        assert asked.calls == ["Search", "Search"]
