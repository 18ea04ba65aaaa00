"""A server that is frozen, or killed and started again, under a store that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import StoreConnectionError, StoreError
from hybridge.store.bm25 import statistics_log
from support.engines import servers_over_lite
from support.lite_server import LiteServer
from support.relay import is_milvus, messages_within, relay
from support.writer import Writer


@pytest.fixture(scope="module")
def fragile_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteServer]:
    """A `milvus-lite server` that may be frozen and killed."""
    server = LiteServer(tmp_path_factory.mktemp("fragile"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["directly", "behind a relay"])
def uri(request: pytest.FixtureRequest, fragile_server: LiteServer) -> Iterator[str]:
    """Where stores reach the server: as what it is, or as a Milvus server."""
    with ExitStack() as left:
        if request.param == "directly":
            yield fragile_server.uri
        else:
            left.enter_context(servers_over_lite())
            rules = (is_milvus("v2.5.4"), messages_within())
            yield left.enter_context(relay(fragile_server.uri, *rules)).uri


def first(number: int = 0) -> list[Record]:
    """Return a row that each store begins with."""
    return [Record(id=f"first{number}", text="the first", dense=[1, 1])]


def test_a_server_that_freezes(fragile_server: LiteServer, uri: str, collection_name: str) -> None:
    """In the middle of calls: they end in an error in time, and the next one works."""
    with MilvusStore(uri, collection_name=collection_name, timeout=30) as store:
        store.add(first())
        writer = Writer(store, "row")
        writer.start()
        with MilvusStore(uri, collection_name=collection_name, timeout=3) as other:
            assert other.count() >= 1
            fragile_server.freeze()
            calls = (lambda: other.search("first", mode="sparse"), other.count, other.flush)
            for call in calls:
                with pytest.raises(StoreConnectionError):
                    call()
            with pytest.raises(StoreConnectionError):
                other.add(first(1))
            fragile_server.thaw()
            assert other.get(["first0"])[0].text == "the first"
        writer.end()
        assert set(writer.acknowledged) <= {record.id for record in store.scroll()}
        assert store.check() == []


def test_a_server_that_is_killed(
    fragile_server: LiteServer, uri: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And started again under writers: what was acknowledged is there, the store goes on."""
    with MilvusStore(uri, collection_name=collection_name, timeout=30) as store:
        store.add(first())
        acknowledged: set[str] = set()
        for kill in range(2):
            writer = Writer(store, str(kill))
            writer.start()
            while len(writer.acknowledged) < 20:
                writer.join(0.05)
            fragile_server.kill()
            writer.join(0.3)
            fragile_server.start()
            before = len(writer.acknowledged)
            while len(writer.acknowledged) < before + 20:
                writer.join(0.05)
            writer.end()
            acknowledged |= set(writer.acknowledged)
            assert acknowledged <= {record.id for record in store.scroll()}
        assert store.check() == []
        assert len(store.search("the first", mode="sparse")) == 1
    monkeypatch.setattr(statistics_log, "SETTLED_AFTER", 0.0)  # what was cut short is settled
    with MilvusStore(uri, collection_name=collection_name) as fresh:
        assert {*acknowledged, "first0"} <= {record.id for record in fresh.scroll()}
        assert fresh.check() == []


def test_a_server_that_is_gone(fragile_server: LiteServer, uri: str, collection_name: str) -> None:
    """Calls end in an error that names it, until it is there again."""
    with MilvusStore(uri, collection_name=collection_name, timeout=3) as store:
        store.add(first())
        fragile_server.kill()
        with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
            store.add(first(1))
        fragile_server.start()
        for _ in range(20):  # gRPC waits longer and longer before it tries a lost server again
            with suppress(StoreConnectionError):
                store.add(first(2))
                break
        assert {"first0", "first2"} <= {record.id for record in store.scroll()}
        assert store.check() == []
