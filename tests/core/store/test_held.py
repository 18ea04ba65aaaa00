"""A server's rows pass through a client page by page: no call holds the ids of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hybridge import F, MilvusStore, Record
from hybridge.store import candidates, selection, store, write
from hybridge.store.bm25 import reencoding
from support.engines import servers_over_lite
from support.held import held_keys

ROWS, BATCH, PAGE = 200, 10, 3
FEW = 4 * BATCH
EVEN = F("even") == True  # noqa: E712  # a filter

CALLS: dict[str, tuple[Callable[[MilvusStore], object], object]] = {
    "scroll": (lambda there: sum(1 for _ in there.scroll()), ROWS),
    "scroll with a filter": (lambda there: sum(1 for _ in there.scroll(EVEN)), ROWS / 2),
    "count": (lambda there: there.count(EVEN), ROWS / 2),
    "search": (lambda there: len(there.search("parrot", k=3, filter=EVEN)), 3),
    "check": (lambda there: there.check(), []),
    "rebuild_statistics": (lambda there: there.rebuild_statistics(), None),
    "reencode_sparse": (lambda there: there.reencode_sparse(), ROWS),
    "delete by an expression": (lambda there: there.delete(expr='id like "1%"'), ROWS / 2),
    "delete by a filter": (lambda there: there.delete(filter=EVEN), ROWS / 2),
}


@pytest.fixture
def there(lite_server: str, collection_name: str) -> Iterator[MilvusStore]:
    """A store on what it takes for a server, with more rows than a page or a batch has."""
    with servers_over_lite(), MilvusStore(lite_server, collection_name=collection_name) as made:
        made.add(
            Record(id=f"{n:03}", text=f"parrot {n}", metadata={"even": n % 2 == 0})
            for n in range(ROWS)
        )
        yield made


@pytest.mark.parametrize("name", CALLS)
def test_few_ids_are_held(name: str, there: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are read, those of some batches are there at one time."""
    call, expected = CALLS[name]
    for module, size in (
        (store, "SCROLL_SIZE"),
        (write, "_ERASED_AT_ONCE"),
        (reencoding, "_BATCH"),
        (selection, "IDS_PER_CALL"),
    ):
        monkeypatch.setattr(module, size, BATCH)
    monkeypatch.setattr(reencoding, "sleep", lambda _: None)
    monkeypatch.setattr(selection.Selection, "outdoes_scan", lambda *_: False)
    monkeypatch.setattr(candidates, "SAMPLE", 1)
    monkeypatch.setattr(candidates, "SPARE", 0.1)
    with held_keys(PAGE) as held:
        assert call(there) == expected
    assert held.read >= ROWS / 3
    assert held.most <= FEW
