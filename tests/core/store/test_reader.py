"""Searches in this process return what the engine's own do, whatever has happened to the rows."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge import DenseField, F, MilvusStore, Record
from hybridge.errors import EngineError
from hybridge.filters import match_all
from hybridge.store.engine import chosen, segments
from hybridge.store.engine.collection import Collection, FieldSearch
from hybridge.store.engine.part import Part, one_at_a_time
from hybridge.store.engine.row import whole
from support.examples import examples

MakeStore = Callable[..., MilvusStore]

HERE = "in this process"
WORDS = ("fox", "owl", "kite", "boat", "house")
EXPRESSIONS = ("", "meta_year == 1", "meta_year > 0 and meta_year < 3", 'id in ["r1", "r4", "r7"]')
NUMBERS = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])
VECTORS = st.lists(NUMBERS, min_size=3, max_size=3)
IDS = st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True)
ROWS = st.tuples(IDS, VECTORS, VECTORS, st.lists(st.sampled_from(WORDS), min_size=1))
STEPS = st.one_of(
    st.tuples(st.just("add"), ROWS),
    st.tuples(st.just("add"), ROWS),
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("reopen"), st.none()),
)
SEARCHES = st.tuples(
    st.sampled_from(["dense", "product", "sparse"]),
    st.lists(VECTORS, min_size=1, max_size=3),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True),
    st.sampled_from(EXPRESSIONS),
    st.sampled_from([1, 3, 30]),
)


def records(rows: tuple[list[int], list[float], list[float], list[str]]) -> list[Record]:
    """Rows that are unlike each other, but for some."""
    ids, dense, product, words = rows
    return [
        Record(
            id=f"r{one}",
            text=" ".join(words * (1 + one % 3)),
            metadata={"year": one % 4, "owner": "ab"[one % 2]},
            vectors={"dense": np.roll(dense, one), "product": np.multiply(product, one % 5)},
        )
        for one in ids
    ]


def asked(
    store: MilvusStore,
    name: str,
    vectors: Sequence[Sequence[float]],
    words: Sequence[str],
    expression: str,
    depth: int,
) -> FieldSearch | None:
    """What a field is asked, or None where no text has any of the words."""
    opened = store._session.find()
    assert opened is not None
    field = opened.of_tenant("a").fields[name]
    queries: list[Any] = [np.array(one, dtype=np.float32) for one in vectors]
    if name == "sparse":
        queries = [field.function.encode_queries([" ".join(words)])]
        queries = [row for some in queries for row in field.parse_made(some, ["query"])]
    queries = [one for one in queries if len(one)]
    return FieldSearch(field, queries, depth, expression) if queries else None


def check_same(store: MilvusStore, search: FieldSearch) -> None:
    """Compare what is found in this process with what the engine finds: ties may differ."""
    collection = store._session.collection()
    layout = collection.known
    columns = ["text", "metadata", "document_id", "meta_year", search.field.stored_in]
    here = collection.search_here(search, columns)
    assert here is not None
    theirs = collection.search(search, columns)
    all_of_them = collection.search(replace(search, depth=100), columns)
    for found, expected, every in zip(here, theirs, all_of_them, strict=True):
        scores = [row["distance"] for row in expected]
        assert [row["distance"] for row in found] == pytest.approx(scores, rel=1e-5, abs=1e-5)
        by_key = {row[layout.key]: row for row in every}
        assert len({row[layout.key] for row in found}) == len(found)
        for row in found:
            check_row(whole(row), by_key[row[layout.key]])
    check_same_rows(collection, [*by_key, "no key"], columns, search.expression)


def check_same_rows(
    collection: Collection, keys: Sequence[str], columns: Sequence[str], expression: str
) -> None:
    """Compare the rows of some keys that are read in this process with what the engine reads."""
    here = collection.read(keys, columns, expression)
    with patch.object(collection, "_read_here", return_value=None):
        theirs = collection.read(keys, columns, expression)
    assert set(here) == set(theirs)
    for key, row in here.items():
        check_row(row, theirs[key])


def check_row(row: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare a row with the engine's, cell by cell."""
    assert set(row) == set(expected)
    for name, value in expected.items():
        if isinstance(row[name], (float, np.ndarray)):
            assert row[name] == pytest.approx(value, rel=1e-5, abs=1e-5)
        else:
            assert row[name] == value


class Steps:
    """A store to which things happen, on a path of its own."""

    def __init__(self, path: Path, *, tenants: bool) -> None:
        self._tenants = tenants
        self._make = lambda: MilvusStore(
            path,
            dim=3,
            fields={"product": DenseField(dim=3, metric="IP")},
            metadata_schema={"year": int, "owner": str},
            partition_key="owner" if tenants else None,
        )
        self.store = self._make()

    @property
    def _views(self) -> list[MilvusStore]:
        """What rows are deleted through by their ids."""
        if not self._tenants:
            return [self.store]
        return [self.store.for_tenant(one) for one in "ab"]

    def take(self, step: tuple[str, Any]) -> None:
        """Let one thing happen."""
        name, value = step
        if name == "reopen":
            self.store.close()
            self.store = self._make()
        elif name == "flush":
            self.store.flush()
        elif name == "delete":
            for view in self._views:
                view.delete([f"r{one}" for one in value])
        else:
            self.store.add(records(value))


def check_steps(steps: Sequence[tuple[Any, Any]], tenants: bool) -> None:
    """Let things happen to rows, and compare a search after each."""
    with TemporaryDirectory() as folder:
        taken = Steps(Path(folder) / "steps.db", tenants=tenants)
        taken.store.add(records(([20, 21], [1.0, 0.5, 0.0], [1.0, 0.0, 0.0], ["fox"])))
        for step, search in steps:
            taken.take(step)
            if (made := asked(taken.store, *search)) is not None:
                check_same(taken.store, made)
        taken.store.close()


@settings(max_examples=examples(6))
@given(steps=st.lists(st.tuples(STEPS, SEARCHES), min_size=4, max_size=10), tenants=st.booleans())
def test_the_hits_are_the_engines(steps: list[tuple[Any, Any]], tenants: bool) -> None:
    """Same rows up to ties, scores and cells: after writes, deletions, flushes, reopenings."""
    check_steps(steps, tenants)


@pytest.mark.long
@settings(max_examples=examples(60))
@given(steps=st.lists(st.tuples(STEPS, SEARCHES), min_size=8, max_size=25), tenants=st.booleans())
def test_the_hits_are_the_engines_long(steps: list[tuple[Any, Any]], tenants: bool) -> None:
    """More of the same."""
    check_steps(steps, tenants)


# --- what it is used for -------------------------------------------------------------------------


@pytest.fixture
def few(make_store: MakeStore) -> MilvusStore:
    """A store of some rows, and the ways that it is searched."""
    store = make_store(dim=3, metadata_schema={"year": int})
    rows = (list(range(9)), [1.0, 0.5, 0.0], [1.0, 0.0, 0.0], ["fox", "owl"])
    store.add([replace(one, vectors={"dense": one.vectors["dense"]}) for one in records(rows)])
    return store


def found(store: MilvusStore, **arguments: Any) -> list[str]:
    """The ids of a hybrid search."""
    return [hit.id for hit in store.search("fox", vector=[1.0, 0.4, 0.1], k=3, **arguments)]


def engine_calls(store: MilvusStore) -> Any:
    """Count the searches that the engine makes."""
    connection = store._session.collection().connection
    return patch.object(connection, "call", wraps=connection.call)


def test_it_searches_on_this_milvus_lite(few: MilvusStore) -> None:
    """A path is searched in this process, or Hybridge does not know this milvus-lite any more."""
    assert few.describe()["searched"] == HERE
    few.flush()
    with engine_calls(few) as calls:
        found(few)
        found(few, filter=F("year") == 1)
        few.add([Record(text="a row that waits", id="new", vectors={"dense": [1.0, 0.4, 0.1]})])
        calls.reset_mock()
        assert "new" in found(few)
        assert few.search_many(["owl"], vectors=[[1.0, 0.0, 0.0]], with_vectors=True)
        assert [hit.id for hit in few.get(["r1", "new"])] == ["r1", "new"]
    assert [call.args[0] for call in calls.call_args_list if call.args[0] != "flush"] == []


def test_a_setting_switches_it_off(few: MilvusStore, make_store: MakeStore) -> None:
    """With `in_process_search=False` the engine searches; another store of the path keeps it."""
    off = make_store(in_process_search=False)
    assert found(off) == found(few)
    assert (off.describe()["searched"], few.describe()["searched"]) == ("by the engine", HERE)


def test_other_insides_are_left_alone(
    few: MilvusStore, make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Milvus Lite is another inside it searches by itself: said at INFO, once, and shown."""
    expected = found(few)
    few.close()
    caplog.set_level(logging.INFO, "hybridge")
    with patch.object(segments, "_opened", side_effect=TypeError("another signature")):
        store = make_store()
        store.describe()
    assert [found(store), found(store)] == [expected, expected]
    assert store.describe()["searched"] == "by the engine: TypeError: another signature"
    assert [one.message for one in caplog.records if "insides" in one.message] != []
    assert len([one for one in caplog.records if "insides" in one.message]) == 1


def test_a_failure_is_left_to_the_engine(
    few: MilvusStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A search that fails in this process is made by the engine, and so are those after it."""
    expected = found(few)
    caplog.set_level(logging.INFO, "hybridge")
    with patch.object(Part, "dense", side_effect=KeyError("vectors")):
        assert found(few) == expected
    assert found(few) == expected
    assert few.describe()["searched"].startswith("by the engine: KeyError")
    assert len([one for one in caplog.records if "insides" in one.message]) == 1


def test_what_is_not_known_is_left_to_the_engine(path: str, make_store: MakeStore) -> None:
    """Another metric, vectors whose products overflow, a collection that is not loaded."""
    far = DenseField(dim=2, metric="L2")
    with MilvusStore(path, fields={"far": far}, dim=2) as store:
        store.add(
            [
                Record(text="fox", id=str(one), vectors={"dense": [one, 1], "far": [one, 0]})
                for one in range(1, 4)
            ]
        )
        assert [hit.id for hit in store.search(vector={"far": [2.9, 0]}, k=1)] == ["3"]
        store.add([Record(text="fox", id="long", vectors={"dense": [1e16, 1e16], "far": [0, 0]})])
        assert {hit.id for hit in store.search(vector=[1.0, 1.0], k=2)} == {"1", "long"}
        connection = store._session.collection().connection
        connection._client.release_collection(store.collection_name)
        assert len(store.search("fox", mode="sparse", k=9)) == 4
        assert store.describe()["searched"] == HERE


def test_a_wrong_expression_is_refused_by_the_engine(few: MilvusStore) -> None:
    """In its words, and searches are still made in this process."""
    for wrong in ("meta_year ==", 'meta_year == "x"', "nothing > 3"):
        with pytest.raises(EngineError):
            few.search("fox", mode="sparse", expr=wrong)
    assert few.describe()["searched"] == HERE


# --- what it keeps -------------------------------------------------------------------------------


def test_no_cell_is_read_before_it_is_wanted(few: MilvusStore) -> None:
    """Of the rows that the fields rank, only those that are returned are read."""
    found(few)
    with patch.object(Part, "cell", autospec=True, side_effect=Part.cell) as cells:
        found(few)
    assert len({call.args[3] for call in cells.call_args_list if call.args[1] == "text"}) == 3


def test_nothing_outlives_its_rows(few: MilvusStore) -> None:
    """What is kept of a segment goes with it, and all of it with the collection."""
    view = few._session.collection().shared.view
    for number in range(5):  # the engine makes one segment of four
        few.add([Record(text="boat", id=f"b{number}", vectors={"dense": [1.0, 0.0, 0.0]})])
        few.flush()
        found(few)
    kept = [weakref.ref(part) for part in view.view.parts]
    assert len(kept) <= 6
    few.drop()
    del view
    gc.collect()
    assert [one() for one in kept if one() is not None] == []


def test_each_row_is_found_beside_writers_and_flushes(few: MilvusStore) -> None:
    """A row that was acknowledged is found from then on, whatever is flushed meanwhile."""
    written: list[str] = []

    def write() -> None:
        for number in range(60):
            vector = np.eye(3)[number % 3] * 2 + number / 100
            few.add([Record(text="kite", id=f"k{number}", vectors={"dense": vector})])
            written.append(f"k{number}")
            if number % 7 == 0:
                few.flush()

    writer = threading.Thread(target=write)
    writer.start()
    lost: set[str] = set()
    while writer.is_alive():
        known = set(written)
        hits = few.search("kite", vector=[1.0, 1.0, 1.0], k=200, mode="dense")
        lost |= known - {hit.id for hit in hits}
    assert (lost, len(written)) == (set(), 60)


def test_a_few_questions_wait_for_no_other_thread(few: MilvusStore) -> None:
    """They are answered while many questions of another one are compared with all rows at once."""
    asked = [[1.0, 0.4, 0.1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    expected = few.search_many(vectors=asked, k=3, mode="dense")
    with ThreadPoolExecutor(1) as pool, one_at_a_time.lock:
        answer = pool.submit(few.search_many, vectors=asked, k=3, mode="dense")
        assert answer.result(timeout=60) == expected


def test_many_questions_find_what_one_does(few: MilvusStore) -> None:
    """However many are compared at once."""
    asked = np.random.default_rng(3).normal(size=(40, 3))
    alone = [few.search(vector=one, k=9, mode="dense") for one in asked]
    for hits, expected in zip(
        few.search_many(vectors=asked, k=9, mode="dense"), alone, strict=True
    ):
        assert [hit.id for hit in hits] == [hit.id for hit in expected]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected])


def test_rows_that_are_alike_score_alike(make_store: MakeStore) -> None:
    """Wherever they lie, so that they come in their order, on any page."""
    store = make_store(sparse=None)
    vector = np.random.default_rng(5).normal(size=33)
    store.add(Record(id=f"{number:03}", text="fox", dense=vector) for number in range(203))
    hits = store.search(vector=vector + 0.1, k=203)
    assert len({hit.score for hit in hits}) == 1
    assert [hit.id for hit in hits] == [f"{number:03}" for number in range(203)]


# --- filters on keys without a column ------------------------------------------------------------

EVEN = F("owner") == "a"


def evaluated(store: MilvusStore, call: Callable[[], Any]) -> int:
    """How many rows a filter is evaluated over in a call."""
    rows: list[Any] = []

    def match(tree: Any, candidates: Sequence[Any]) -> Any:
        rows.extend(candidates)
        return match_all(tree, candidates)

    with patch.object(chosen, "match_all", match):
        call()
    return len(rows)


def test_a_filter_is_evaluated_once_for_each_row(few: MilvusStore) -> None:
    """Until they are written again, also after writes of others, and after a flush of those."""
    few.flush()

    def call() -> None:
        hits = few.search("fox", vector=[1.0, 0.4, 0.1], k=9, filter=EVEN)
        assert {hit.metadata["owner"] for hit in hits} == {"a"}
        assert len(hits) == few.count(EVEN) == len([*few.scroll(EVEN)])

    assert evaluated(few, call) == 9
    assert evaluated(few, call) == 0
    few.add([Record(text="fox", id="r1", metadata={"owner": "a"}, vectors={"dense": [1, 0, 0]})])
    assert evaluated(few, call) == 1
    few.flush()
    assert evaluated(few, call) == 1
    assert few.count(EVEN) == 6
    few.delete(filter=EVEN)
    assert few.count() == 3


def test_what_filters_read_is_kept_up_to_a_limit(
    few: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above `MOST_BYTES` the metadata is read anew by each new filter; the answer is the same."""

    def told() -> int:
        parts = few._session.collection().shared.view.view.parts
        return sum(len(part._told) for part in parts if len(part))

    monkeypatch.setattr(chosen, "MOST_BYTES", 10)
    assert (few.count(EVEN), told()) == (5, 0)
    monkeypatch.undo()
    assert (few.count(F("owner") == "b"), told()) == (4, 1)


def test_opening_counts_the_rows_in_this_process(make_store: MakeStore) -> None:
    """The engine is asked for none of them: of 100,000 rows that took half a second."""
    store = make_store()
    store.add([Record(text="a fox"), Record(text="an owl")])
    store.close()
    reopened = make_store()
    connection, asked = reopened._session.collection().connection, list[tuple[str, str]]()
    call = connection.call

    def noted(operation: str, name: str, **arguments: Any) -> Any:
        asked.append((operation, name))
        return call(operation, name, **arguments)

    with patch.object(connection, "call", noted):
        assert reopened.count() == 2
    assert ("query", reopened._session.collection().name) not in asked


def test_the_engine_keeps_no_second_copy_of_vectors_that_are_searched_here(tmp_path: Path) -> None:
    """Not in a file, and not in memory: its indexes are made for the first search of its own."""
    indexes = tmp_path / "milvus.db/collections/hybridge/partitions/_default/indexes"
    for life in range(2):
        with MilvusStore(tmp_path / "milvus.db") as store:
            store.add(Record(id=f"{life}{n}", text=f"word{n}", dense=[n, 1.0]) for n in range(1, 9))
            store.flush()
            assert {hit.text for hit in store.search("word3", vector=[9.0, 0.0], k=3)}
        assert not [*indexes.glob("*")]
    with MilvusStore(tmp_path / "milvus.db") as store:
        [hit] = store.search("word3", vector=[3.0, 1.0], k=1, fusion="milvus-rrf")
        assert hit.text == "word3"
        assert store.check() == []
    assert [*indexes.glob("*")]
