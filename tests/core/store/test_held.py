"""A server's rows pass through a client page by page: no call holds the ids or texts of all."""

from __future__ import annotations

import gc
import tracemalloc
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


FILLER = " filler" * 80
ALL_CALLS: dict[str, Callable[[MilvusStore], object]] = {
    "add": lambda there: there.add(record(f"new {n}") for n in range(100)),
    "update": lambda there: there.update(["0001", "0002"], metadata={"changed": True}),
    "search without a filter": lambda there: there.search("parrot", k=3),
    **{name: call for name, (call, _) in CALLS.items() if not name.startswith("delete")},
    "delete by ids": lambda there: there.delete(["0001", "0002"]),
    "delete by a filter": lambda there: there.delete(filter=EVEN),
}


def record(name: str) -> Record:
    """Return one whose text is half a kilobyte, of the same terms as others: those are kept."""
    return Record(id=name, text=f"parrot{FILLER}", metadata={"even": name[-1] in "02468"})


def peaks(uri: str, name: str, rows: int) -> dict[str, int]:
    """Return the bytes of Python that each call has at most on a collection of so many rows."""
    found: dict[str, int] = {}
    with MilvusStore(uri, collection_name=f"{name}_{rows}") as there:
        there.add((record(f"{n:04}") for n in range(rows)), batch_size=500)
        for call in ALL_CALLS:
            gc.collect()
            tracemalloc.start()
            try:
                ALL_CALLS[call](there)
                found[call] = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    return found


@pytest.mark.long
def test_memory_does_not_grow_with_the_rows(lite_server: str, collection_name: str) -> None:
    """Three times as many take no more, but for a small part of the texts that there are more."""
    few_rows, many_rows = 3000, 9000  # a page of 1,000 is full of rows that a filter selects
    allowed = (many_rows - few_rows) * len(FILLER) / 10
    with servers_over_lite():
        peaks(lite_server, collection_name, 100)  # whatever is imported late
        few = peaks(lite_server, collection_name, few_rows)
        many = peaks(lite_server, collection_name, many_rows)
    assert {name for name in few if many[name] - few[name] > allowed} == set()
