"""Collections that other libraries made are read, searched and written in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient

from hybridge import ROW_ID, DenseField, F, MilvusStore, Record
from hybridge.errors import CollectionMismatchError, InvalidInputError
from support.engines import servers_over_lite
from support.lite_server import raw_client
from support.peers import (
    COUNT,
    LAYOUTS,
    NODES,
    WRITTEN,
    PeerCollection,
    ToyFunction,
    embed,
    make_collection,
    metadata,
    queries,
    text,
    unpack,
)


class Opened(NamedTuple):
    """A collection of a peer, and a store of it."""

    peer: PeerCollection
    store: MilvusStore


@pytest.fixture(scope="module", params=LAYOUTS)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """Each layout in turn, for what writes nothing."""
    peer = unpack(tmp_path_factory.mktemp("read"), request.param)
    with MilvusStore(peer.path, dense=ToyFunction(), **peer.arguments) as store:
        yield Opened(peer, store)


@pytest.fixture(params=WRITTEN)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> PeerCollection:
    """The layouts that are written to."""
    return unpack(tmp_path, request.param)


@pytest.fixture
def store(peer: PeerCollection) -> Iterator[MilvusStore]:
    """A store of it."""
    with MilvusStore(peer.path, dense=ToyFunction(), **peer.arguments) as store:
        yield store


def record(number: int, row_id: str | None = None) -> Record:
    """A record such as the peer's."""
    return Record(id=row_id, text=text(number), metadata=metadata(number))


def test_every_row_is_what_the_peer_stored(read: Opened) -> None:
    """Ids, texts, metadata and vectors; `scroll` finds the same as `get`."""
    peer, store = read
    records = store.get(peer.ids, with_vectors=True)
    assert [one.id for one in records] == peer.ids
    for number, one in enumerate(records):
        assert (one.text, one.metadata) == (text(number), metadata(number))
        np.testing.assert_allclose(one.dense, embed(text(number)), atol=1e-6)
    assert {one.id for one in store.scroll()} == set(peer.ids)
    assert store.count() == COUNT


def test_the_best_hits_are_those_of_the_peer(read: Opened) -> None:
    """By the collection's own metric; the first ten of each of 50 questions."""
    peer, store = read
    found = store.search_many(queries(), k=10, mode="dense")
    ids = {query: [hit.id for hit in hits] for query, hits in zip(queries(), found, strict=True)}
    assert ids == peer.expected["tops"]


def test_opening_and_reading_write_nothing(peer: PeerCollection) -> None:
    """No file of the database is another afterwards, and there is no companion."""
    before = peer.files()
    with MilvusStore(peer.path, dense=ToyFunction(), **peer.arguments) as store:
        assert store.search("a red kite", filter=F("year") > 2000)
        assert store.describe()["rows"] == COUNT
    assert peer.files() == before


def test_filters_mean_what_they_mean(read: Opened) -> None:
    """On columns, on keys beside them, on ids and texts, of searches and counts."""
    peer, store = read
    late = {peer.ids[n] for n in range(COUNT) if metadata(n)["year"] >= 2010}
    assert {one.id for one in store.scroll(F("year") >= 2010)} == late
    assert {hit.id for hit in store.search("note", k=100, filter=F("year") >= 2010)} == late
    both = (F("flag") == True) & (F("weight") < 5.0) & ~(F("source") == "0.txt")  # noqa: E712
    wanted = [
        n for n in range(COUNT) if n % 2 == 0 and n / 4 < 5 and metadata(n)["source"] != "0.txt"
    ]
    assert store.count(both) == len(wanted)
    assert store.count(peer.ids[4] == ROW_ID) == 1
    assert store.count(ROW_ID.isin(["nobody", *peer.ids[:5]])) == 5
    assert store.count(~ROW_ID.isin(peer.ids[:5])) == COUNT - 5


def test_rows_are_added_and_deleted(peer: PeerCollection, store: MilvusStore) -> None:
    """A new row gets an id, or Milvus's number; what was cleared keeps the peer's schema."""
    given = None if peer.is_numbered else "new 'one'"
    [row_id] = store.add([record(COUNT + 5, given)])
    assert given is None or row_id == given
    assert store.search(text(COUNT + 5), k=1)[0].id == row_id
    [stored] = store.get([row_id])
    assert (stored.text, stored.metadata) == (text(COUNT + 5), metadata(COUNT + 5))
    assert store.delete([row_id, peer.ids[0]]) == 2
    assert store.get([row_id, peer.ids[0]]) == []
    assert store.delete(filter=F("source") == "3.txt") == len(range(3, COUNT, 7))
    assert store.count() == COUNT - 1 - len(range(3, COUNT, 7))
    store.clear()
    assert store.count() == 0
    assert store.describe()["library"] == peer.library
    [row_id] = store.add([record(3, None if peer.is_numbered else "3")])
    assert store.get([row_id])[0].metadata == metadata(3)


def test_rows_are_overwritten_where_they_can_be(peer: PeerCollection, store: MilvusStore) -> None:
    """Where Milvus numbers the rows, an id cannot be given, and metadata not be changed."""
    if peer.is_numbered:
        with pytest.raises(InvalidInputError, match="leave the id out"):
            store.add([record(7, peer.ids[3])])
        with pytest.raises(InvalidInputError, match="delete them, and add them"):
            store.update([peer.ids[3]], metadata={"year": 1999})
        return
    store.add([record(7, peer.ids[3])])
    assert store.get([peer.ids[3]])[0].text == text(7)
    assert store.update([peer.ids[3]], metadata={"year": 1999}) == 1
    assert store.get([peer.ids[3]])[0].metadata == {**metadata(7), "year": 1999}
    assert store.count() == COUNT


def test_metadata_without_a_place_are_refused(peer: PeerCollection, store: MilvusStore) -> None:
    """Before anything is sent: a static schema takes its own keys, and needs them."""
    more = Record(text="x", metadata={**metadata(1), "unheard": 1})
    if peer.is_static:
        with pytest.raises(InvalidInputError, match=r"no place for the metadata \['unheard'\]"):
            store.add([record(1), more], batch_size=1)
        with pytest.raises(InvalidInputError, match=r"lacks \['flag', 'source', .*'year'\]"):
            store.add([Record(text="x")])
    else:
        store.add([more])
    expected = COUNT if peer.is_static else COUNT + 1
    assert store.count() == expected


@pytest.mark.parametrize("name", NODES[-2:])
def test_a_node_that_was_added_is_as_the_peer_writes_it(name: str, tmp_path: Path) -> None:
    """`_node_content` and what it is beside are there, for the peer to read."""
    peer = unpack(tmp_path, name)
    with MilvusStore(peer.path, dense=ToyFunction(), **peer.arguments) as store:
        [old] = store.get([peer.ids[8]])
        assert old.document_id == "document 1"
        store.add([replace(old, id="new")])
        [new] = store.get(["new"])
        assert (new.metadata, new.document_id, new.extra) == (
            old.metadata, old.document_id, old.extra,
        )  # fmt: skip
        assert store.delete(document_id="document 1") == 7
    client = MilvusClient(str(peer.path))
    client.load_collection("peer")
    assert client.query("peer", filter='id == "node-0"')[0]["_node_type"] == "TextNode"
    client.close()


STRING = (DataType.VARCHAR, {"max_length": 100})
KEY = {"number": (DataType.INT64, {"is_primary": True})}
VECTOR = (DataType.FLOAT_VECTOR, {"dim": 12})


def test_columns_of_ones_own_are_named(tmp_path: Path) -> None:
    """`text=`, `metadata=` and `fields=` say which is which; integer ids are given as strings."""
    path = tmp_path / "own.db"
    json = {"facts": (DataType.JSON, {}), "more": (DataType.JSON, {"nullable": True})}
    make_collection(path, {**KEY, "headline": STRING, "story": STRING, "first": VECTOR, **json})
    named: dict[str, Any] = {"collection_name": "own", "text": "story", "metadata": "facts"}
    fields = {"first": DenseField(ToyFunction())}
    with MilvusStore(path, fields=fields, **named) as store:
        row = {"headline": "h", "tag": "a"}
        with pytest.raises(InvalidInputError, match="the ids of this collection are integers"):
            store.add([Record(text="a red kite", metadata=row)])
        assert store.add([Record(id="-7", text="a red kite", metadata=row)]) == ["-7"]
        [hit] = store.search("a red kite", filter=F("tag") == "a")
        assert (hit.id, hit.text, hit.metadata) == ("-7", "a red kite", row)
        assert [one.id for one in store.get(["-7", "007", "x"])] == ["-7"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """Which columns there are, and which argument names them."""
    path = tmp_path / "own.db"
    make_collection(path, {**KEY, "headline": STRING, "story": STRING, "first": VECTOR})

    def opened(**arguments: Any) -> MilvusStore:
        return MilvusStore(path, collection_name="own", **arguments)

    with opened() as store, pytest.raises(CollectionMismatchError, match=r"story.*text=\.\.\."):
        store.count()
    with opened(text="tale") as store, pytest.raises(CollectionMismatchError, match="headline"):
        store.count()
    with (
        opened(text="story", metadata="facts") as store,
        pytest.raises(CollectionMismatchError, match="no column for metadata='facts'"),
    ):
        store.count()
    with (
        opened(text="story", sparse="bm25") as store,
        pytest.raises(CollectionMismatchError, match=r"enable_bm25\(\).*or copy it.*tools\.copy\("),
    ):
        store.count()
    with (
        MilvusStore(tmp_path / "new.db", text="story", dim=2) as store,
        pytest.raises(InvalidInputError, match="name columns of a collection that is there"),
    ):
        store.add([Record(text="x", vectors={"dense": [1.0, 0.0]})])


def test_a_text_without_a_place_is_refused(tmp_path: Path) -> None:
    """Where there is no column for it, and rows have nothing beside their columns."""
    path = tmp_path / "own.db"
    make_collection(path, {**KEY, "vector": VECTOR})
    with MilvusStore(path, collection_name="own") as store:
        with pytest.raises(InvalidInputError, match="no column for a text"):
            store.add([Record(id="1", text="a red kite", dense=embed("x"))])
        assert store.add([Record(id="1", dense=embed("x"))]) == ["1"]
        assert store.get(["1"]) == [Record(id="1", text="")]


def test_a_server_pages_by_numbers(lite_server: str, collection_name: str) -> None:
    """More rows than a page holds, of a collection that is then made anew by its owner."""
    columns = {**KEY, "text": STRING, "vector": VECTOR}
    make_collection(lite_server, columns, collection_name, auto_id=True)
    client = raw_client(lite_server, dedicated=True, alias=collection_name)
    rows = [{"text": f"note {number}", "vector": embed(str(number))} for number in range(1200)]
    numbers = client.insert(collection_name, rows)["ids"]
    with (
        servers_over_lite(),
        MilvusStore(lite_server, collection_name=collection_name, dense=ToyFunction()) as store,
    ):
        assert [one.id for one in store.scroll()] == list(map(str, sorted(numbers)))
        assert store.count(~ROW_ID.isin(list(map(str, numbers[:7])))) == 1193
        client.drop_collection(collection_name)
        make_collection(
            lite_server, {**columns, "year": (DataType.INT64, {})}, collection_name, auto_id=True
        )
        store._session.collection().look(after=0.0)
        [row_id] = store.add([Record(text="a red kite", metadata={"year": 1})])
        assert store.get([row_id])[0].metadata == {"year": 1}
    client.drop_collection(collection_name)
    client.close()


def test_a_companion_by_name_does_not_hide_a_collection(tmp_path: Path) -> None:
    """`own__hybridge` may be another library's too; it is left alone."""
    path = tmp_path / "own.db"
    make_collection(path, {**KEY, "text": STRING, "vector": VECTOR})
    client = MilvusClient(str(path))
    client.create_collection("own__hybridge", dimension=2)
    client.close()
    with MilvusStore(path, collection_name="own", dense=ToyFunction()) as store:
        assert store.add([Record(id="1", text="a red kite")]) == ["1"]
        store.drop()
    client = MilvusClient(str(path))
    assert client.list_collections() == ["own__hybridge"]
    client.close()


def test_one_of_ours_that_lost_its_companion_is_not_adopted(tmp_path: Path) -> None:
    """Its counts and its layout are lost: going on would make it worse."""
    path = tmp_path / "ours.db"
    with MilvusStore(path, collection_name="ours") as store:
        store.add([Record(id="1", text="a red kite")])
    client = MilvusClient(str(path))
    client.drop_collection("ours__hybridge")
    client.close()
    with (
        MilvusStore(path, collection_name="ours") as store,
        pytest.raises(CollectionMismatchError, match="has lost its companion ours__hybridge"),
    ):
        store.count()
