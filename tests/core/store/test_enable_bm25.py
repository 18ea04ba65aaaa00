"""BM25 of ours for a collection that another library made, as an explicit step.

Milvus Lite cannot add a field: a relay before it hides one that is there from the start until it is
added; its rows hold the placeholder, for NULL. It was not run on a server that can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymilvus import DataType, MilvusClient

from hybridge import BM25EmbeddingFunction, F, MilvusStore, Record
from hybridge.errors import CollectionMismatchError, EngineError, InvalidInputError
from hybridge.store.bm25 import reencoding
from hybridge.store.fields import EMPTY_SPARSE
from support.added_column import AddedColumn
from support.engines import servers_over_lite
from support.killed import Arrived, KilledAt, Moment, is_change, is_note
from support.lite_server import raw_client
from support.peers import ToyFunction, embed, make_collection
from support.relay import Answer, Call, Rule, Stand, is_milvus, relay

WORDS = ["kite", "parrot", "invoice", "river", "engine"]
TEXTS = [f"a note {number} of the {WORDS[number % 5]}" for number in range(30)]
STRING: tuple[DataType, dict[str, Any]] = (DataType.VARCHAR, {"max_length": 4000})
NAMED: tuple[DataType, dict[str, Any]] = (DataType.VARCHAR, {"max_length": 200, "is_primary": True})
MANY, PAGE = 10_000, 1000
ENABLE = """
import sys
from hybridge import MilvusStore
from support.engines import servers_over_lite
from support.peers import ToyFunction
with servers_over_lite(), MilvusStore(
    sys.argv[1], collection_name=sys.argv[2], dense=ToyFunction()
) as store:
    store.enable_bm25()
"""


def is_addition(call: Call) -> bool:
    """Whether a call adds the field."""
    return call.name == "AddCollectionField"


MOMENTS = [
    Moment(concerns, number, arrives)
    for concerns, number in (
        (is_note, 1),  # what the collection will hold
        (is_addition, 1),
        (is_note, 1),  # what is counted
        (is_change, 1),
        (is_change, 4),
        (is_note, 2),
    )
    for arrives in (False, True)
]
UNSURE = 3
"""Moments at which a page has arrived, and the note that it is done has not."""

NUMBER: tuple[DataType, dict[str, Any]] = (DataType.INT64, {"is_primary": True})
VECTOR: tuple[DataType, dict[str, Any]] = (DataType.FLOAT_VECTOR, {"dim": 12})
LAYOUTS: dict[str, dict[str, Any]] = {
    "static": {"pk": NAMED, "text": STRING, "vector": VECTOR, "year": (DataType.INT64, {})},
    "numbers": {"pk": NUMBER, "text": STRING, "vector": VECTOR},
    "nodes": {"id": NAMED, "doc_id": STRING, "text": STRING, "embedding": VECTOR},
}


class World:
    """Another library's collection on a server, and the processes that have it open."""

    def __init__(self, server: str, name: str, layout: str, left: ExitStack) -> None:
        self.column = AddedColumn("sparse", "SparseFloatVector")
        self.name, self._layout, self._left = name, layout, left
        self.server, self.stands = server, list[Stand]()
        self.client = raw_client(server, dedicated=True, alias=name)

    def make(self, *, sparse: bool = False) -> None:
        """Make it as the other library does, with a field that is hidden.

        Args:
            sparse: Whether it has a sparse field of its own as well.
        """
        names = [self.column.name, *(["sparse"] if sparse else [])]
        columns = dict.fromkeys(names, (DataType.SPARSE_FLOAT_VECTOR, {}))
        dynamic = self._layout != "static"
        made = {**LAYOUTS[self._layout], **columns}
        make_collection(self.server, made, self.name, enable_dynamic_field=dynamic)
        if sparse:
            index = self.client.prepare_index_params()
            index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
            self.client.create_index(self.name, index)
        self.insert(range(len(TEXTS)))

    def insert(self, numbers: range) -> None:
        """Write rows as the other library does, which knows nothing of the field."""
        self.client.insert(self.name, [self._row(number) for number in numbers])

    def _row(self, number: int) -> dict[str, Any]:
        text = TEXTS[number % len(TEXTS)]
        row: dict[str, Any] = {"text": text, "sparse": {number: 1.0}, "year": 2000 + number}
        row |= {self.column.name: EMPTY_SPARSE}
        key, vector = ("id", "embedding") if self._layout == "nodes" else ("pk", "vector")
        row |= {key: number if self._layout == "numbers" else str(number), vector: embed(text)}
        return {**row, "doc_id": "None"} if self._layout == "nodes" else row

    def open(self, *rules: Rule, version: str = "v2.6.18", **arguments: Any) -> MilvusStore:
        """Return a store, as another process has it."""
        uri = self.reach(*rules, version=version)
        store = MilvusStore(uri, collection_name=self.name, dense=ToyFunction(), **arguments)
        return self._left.enter_context(store)

    def reach(self, *rules: Rule, version: str = "v2.6.18") -> str:
        """Return the URI of a relay to the server."""
        stand = relay(self.server, *rules, is_milvus(version), self.column)
        self.stands.append(self._left.enter_context(stand))
        return self.stands[-1].uri

    def collections(self) -> set[str]:
        """Return those of the collection and its companion that there are."""
        return {one for one in self.client.list_collections() if one.startswith(self.name)}


@pytest.fixture
def layout() -> str:
    """How the other library names its columns."""
    return "static"


@pytest.fixture
def world(lite_server: str, collection_name: str, layout: str) -> Iterator[World]:
    """A collection that was just made."""
    with ExitStack() as left:
        left.enter_context(servers_over_lite())
        made = World(lite_server, collection_name, layout, left)
        made.make()
        yield made
        for name in made.collections():
            made.client.drop_collection(name)
        made.client.close()


def found(store: MilvusStore, word: str = "kite") -> set[str]:
    """Return the ids that BM25 finds."""
    return {str(hit.id) for hit in store.search(word, k=50, mode="sparse")}


def look_again(store: MilvusStore) -> None:
    """Let the store's next call look at what others have done."""
    store._session.collection().look(after=0.0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bm25_is_there_afterwards(world: World) -> None:
    """The rows are found by their words; all else of them is what it was, and BM25 counts right."""
    store = world.open()
    before = {one.id: one for one in store.scroll(with_vectors=True)}
    assert store.field_names() == ["dense"]
    assert world.collections() == {world.name}
    assert store.enable_bm25() == len(TEXTS)
    kites = {str(number) for number in range(0, 30, 5)}
    assert found(store) == kites
    assert store.field_names() == ["dense", "sparse"]
    assert {hit.id for hit in store.search("kite", k=6, filter=F("year") < 2010)} >= {"0", "5"}
    for one in store.scroll(with_vectors=True):
        old = before[one.id]
        assert (one.text, one.metadata, one.document_id) == (
            old.text, old.metadata, old.document_id,
        )  # fmt: skip
        assert one.dense == pytest.approx(old.dense)
    assert store.check() == []
    assert store.enable_bm25() == 0


@pytest.mark.parametrize("layout", ["numbers"])
def test_what_the_store_writes_is_counted(world: World) -> None:
    """Rows that are added, overwritten, changed and deleted; by another process as well."""
    world.open().enable_bm25()
    store = world.open()
    store.add([Record(id="100", text="a heron", metadata={"year": 1})])
    store.add([Record(id="5", text="another heron", metadata={"year": 2})])
    store.update(["10"], metadata={"year": 3})
    assert store.delete(["0"]) == 1
    assert found(store, "heron") == {"100", "5"}
    assert found(store) == {"10", "15", "20", "25"}
    assert store.explain("heron", "100").keys() == {"heron"}
    assert store.check() == []
    store.clear()
    assert store.count() == 0
    assert store.check() == []


async def test_the_same_holds_async(world: World) -> None:
    """With another analyzer, which is kept: it is what a store may ask for."""
    assert await world.open().aenable_bm25("bm25:de") == len(TEXTS)
    assert found(world.open(sparse="bm25:de")) == found(world.open())
    with pytest.raises(CollectionMismatchError, match="'language': 'en'"):
        world.open(sparse="bm25").count()
    with pytest.raises(CollectionMismatchError, match="the field 'sparse' is there"):
        world.open().enable_bm25()


def test_other_processes_notice(world: World) -> None:
    """When they look again."""
    store, other = world.open(), world.open()
    assert other.count() == len(TEXTS)
    store.enable_bm25()
    look_again(other)
    assert found(other) == found(store)
    other.add([Record(id="new", text="one more kite", metadata={"year": 1})])
    look_again(store)
    assert "new" in found(store)
    assert store.check() == []


@pytest.mark.parametrize("sent", [1, 7])
def test_what_was_cut_short_is_gone_on_with(
    world: World, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever that was: until then there is no BM25, or searches of it are refused."""
    monkeypatch.setattr(reencoding, "_BATCH", 5)
    upserts = 0

    def fails(call: Call, answer: Answer) -> bytes:
        nonlocal upserts
        upserts += call.name == "Upsert"
        return call.refused(1100, "no more") if upserts > sent else answer(call)

    with pytest.raises(EngineError, match="no more"):
        world.open(fails).enable_bm25()
    store = world.open()
    assert store.search("kite")
    if "sparse" in store.field_names():
        with pytest.raises(CollectionMismatchError, match=r"call reindex_sparse\(\)"):
            found(store)
    written = store.enable_bm25()
    assert 0 < written <= len(TEXTS)
    assert found(store) == {str(number) for number in range(0, 30, 5)}
    assert store.check() == []


@pytest.mark.long
def test_killed_at_any_moment_it_is_gone_on_with(world: World) -> None:
    """Each call of a process that is killed may have arrived or not: few rows are written twice."""
    for first in range(len(TEXTS), MANY, PAGE):
        world.insert(range(first, min(first + PAGE, MANY)))
    arrived = Arrived("pk")
    for moment in (*MOMENTS, None):
        rule = KilledAt(moment)
        rule.run(ENABLE, world.reach(rule, arrived), world.name)
    store = world.open()
    assert store.count() == MANY
    assert store.check() == []
    assert arrived.rows.keys() == {str(number) for number in range(MANY)}
    assert sum(arrived.rows.values()) <= MANY + UNSURE * PAGE


def test_a_field_without_an_index_is_gone_on_with(world: World) -> None:
    """The process was killed between the two: the field is known by its description."""

    def fails(call: Call, answer: Answer) -> bytes:
        is_field = call.name == "CreateIndex" and call.request.field_name == "sparse"
        return call.refused(1100, "no more") if is_field else answer(call)

    with pytest.raises(EngineError, match="no more"):
        world.open(fails).enable_bm25()
    assert world.column.added
    store = world.open()
    assert store.field_names() == ["dense"]
    assert store.enable_bm25() == len(TEXTS)


def test_what_the_other_library_writes_is_told_and_mended(world: World) -> None:
    """BM25 neither counts nor finds it until then."""
    store = world.open()
    store.enable_bm25()
    world.insert(range(30, 36))
    assert "30" not in found(store)
    assert store.check() == [
        "BM25 statistics: documents are 30 and should be 36; rebuild_statistics() mends it",
        "BM25 statistics: tokens are 90 and should be 108; rebuild_statistics() mends it",
        "BM25 statistics: the frequencies of 15 terms differ; rebuild_statistics() mends it",
        "6 rows have sparse vectors of another average length; reencode_sparse() mends it",
    ]
    store.rebuild_statistics()
    store.reencode_sparse()
    assert {"30", "35"} <= found(store)
    assert store.check() == []


def test_a_collection_that_is_made_anew_has_none(world: World) -> None:
    """The companion of the old one is not believed; `drop` takes it away."""
    store = world.open()
    store.enable_bm25()
    world.client.drop_collection(world.name)
    world.column = AddedColumn("sparse", "SparseFloatVector")
    world.column.number = 2
    world.make()
    again = world.open()
    assert again.field_names() == ["dense"]
    assert again.enable_bm25() == len(TEXTS)
    assert again.check() == []
    again.drop()
    assert world.collections() == set()


# --- refused -------------------------------------------------------------------------------------


def test_a_path_cannot_have_it(tmp_path: Path) -> None:
    """It says what to call instead, and nothing is made."""
    path = tmp_path / "own.db"
    make_collection(path, LAYOUTS["static"])
    with (
        MilvusStore(path, collection_name="own") as store,
        pytest.raises(InvalidInputError, match=r"2\.6\.18 or later.*tools\.copy\(store, uri="),
    ):
        store.enable_bm25()
    client = MilvusClient(str(path))
    assert client.list_collections() == ["own"]
    client.close()


def test_an_older_server_cannot_either(world: World) -> None:
    """Nothing is sent; `copy` is named, and does it."""
    with pytest.raises(InvalidInputError, match=r"this is .*v2\.6\.4; .*tools\.copy\(store"):
        world.open(version="v2.6.4").enable_bm25()
    assert not {"CreateCollection", "AddCollectionField"} & set(world.stands[0].calls)


def test_numbered_rows_cannot_be_weighed(world: World) -> None:
    """Milvus gives a row that is written again another number."""
    world.client.drop_collection(world.name)
    columns = {**LAYOUTS["static"], "pk": NUMBER}
    make_collection(world.server, columns, world.name, auto_id=True)
    with pytest.raises(InvalidInputError, match=r"numbers the rows .*tools\.copy\(store"):
        world.open().enable_bm25()


def test_a_collection_of_ours_is_copied(world: World) -> None:
    """It is made with its fields, and needs no such step where it has one."""
    name = f"{world.name}_ours"
    with MilvusStore(world.server, collection_name=name, sparse=None, dim=2) as store:
        store.add([Record(id="1", text="a kite", dense=[1.0, 0.0])])
        with pytest.raises(InvalidInputError, match=r"tools\.copy\(store.*sparse='bm25'\)"):
            store.enable_bm25()
    with MilvusStore(world.server, collection_name=name, overwrite=True) as store:
        store.add([Record(id="1", text="a kite")])
        assert store.enable_bm25() == 0


def test_another_field_of_that_name_is_left_alone(world: World) -> None:
    """Another name can be given; the collection's own field goes on."""
    world.column = AddedColumn("bm25", "SparseFloatVector")
    world.client.drop_collection(world.name)
    world.make(sparse=True)
    store = world.open()
    with pytest.raises(CollectionMismatchError, match="give the new one another name"):
        store.enable_bm25()
    assert world.collections() == {world.name}
    assert store.enable_bm25(field="bm25") == len(TEXTS)
    assert set(store.field_names()) == {"dense", "sparse", "bm25"}
    assert {hit.id for hit in store.search("kite", k=50, mode="bm25")} >= {"0", "25"}
    [first] = store.search(vector={"sparse": {3: 1.0}}, k=1, mode="sparse")
    assert first.id == "3"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparse": "milvus"}, "give 'bm25'"),
        ({"sparse": BM25EmbeddingFunction()}, "give 'bm25'"),
        ({"sparse": "bm25:xx"}, "xx"),
        ({"field": "a field"}, "cannot name a field"),
        ({"field": "text"}, "is taken by the store"),
        ({"progress": 1}, "progress"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, arguments: Any, message: str) -> None:
    """Before anything is opened."""
    with (
        MilvusStore(tmp_path / "none.db") as store,
        pytest.raises(InvalidInputError, match=message),
    ):
        store.enable_bm25(**arguments)


def test_there_must_be_a_collection(tmp_path: Path) -> None:
    """It says how one is made."""
    with (
        MilvusStore(tmp_path / "none.db") as store,
        pytest.raises(InvalidInputError, match="there is no collection"),
    ):
        store.enable_bm25()


def test_a_refusal_of_the_server_leaves_nothing(world: World) -> None:
    """No companion stays behind."""

    def refuses(call: Call, answer: Answer) -> bytes:
        is_add = call.name == "AddCollectionField"
        return call.refused(1100, "no fields today") if is_add else answer(call)

    with pytest.raises(EngineError, match=r"does not add the column 'sparse'.*no fields today"):
        world.open(refuses).enable_bm25()
    assert world.collections() == {world.name}
