"""A filtered search equals the same search over the matching rows alone, however it reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings

from hybridge import F, MilvusStore, Record
from hybridge.errors import EngineError
from hybridge.filters import Filter, match
from hybridge.records import Hit
from hybridge.retrieval.fusion import ConfidenceWeighted
from hybridge.store import candidates, selection
from hybridge.store.engine.collection import Collection, FieldSearch
from support.engines import servers_over_lite
from support.examples import examples
from support.filter_strategies import PROMOTED, QUERIES, distinct_records, trees

MakeStore = Callable[..., MilvusStore]
ROWS, K, FETCH_K = 45, 3, 6


@pytest.fixture
def make_store(make_store: MakeStore) -> MakeStore:
    """Makes stores that the engine searches: how deep it is asked to is what this is about."""
    return partial(make_store, in_process_search=False)


@pytest.fixture(scope="module", params=["path", "server"])
def rows(
    request: pytest.FixtureRequest, lite_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MilvusStore]:
    """A store of random rows with hostile keys and values; no two score alike."""
    is_path = request.param == "path"
    uri = tmp_path_factory.mktemp("candidates") / "rows.db" if is_path else lite_server
    with servers_over_lite(), MilvusStore(uri, metadata_schema={"year": PROMOTED["year"]}) as store:
        store.add(distinct_records(8, ROWS))
        yield store
        store.drop()


def rankings(store: MilvusStore, tree: Filter, place: int) -> dict[str, list[Hit]]:
    """The first `FETCH_K` matching rows of each field's full ranking."""
    text, vector = QUERIES[place]
    found = {
        mode: store.search(text, vector=vector, k=ROWS, mode=mode) for mode in ("dense", "sparse")
    }
    return {
        mode: [hit for hit in hits if match(tree, hit)][:FETCH_K] for mode, hits in found.items()
    }


def scored(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    """Ids and scores, in order."""
    return [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in hits]


WAYS: dict[str, tuple[int, bool]] = {
    "read once": (candidates.SAMPLE, True),
    "read deeper": (3, True),
    "scanned": (3, False),
}


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees)
def test_it_equals_the_full_ranking_restricted(rows: MilvusStore, way: str, tree: Filter) -> None:
    """In each mode and in batches, field by field and fused, on a path and on a server."""
    sample, deeper = WAYS[way]
    expected = [rankings(rows, tree, place) for place in range(len(QUERIES))]
    texts, vectors = [text for text, _ in QUERIES], [vector for _, vector in QUERIES]

    def found(mode: str) -> list[list[Hit]]:
        with (
            patch.object(candidates, "SAMPLE", sample),
            patch.object(selection.Selection, "outdoes_scan", return_value=deeper),
        ):
            return rows.search_many(
                texts, vectors=vectors, k=K, fetch_k=FETCH_K, mode=mode, filter=tree
            )

    for mode in ("dense", "sparse"):
        for hits, wanted in zip(found(mode), expected, strict=True):
            assert scored(hits) == scored(wanted[mode][:K])
    for hits, wanted in zip(found("hybrid"), expected, strict=True):
        pairs = {name: [(hit.id, hit.score) for hit in some] for name, some in wanted.items()}
        fused = ConfidenceWeighted().fuse(pairs)[:K]
        assert [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in hits] == fused


class Asked:
    """What the engine is asked while a store is searched, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searched: list[FieldSearch] = []
        self.scans = 0
        self.monkeypatch = monkeypatch
        search, select = Collection.search, Collection.select

        def searching(collection: Collection, asked: FieldSearch, columns: Sequence[str]) -> Any:
            self.searched.append(asked)
            return search(collection, asked, columns)

        def selecting(collection: Collection, *arguments: Any) -> Any:
            self.scans += 1
            return select(collection, *arguments)

        monkeypatch.setattr(Collection, "search", searching)
        monkeypatch.setattr(Collection, "select", selecting)

    @property
    def depths(self) -> list[int]:
        """How deep each search was."""
        return [one.depth for one in self.searched]


def add_rows(store: MilvusStore, count: int, every: int) -> None:
    """Add rows of which one in so many has the key; they are found by distance in their order."""
    store.add(
        Record(
            id=str(place),
            text="word",
            metadata={"has": place % every == 0, "half": place % 2},
            dense=[1.0, place / 100],
        )
        for place in range(count)
    )


HAS = F("has") == True  # noqa: E712  # a filter, not a truth value


def test_one_reading_is_enough_where_enough_match(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least `SAMPLE` rows, and no scan."""
    store = make_store()
    add_rows(store, 300, every=10)
    asked = Asked(monkeypatch)
    hits = store.search(vector=[1.0, 0.0], k=5, filter=HAS)
    assert [hit.id for hit in hits] == ["0", "10", "20", "30", "40"]
    assert (asked.depths, asked.scans) == ([candidates.SAMPLE], 0)


def test_the_share_of_matches_tells_how_deep_to_read(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second reading is the last, and only of the fields and as deep as it needs."""
    store = make_store()
    add_rows(store, 1500, every=25)
    asked = Asked(monkeypatch)
    hits = store.search(vector=[1.0, 0.0], k=10, filter=HAS)
    assert [hit.id for hit in hits] == [str(place) for place in range(0, 250, 25)]
    [first, second] = asked.depths
    assert (first, asked.scans) == (candidates.SAMPLE, 0)
    assert 250 < second <= 2000


def test_a_scan_takes_the_place_of_reading_most_rows(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept, and what is kept is used by the next search."""
    monkeypatch.setattr(selection, "FEW", 0)
    store = make_store()
    add_rows(store, 400, every=200)
    asked = Asked(monkeypatch)
    for _ in range(2):
        hits = store.search(vector=[1.0, 0.0], k=5, filter=HAS)
        assert [hit.id for hit in hits] == ["0", "200"]
    assert (asked.depths, asked.scans) == ([candidates.SAMPLE, 5, 5], 1)


def test_searches_that_read_deeper_pay_for_a_scan_in_the_end(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is kept: what they read since the last write is counted together."""
    monkeypatch.setattr(selection, "FEW", 0)
    store = make_store()
    add_rows(store, 1500, every=10)
    asked = Asked(monkeypatch)
    for scans in (0, 1, 1):
        hits = store.search(vector=[1.0, 0.0], k=15, filter=HAS)
        assert [hit.id for hit in hits] == [str(place) for place in range(0, 150, 10)]
        assert asked.scans == scans
    store.add([Record(id="new", text="word", metadata={"has": True}, dense=[1.0, 0.001])])
    asked.searched.clear()
    hits = store.search(vector=[1.0, 0.0], k=15, filter=HAS)
    assert [hit.id for hit in hits[:3]] == ["0", "new", "10"]
    assert (len(asked.depths), asked.scans) == (2, 1)


@pytest.mark.parametrize("limit", ["window", "message"])
def test_what_one_answer_cannot_hold_is_scanned(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Whether the rows are too many or too large."""
    store = make_store()
    add_rows(store, 1500, every=150)
    if limit == "window":
        engine = type(store._session.collection().dialect.engine)
        monkeypatch.setattr(engine, "window", candidates.SAMPLE)
    search = Collection.search

    def small(collection: Collection, asked: FieldSearch, columns: Sequence[str]) -> Any:
        if asked.depth > candidates.SAMPLE:
            raise EngineError("too large", too_large=True)
        return search(collection, asked, columns)

    monkeypatch.setattr(Collection, "search", small)
    asked = Asked(monkeypatch)
    hits = store.search(vector=[1.0, 0.0], k=4, filter=HAS)
    assert [hit.id for hit in hits] == ["0", "150", "300", "450"]
    assert asked.scans == 1
    assert len(asked.depths) == (2 if limit == "window" else 3)


@pytest.mark.parametrize("mode", ["dense", "hybrid", "by Milvus"])
@pytest.mark.parametrize("column", [True, False])
def test_a_row_that_no_longer_matches_is_no_hit(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, mode: str, column: bool
) -> None:
    """What comes back is matched, though the engine selected it a moment ago."""
    store = make_store(metadata_schema={"year": int} if column else {})
    store.add(
        Record(id=name, text="word", metadata={"year": 1999}, dense=[1.0, 0.0]) for name in "ab"
    )
    call = Collection.search_fused if mode == "by Milvus" else Collection.search

    def rewritten(collection: Collection, *arguments: Any) -> Any:
        answers = call(collection, *arguments)
        return [
            [{**row, "metadata": {"year": 2024 if row["id"] == "a" else 1999}} for row in rows]
            for rows in answers
        ]

    monkeypatch.setattr(Collection, call.__name__, rewritten)
    options: dict[str, Any] = {"mode": mode}
    if mode == "by Milvus":
        options = {"mode": "hybrid", "fusion": "milvus-rrf"}
    hits = store.search("word", vector=[1.0, 0.0], filter=F("year") == 1999, **options)
    assert [hit.id for hit in hits] == ["b"]


def test_a_row_rewritten_after_a_scan_is_no_hit(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids come from the scan, the values from the row as it is."""
    store = make_store()
    add_rows(store, 10, every=5)
    monkeypatch.setattr(candidates, "SAMPLE", 1)
    monkeypatch.setattr(selection.Selection, "outdoes_scan", lambda *_: False)
    keys = selection.Selection.keys

    def keys_and_rewrite(one: selection.Selection) -> list[str]:
        found = keys(one)
        store.add([Record(id="0", text="word", metadata={"has": False}, dense=[1.0, 0.0])])
        return found

    monkeypatch.setattr(selection.Selection, "keys", keys_and_rewrite)
    hits = store.search(vector=[1.0, 0.0], k=2, filter=HAS & (F("half") < 2))
    assert [hit.id for hit in hits] == ["5"]


def test_deletions_decide_on_the_row_as_it_is(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is overwritten after it was selected, and no longer matches, stays."""
    store = make_store(metadata_schema={"year": int})
    keys = selection.Selection.keys

    def keys_and_overwrite(one: selection.Selection) -> list[str]:
        found = keys(one)
        store.add([Record(id="a", text="new", metadata={"year": 2024, "tag": "new"})])
        return found

    monkeypatch.setattr(selection.Selection, "keys", keys_and_overwrite)
    for selector in (
        {"filter": F("year") == 1999},
        {"filter": F("tag") == "old"},
        {"expr": "meta_year == 1999"},
    ):
        old = {"year": 1999, "tag": "old"}
        store.add(Record(id=name, text="old", metadata=old) for name in "ab")
        assert store.delete(**selector) == 1  # type: ignore[arg-type]
        assert [record.id for record in store.scroll()] == ["a"]
        assert store.check() == []


def test_deletions_on_a_server_leave_what_another_process_overwrites(
    lite_server: str, collection_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the row and deleting it, the engine decides: the row has another mark."""
    with servers_over_lite(), MilvusStore(lite_server, collection_name=collection_name) as store:
        store.add(Record(id=name, text="old", metadata={"tag": "old"}) for name in "ab")
        delete = Collection.delete

        def overwrite_and_delete(collection: Collection, *arguments: Any) -> None:
            marks = {key: row["write"] for key, row in collection.read(["a"], ["write"]).items()}
            changes = {"a": {"metadata": {"tag": "new"}, "write": "another/1"}}
            collection.update(changes, marks)
            delete(collection, *arguments)

        monkeypatch.setattr(Collection, "delete", overwrite_and_delete)
        store.delete(filter=F("tag") == "old")
        assert [record.id for record in store.scroll()] == ["a"]
        store.drop()
