"""The log says what calls did, and nothing of what they were about."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from hybridge import F, HybridgeError, MilvusStore, Record

SECRETS = ("confidential", "sesame", "acme", "0.1234", "hushed")
"""A word of texts, a token, a tenant, a vector and an id."""


def say_everything(store: MilvusStore) -> None:
    """Make every kind of call, some of which fail."""
    vector = [0.1234, 0.5, 0.25]
    view = store.for_tenant("acme")
    record = Record(
        id="hushed", text="a confidential text", metadata={"owner": "acme"}, dense=vector
    )
    store.add([record])
    asyncio.run(store.aadd([record]))
    view.search("confidential", vector=vector)
    asyncio.run(view.asearch("confidential", vector=vector, filter=F("note") == "confidential"))
    view.search_many(["confidential"] * 2, mode="sparse")
    view.get(["hushed"])
    list(view.scroll(F("note") == "confidential"))
    view.update(["hushed"], metadata={"note": "confidential"})
    view.explain("confidential", "hushed")
    view.count()
    store.check()
    for wrong in ({"expr": "confidential("}, {"vector": [0.1234]}):
        with pytest.raises(HybridgeError):
            store.search("confidential", **_search(wrong))
    view.delete(["hushed"])
    view.clear()
    store.flush()
    store.drop()


def _search(wrong: dict[str, Any]) -> dict[str, Any]:
    return {"vector": [0.1234, 0.5, 0.25], **wrong}


def test_what_each_call_did(store: MilvusStore, caplog: pytest.LogCaptureFixture) -> None:
    """The operation, how many rows, and how long it took."""
    caplog.set_level(logging.DEBUG, "hybridge")
    store.add([Record(id=str(n), text=f"word{n} fish") for n in range(3)])
    store.search("fish", k=2)
    store.search_many(["fish", "word1"])
    store.count()
    store.delete(["0", "7"])
    store.check()
    said = [record.message.rpartition(" in ")[0] for record in caplog.records]
    assert said == [
        "add: 3 rows",
        "search: 2 rows",
        "search: 4 rows",
        "count: 3 rows",
        "delete: 1 rows",
        "check: 0 differences",
    ]
    assert all(record.message.endswith(" ms") for record in caplog.records)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_nothing_of_what_it_was_about(
    level: int, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No text, vector, tenant, id or token, whether calls succeed or fail."""
    caplog.set_level(level, "hybridge")
    with MilvusStore(path, token="sesame", partition_key="owner") as store:
        say_everything(store)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert ("failed with" in said) == (level == logging.DEBUG)
    assert [secret for secret in SECRETS if secret in said] == []


def test_nothing_is_said_by_default(store: MilvusStore, caplog: pytest.LogCaptureFixture) -> None:
    """Applications that log warnings see none of it."""
    caplog.set_level(logging.INFO, "hybridge")
    store.add([Record(text="word")])
    store.search("word")
    assert caplog.records == []
