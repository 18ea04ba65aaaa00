"""Adding a column to a collection that is there, where the server can.

Milvus Lite cannot add one: a relay before it hides a column that is there from the start until it
is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import pytest
from pymilvus.grpc_gen import common_pb2

from hybridge import F, MilvusStore, Record
from hybridge.errors import EngineError, HybridgeError, InvalidInputError
from hybridge.store import columns
from support.added_column import AddedColumn, make_without
from support.engines import ServerOverLite, servers_over_lite
from support.held import held_keys
from support.killed import Arrived, KilledAt, Moment, is_change, is_note
from support.relay import Answer, Call, Rule, Stand, is_milvus, relay

COLUMN = "meta_year"
ROWS = [
    Record(id=f"{n:02}", text=f"word{n}", metadata={"year": n} if n % 3 else {}) for n in range(20)
]
FILLED = sum("year" in row.metadata for row in ROWS)
MANY = 20_000
ADD_COLUMN = """
import sys
from hybridge import MilvusStore
from hybridge.store import columns
from support.engines import servers_over_lite
columns.KNOWN_AFTER = 0
with servers_over_lite(), MilvusStore(sys.argv[1], collection_name=sys.argv[2]) as store:
    print(store.add_column("year", int))
"""


def is_addition(call: Call) -> bool:
    """Whether a call adds the column."""
    return call.name == "AddCollectionField"


MOMENTS = [
    *(Moment(is_addition, 1, arrives) for arrives in (False, True)),
    *(Moment(is_note, 1, arrives) for arrives in (False, True)),  # it is being filled
    *(Moment(is_change, page, arrives) for page in (1, 4) for arrives in (False, True)),
    *(Moment(is_note, 1, arrives) for arrives in (False, True)),  # it is full
]
"""The column is added; it is noted that it is being filled; pages of rows; that it is full."""


class World:
    """A collection on a server, and the processes that have it open, each behind a relay."""

    def __init__(self, server: str, name: str, left: ExitStack) -> None:
        self.column = AddedColumn(COLUMN, "Int64")
        self.name, self._server, self._left = name, server, left
        self.stands: list[Stand] = []

    def make(self) -> None:
        """Make the collection: the column is there, and neither its layout nor its rows say so."""
        make_without(self._server, self.name, "year", int, ROWS[0])

    def open(self, *rules: Rule, version: str = "v2.6.4", **arguments: object) -> MilvusStore:
        """Return a store, as another process has it."""
        uri = self.reach(*rules, version=version)
        store = MilvusStore(uri, collection_name=self.name, **arguments)  # type: ignore[arg-type]
        return self._left.enter_context(store)

    def reach(self, *rules: Rule, version: str = "v2.6.4") -> str:
        """Return the URI of a relay to the server."""
        stand = relay(self._server, *rules, is_milvus(version), self.column)
        self.stands.append(self._left.enter_context(stand))
        return self.stands[-1].uri


@pytest.fixture
def world(
    lite_server: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A collection of which nothing is filled yet; nobody waits for other processes to look."""
    monkeypatch.setattr(columns, "KNOWN_AFTER", 0)
    with ExitStack() as left:
        left.enter_context(servers_over_lite())
        made = World(lite_server, collection_name, left)
        made.make()
        yield made


def columns_of(store: MilvusStore) -> dict[str, object]:
    """Return the column of each row, by id."""
    rows = store._session.collection().select("", ["id", COLUMN])
    return {row["id"]: row[COLUMN] for page in rows for row in page}


def years_of(store: MilvusStore) -> dict[str, object]:
    """Return what the column must hold."""
    return {str(record.id): record.metadata.get("year") for record in store.scroll()}


def is_sent(store: MilvusStore) -> bool:
    """Whether a filter asks the server for the column."""
    layout = store._session.collection().layout()
    return layout is not None and "year" in layout.filter_columns


def look_again(store: MilvusStore) -> None:
    """Let the store's next call look at what others have done."""
    store._session.collection().shared.look.at = 0.0


def never_look(store: MilvusStore) -> None:
    """Let the store be in the midst of a write, with what it knew before."""
    store._session.collection().shared.look.at = float("inf")


def test_a_column_is_added_and_filled(world: World) -> None:
    """With the values of the rows that have one; filters go by it, and find what they found."""
    store = world.open()
    store.add(ROWS)
    recent = F("year") >= 10
    found = store.get(filter=recent)
    assert not is_sent(store)
    assert store.add_column("year", int) == FILLED
    assert is_sent(store)
    assert columns_of(store) == years_of(store)
    assert store.get(filter=recent) == found
    assert store.count(expr=f"{COLUMN} >= 10") == len(found)
    assert store.check() == []


def test_what_is_written_afterwards_has_it(world: World) -> None:
    """Of the right type only, and also after `clear`; to add it once more changes nothing."""
    store = world.open()
    store.add(ROWS)
    store.add_column("year", int)
    store.add([Record(id="new", text="a word", metadata={"year": 77})])
    store.update(["01"], metadata={"year": 78})
    assert columns_of(store) == years_of(store)
    with pytest.raises(InvalidInputError, match="metadata_schema says int"):
        store.add([Record(id="wrong", text="a word", metadata={"year": "77"})])
    assert store.add_column("year", int) == 0
    store.clear()
    store.add(ROWS[:3])
    assert columns_of(store) == {"00": None, "01": 1, "02": 2}


def test_few_ids_are_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are read while rows are filled."""
    monkeypatch.setattr(columns, "_BATCH", 2)
    store = world.open()
    store.add(ROWS)
    with held_keys(2) as held:
        assert store.add_column("year", int) == FILLED
    assert held.read > FILLED
    assert held.most <= 6


async def test_the_same_holds_async(world: World) -> None:
    """The twin does the same, on a thread."""
    store = world.open()
    await store.aadd(ROWS)
    assert await store.aadd_column("year", int) == FILLED
    assert columns_of(store) == years_of(store)


def test_other_processes_notice(world: World) -> None:
    """When they look again; a `metadata_schema` that was true goes on being accepted."""
    others = [world.open(), world.open(metadata_schema={})]
    store = world.open()
    store.add(ROWS)
    assert [other.count() for other in others] == [20, 20]
    store.add_column("year", int)
    for number, other in enumerate(others):
        look_again(other)
        assert other.count(F("year") == 7) == 1
        assert is_sent(other)
        other.add([Record(id=f"n{number}", text="a word", metadata={"year": 100 + number})])
    assert columns_of(store) == years_of(store)
    assert world.open(metadata_schema={"year": int}).count(F("year") >= 100) == 2
    with pytest.raises(HybridgeError, match="'year'"):
        world.open(metadata_schema={"year": str}).count()


def test_what_was_cut_short_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile filters miss nothing, and what others write has the column."""
    monkeypatch.setattr(columns, "_BATCH", 5)
    store, other = world.open(), world.open()
    store.add(ROWS)
    upserts = 0

    def fails(call: Call, answer: Answer) -> bytes:
        nonlocal upserts
        if call.name == "Upsert":  # of the layout, of a page, of another
            upserts += 1
            if upserts > 2:
                return call.refused(1100, "no more")
        return answer(call)

    world.stands[0].rules.insert(0, fails)
    with pytest.raises(EngineError, match="no more"):
        store.add_column("year", int)
    assert sum(one is not None for one in columns_of(store).values()) == 5
    assert not is_sent(store)
    assert store.count(F("year") >= 0) == FILLED
    look_again(other)
    other.add([Record(id="new", text="a word", metadata={"year": 9})])
    assert columns_of(other)["new"] == 9
    assert other.count(F("year") == 9) == 1  # beside the new one "09" has no year
    assert other.add_column("year", int) == FILLED - 5
    assert columns_of(store) == years_of(store)
    assert is_sent(other)


@pytest.mark.long
def test_killed_at_any_moment_it_is_gone_on_with(world: World) -> None:
    """Each call of a process that is killed may have arrived or not: no row is written twice."""
    store, arrived = world.open(), Arrived("id")
    store.add(
        (
            Record(id=f"{n:05}", text=f"word{n}", metadata={"year": n} if n % 3 else {})
            for n in range(MANY)
        ),
        batch_size=1000,
    )
    for moment in (*MOMENTS, None):
        rule = KilledAt(moment)
        said = rule.run(ADD_COLUMN, world.reach(rule, arrived), world.name)
    assert columns_of(store) == years_of(store)
    assert store.count() == MANY + 1
    assert arrived.rows == {f"{n:05}": 1 for n in range(MANY) if n % 3}
    assert int(said) == 0
    assert is_sent(store)


def test_a_server_that_has_the_column_already_is_no_obstacle(world: World) -> None:
    """The process that added it was killed before it could say so."""
    store = world.open()
    store.add(ROWS)
    world.column.added = True
    assert store.add_column("year", int) == FILLED
    assert columns_of(store) == years_of(store)


def test_a_process_that_does_not_know_yet_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it writes meanwhile is filled before filters go by the column."""
    store, other = world.open(), world.open()
    store.add(ROWS)
    assert other.count() == len(ROWS)
    never_look(other)
    late = Record(id="late", text="a word", metadata={"year": 50})
    monkeypatch.setattr(columns, "sleep", lambda _: other.add([late]))
    store.add_column("year", int)
    assert columns_of(store)["late"] == 50
    other.add([Record(id="later", text="a word", metadata={"year": 51})])
    assert columns_of(store)["later"] is None
    assert store.add_column("year", int) == 1
    assert columns_of(store) == years_of(store)


def test_a_row_that_changes_meanwhile_gets_its_new_value(world: World) -> None:
    """Between the read of its metadata and the write of its column another process writes it."""
    store, other = world.open(), world.open()
    store.add(ROWS)
    changes = iter([7777, 8888])

    def overtaken(call: Call, answer: Answer) -> bytes:
        if call.name == "Upsert" and call.request.partial_update:
            year = next(changes, None)
            if year is not None:
                other.add([Record(id="07", text="another", metadata={"year": year})])
        return answer(call)

    world.stands[0].rules.insert(0, overtaken)
    store.add_column("year", int)
    assert columns_of(store)["07"] == 8888
    assert columns_of(store) == years_of(store)
    assert store.check() == []


def test_others_write_all_the_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By this store and by one of another process, which learns of the column by looking."""
    monkeypatch.undo()  # it waits for them
    store, other = world.open(), world.open()
    store.add(ROWS)
    done = Event()

    def write(writer: MilvusStore, start: int) -> int:
        year = start
        while not done.is_set():
            year += 1
            # Only one of them overwrites: the counts of two that overwrite one id may be off.
            ids = [f"{start}-{year}", f"{year % 20:02}"] if start else [f"{start}-{year}"]
            writer.add([Record(id=one, text="a word", metadata={"year": year}) for one in ids])
        return year - start

    with ThreadPoolExecutor(2) as threads:
        writers = [threads.submit(write, store, 0), threads.submit(write, other, 100_000)]
        try:
            store.add_column("year", int)
        finally:
            done.set()
    assert all(one.result() > 0 for one in writers)
    assert columns_of(store) == years_of(store)
    assert store.check() == []


def test_the_column_is_indexed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where columns have indexes: Milvus Lite has none, so what is sent is looked at."""
    store = world.open()
    store.add(ROWS)
    sent: list[tuple[str, str]] = []

    def indexes(call: Call, answer: Answer) -> bytes:
        if call.name != "CreateIndex":
            return answer(call)
        params = {one.key: one.value for one in call.request.extra_params}
        sent.append((call.request.field_name, params["index_type"]))
        return bytes(common_pb2.Status().SerializeToString())

    world.stands[0].rules.insert(0, indexes)
    monkeypatch.setattr(ServerOverLite, "column_indexes", True)
    store.add_column("year", int)
    assert sent == [(COLUMN, "AUTOINDEX")]


# --- refused -------------------------------------------------------------------------------------


def test_a_path_has_no_new_columns(store: MilvusStore) -> None:
    """It says what to do in its place."""
    store.add(ROWS)
    with pytest.raises(InvalidInputError, match=r"Milvus 2\.6 or later.*new\.add\(old\.scroll"):
        store.add_column("year", int)


def test_a_server_before_2_6_has_none_either(world: World) -> None:
    """It is told before anything is sent."""
    store = world.open(version="v2.5.4")
    store.add(ROWS)
    with pytest.raises(InvalidInputError, match=r"Milvus 2\.6 or later, and this is .*2\.5\.4"):
        store.add_column("year", int)
    assert "AddCollectionField" not in world.stands[0].calls


def test_a_value_of_another_type_is_found_before_anything_is_changed(world: World) -> None:
    """The row is named."""
    store = world.open()
    store.add([*ROWS, Record(id="odd", text="a word", metadata={"year": "1999"})])
    with pytest.raises(InvalidInputError, match=r"the row 'odd'.*'1999' of type str"):
        store.add_column("year", int)
    assert "AddCollectionField" not in world.stands[0].calls


@pytest.mark.parametrize(
    ("key", "kind", "message"),
    [
        ("a key", int, "cannot name a column"),
        ("year", list, "use one of str, int, float, bool"),
        ("year", str, "is there with the type int, not str"),
    ],
)
def test_a_column_that_cannot_be_is_refused(
    world: World, key: str, kind: type, message: str
) -> None:
    """By its name or its type."""
    store = world.open()
    store.add(ROWS)
    store.add_column("year", int)
    with pytest.raises(InvalidInputError, match=message):
        store.add_column(key, kind)


def test_a_refusal_of_the_server_names_the_column(world: World) -> None:
    """And nothing else is changed."""
    store = world.open()
    store.add(ROWS)
    with pytest.raises(EngineError, match=r"does not add the column 'meta_other'.*duplicated"):
        store.add_column("other", str)
    assert store.count(F("other").exists()) == 0


def test_there_must_be_a_collection(lite_server: str, collection_name: str) -> None:
    """A new one is given its columns at once."""
    with (
        servers_over_lite(),
        relay(lite_server, is_milvus("v2.6.4")) as stand,
        MilvusStore(stand.uri, collection_name=collection_name, partition_key="tenant") as store,
    ):
        with pytest.raises(InvalidInputError, match="there is no collection yet"):
            store.add_column("year", int)
        with pytest.raises(InvalidInputError, match="call it on the store"):
            store.for_tenant("acme").add_column("year", int)
