"""Where rows are large, cells are read of those that are returned alone, with the same hits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from hybridge import TEXT, F, MilvusStore, Record
from hybridge.records import Hit
from hybridge.store import search
from hybridge.store.engine.collection import Collection, FieldSearch
from support.engines import servers_over_lite
from support.examples import examples
from support.filter_strategies import PROMOTED, QUERIES, distinct_records, trees
from support.relay import relay

MakeStore = Callable[..., MilvusStore]
NEVER, ALWAYS = 2**62, 0
LARGE = 40_000


def both_ways(ask: Callable[[], Any]) -> tuple[Any, Any]:
    """What is found with all cells at once, and with those of the hits alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "SURPLUS_BYTES", NEVER)
        whole = ask()
        patch.setattr(search, "SURPLUS_BYTES", ALWAYS)
        return whole, ask()


@pytest.fixture(scope="module", params=["path", "server"])
def rows(
    request: pytest.FixtureRequest, lite_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MilvusStore]:
    """A store of random rows with hostile keys and values; no two score alike."""
    records = [
        replace(record, context=f"context {place}", extra={"place": place})
        for place, record in enumerate(distinct_records(8, 45))
    ]
    is_path = request.param == "path"
    uri = tmp_path_factory.mktemp("late") / "rows.db" if is_path else lite_server
    options: dict[str, Any] = {"metadata_schema": {"year": PROMOTED["year"]}}
    with servers_over_lite(), MilvusStore(uri, in_process_search=False, **options) as store:
        store.add(records)
        yield store
        store.drop()


@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees)
def test_both_ways_find_the_same_whatever_the_filter(rows: MilvusStore, tree: Any) -> None:
    """In batches, page by page, with vectors, made unlike each other, by one field, without one."""
    texts, vectors = [text for text, _ in QUERIES], [vector for _, vector in QUERIES]
    many = partial(rows.search_many, texts, vectors=vectors, mode="hybrid", k=3, fetch_k=6)
    alone = partial(rows.search_mmr, texts[0], vector=vectors[0], mode="hybrid", k=3, fetch_k=9)
    ways: list[Callable[[], list[list[Hit]]]] = [
        many,
        partial(many, filter=tree),
        partial(many, filter=tree, offset=2, with_vectors=True),
        partial(many, filter=tree & TEXT.contains("word")),
        partial(many, filter=tree, mode="dense", fetch_k=None),
        lambda: [alone(filter=tree)],
    ]
    for ask in ways:
        whole, late = both_ways(ask)
        assert [[*map(shown, hits)] for hits in late] == [[*map(shown, hits)] for hits in whole]


def shown(hit: Hit) -> tuple[Any, ...]:
    """All that a hit says."""
    vectors = {
        name: one if isinstance(one, dict) else one.tolist() for name, one in hit.vectors.items()
    }
    said = (hit.id, hit.text, hit.metadata, hit.document_id, hit.context, hit.extra)
    return (*said, vectors, hit.score, hit.relevance, hit.scores)


@pytest.mark.parametrize(
    ("size", "depth", "calls"),
    [(50, 9, 2), (50, 3, 3), (LARGE, 9, 3), (LARGE, 3, 3)],
    ids=["small", "small, a score is missing", "large", "large, a score is missing"],
)
def test_large_rows_are_told_by_the_search_before(
    lite_server: str,
    collection_name: str,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    depth: int,
    calls: int,
) -> None:
    """The next one asks for keys, and cells and vectors of the hits are read in one call more."""
    monkeypatch.setattr("hybridge.store.session.LOOK_AGAIN", 1000.0)
    records = [
        Record(id=str(i), text=f"word{i % 9} " + "x" * size, dense=[i, 9 - i]) for i in range(60)
    ]
    sent: list[int] = []
    with (
        servers_over_lite(),
        relay(lite_server, lambda call, answer: noted(answer(call), sent)) as asked,
        MilvusStore(asked.uri, collection_name=collection_name) as store,
    ):
        store.add(records)
        fetch_k = {"dense": 30, "sparse": depth}
        ask = partial(store.search, "word1", vector=[1.0, 1.0], k=4, fetch_k=fetch_k)
        first = ask()
        asked.calls.clear()
        sent.clear()
        assert [*map(shown, ask())] == [*map(shown, first)]
        assert asked.calls == ["Search", "Search", "Query"][:calls]
        assert sum(sent) < 5 * LARGE
        store.drop()


def noted(answer: bytes, sent: list[int]) -> bytes:
    """An answer whose size is noted."""
    sent.append(len(answer))
    return answer


def test_a_row_that_is_gone_by_then_leaves_its_place_to_the_next(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted, or overwritten so that it does not match: the search is made once more."""
    store = make_store(in_process_search=False)
    store.add(
        Record(id=name, text="word", metadata={"tag": "old"}, dense=[1.0, place / 10])
        for place, name in enumerate("abcd")
    )
    changes: list[Callable[[], Any]] = []
    find = Collection.search

    def found(collection: Collection, asked: FieldSearch, columns: Sequence[str]) -> Any:
        rows = find(collection, asked, columns)
        if asked.field.name == "sparse" and changes:
            changes.pop()()
        return rows

    monkeypatch.setattr(Collection, "search", found)
    monkeypatch.setattr(search, "SURPLUS_BYTES", ALWAYS)
    ask = partial(store.search, "word", vector=[1.0, 0.0], k=2, filter=F("tag") == "old")
    assert [hit.id for hit in ask()] == ["a", "b"]
    new = Record(id="b", text="word", metadata={"tag": "new"}, dense=[1.0, 0.1])
    changes.append(lambda: store.delete(["a"]))
    assert [hit.id for hit in ask()] == ["b", "c"]
    changes.append(lambda: store.add([new]))
    assert [hit.id for hit in ask()] == ["c", "d"]
    assert not changes
