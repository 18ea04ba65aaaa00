"""Answers that no message holds, on Milvus Lite: they come in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridge import MilvusStore, Record
from hybridge.filters import TEXT
from hybridge.store.engine import connection

MIB = 2**20

MakeStore = Callable[..., MilvusStore]


def add_large(store: MilvusStore, count: int) -> None:
    """Add rows of 65 kB, whose words are few."""
    store.add(
        Record(id=f"{i:05}", text=f"parrot number{i} " + "x" * 65_000, metadata={"n": i})
        for i in range(count)
    )


def reads_all(store: MilvusStore, count: int) -> None:
    """Read all rows in every way that needs their texts."""
    assert store.check() == []
    store.rebuild_statistics()
    assert [record.metadata["n"] for record in store.scroll()] == list(range(count))
    assert len(store.get([f"{i:05}" for i in range(count)])) == count
    assert store.count(TEXT.contains("number7 ")) == 1


def test_more_than_a_message_holds_is_read(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through messages of 1 MiB, which the client takes here, 256 being the engine's own limit."""
    options: dict[Any, Any] = {b"grpc.max_receive_message_length": MIB}  # in bytes, as pymilvus's
    monkeypatch.setattr(connection, "_CHANNEL_OPTIONS", options)
    store = make_store()
    add_large(store, 40)
    reads_all(store, 40)
    assert len(store.search("parrot", k=40, mode="sparse")) == 40


@pytest.mark.long
def test_more_than_256_mib_are_read(make_store: MakeStore) -> None:
    """A check and a recount of a collection whose texts together are larger."""
    store = make_store()
    add_large(store, 4500)
    reads_all(store, 4500)
