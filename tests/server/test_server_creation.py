"""A maker that dies while it makes a collection: whoever comes next goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymilvus import MilvusClient

from hybridge import MilvusStore, Record
from hybridge.errors import EngineError
from support.relay import Answer, Call, relay

STEPS = ["CreateCollection", "CreateIndex", "LoadCollection"]


@pytest.fixture
def half_made(
    real_server: str, collection_name: str, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The name of a collection whose maker died before a step; its companion is whole."""

    def dying(call: Call, answer: Answer) -> bytes:
        is_end = call.name == request.param and call.request.collection_name == collection_name
        if is_end or call.name == "DropCollection":
            return call.refused(1100, "the maker is dead")
        return answer(call)

    with (
        relay(real_server, dying) as server,
        MilvusStore(server.uri, collection_name=collection_name) as store,
        pytest.raises(EngineError, match="the maker is dead"),
    ):
        store.add([Record(id="a", text="a word", dense=[1, 1])])
    yield collection_name
    with MilvusStore(real_server, collection_name=collection_name) as store:
        store.drop()
    assert collection_name not in MilvusClient(real_server).list_collections()


@pytest.mark.parametrize("half_made", STEPS, indirect=True)
def test_a_half_made_collection_is_finished(real_server: str, half_made: str) -> None:
    """Opened, it is empty, takes rows and finds them."""
    with MilvusStore(real_server, collection_name=half_made) as store:
        assert store.count() == 0
        store.add([Record(id="b", text="a word", dense=[1, 1])])
        assert [hit.id for hit in store.search("word", vector=[1, 1])] == ["b"]
        assert store.check() == []
