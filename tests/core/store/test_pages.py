"""Pages of a ranking: `offset` and k."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError
from support.letters import Letters

MakeStore = Callable[..., MilvusStore]
ROWS = 30


@pytest.fixture
def shelf(make_store: MakeStore) -> MilvusStore:
    """Rows whose scores all differ, in both fields."""
    store = make_store(dense=Letters())
    store.add(
        Record(id=f"{i:02}", text="word " + "a" * i + " pad" * (ROWS - i), metadata={"odd": i % 2})
        for i in range(ROWS)
    )
    return store


def ids(store: MilvusStore, **options: Any) -> list[str]:
    """What is found for one question."""
    return [hit.id for hit in store.search("word a", **options)]


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "dense"},
        {"mode": "sparse"},
        {"mode": "hybrid"},
        {"mode": "hybrid", "fusion": "milvus-rrf"},
        {"mode": "dense", "filter": {"odd": 1}},
        {"mode": "hybrid", "min_relevance": 0.3},
    ],
    ids=str,
)
def test_pages_put_together_are_the_ranking(shelf: MilvusStore, options: dict[str, Any]) -> None:
    """No hit is on two pages, and none is lost, whatever is searched, filtered or cut."""
    whole = ids(shelf, k=ROWS, **options)
    pages = [ids(shelf, k=7, offset=start, **options) for start in range(0, ROWS + 7, 7)]
    assert list(chain.from_iterable(pages)) == whole
    assert len(whole) > 7
    assert pages[-1] == []


async def test_every_search_has_pages(shelf: MilvusStore) -> None:
    """Many questions at once, and both async twins."""
    second = ids(shelf, k=2, offset=2, mode="dense")
    asked: dict[str, Any] = {"k": 2, "offset": 2, "mode": "dense"}
    assert [hit.id for hit in await shelf.asearch("word a", **asked)] == second
    for answers in (
        shelf.search_many(["word a", "pad"], **asked),
        await shelf.asearch_many(["word a", "pad"], **asked),
    ):
        assert [hit.id for hit in answers[0]] == second


def test_what_is_no_page_is_refused(shelf: MilvusStore) -> None:
    """Before anything is sent; a reranker orders the first hits alone."""
    for offset in (-1, 1.5, True, "2", None):
        with pytest.raises(InvalidInputError, match="offset"):
            ids(shelf, offset=offset)
    with pytest.raises(InvalidInputError, match="16384"):
        ids(shelf, offset=16_384)
    with pytest.raises(InvalidInputError, match="reranker"):
        ids(shelf, offset=1, reranker=lambda query, documents, top_k=5: [])
