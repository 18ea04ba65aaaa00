"""What a crash has left of the BM25 counts of a path.

There the rows of a write come first and its counts follow. So rows with a mark that is ahead of all
counts are those of a write that was cut short. Of a deletion the counts come first: it was cut
short if rows that it names are still there. In both cases the rows are counted anew.

So rows that are counted and not there are gone without a deletion of ours: files of the engine are
damaged. Of a whole collection that costs one count, and is told by whatever call comes first.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hybridge.filters import ids_expression, quote
from hybridge.store.bm25.live import damaged
from hybridge.store.bm25.statistics_log import Entry, entries_of

if TYPE_CHECKING:
    from hybridge.store.engine.shared import SharedState
    from hybridge.store.session import Opened

logger = logging.getLogger("hybridge")


def resume(opened: Opened, *, give_up: bool = False) -> None:
    """Go on after the writes of earlier processes, once, before anything is counted or written.

    A collection that other processes write to needs none of it: there an unfinished write is told
    by its open counts.

    Args:
        opened: The collection.
        give_up: Whether to go on without rows that are gone.

    Raises:
        StoreDamagedError: If rows are gone that no deletion took.
    """
    collection = opened.collection
    shared = collection.shared
    if collection.is_shared or shared.resumed or not opened.bm25:
        return
    with shared.lock:
        if not shared.resumed:
            collection.connection.load(collection.name)  # then its rows are counted in this process
            entries = entries_of(collection.companion.listing(None))
            own = [entry.last for entry in entries if entry.writer == shared.writer]
            shared.writes = max([shared.writes, *own])
            if not give_up:
                _check_whole(opened, entries)
            if collection.has_marks:
                _count_anew(opened, f"write == {quote(f'{shared.writer}/{shared.writes + 1}')}")
                for erased in _erased_last(entries, shared):
                    _count_anew(opened, ids_expression(erased, collection.known.key_column))
            shared.resumed = not give_up


def _check_whole(opened: Opened, entries: Iterable[Entry]) -> None:
    """Refuse a collection that has fewer rows than a field counts documents in all tenants."""
    groups = defaultdict[tuple[str, str], list[Entry]](list)
    for entry in entries:
        groups[entry.field, entry.tenant].append(entry)
    documents = Counter[str]()
    for bm25 in opened.bm25:
        for (field, _), some in groups.items():
            if field == bm25.field.name:
                documents[field] += sum(entry.documents for entry in bm25.counting(some))
    counted, live = max(documents.values(), default=0), opened.collection.count("")
    if counted > live:
        raise damaged(counted - live, counted, opened.collection.name)


def _erased_last(entries: Sequence[Entry], shared: SharedState) -> list[list[str]]:
    """Return keys that the last write was to delete, of each field and tenant."""
    mark = f"{shared.writer}/{shared.writes}"
    return [list(entry.erased) for entry in entries if entry.mark == mark and entry.erased]


def _count_anew(opened: Opened, written: str) -> None:
    """Count the rows anew of the fields and tenants that a write has touched.

    Args:
        opened: The collection.
        written: Selects the rows that tell of the write.
    """
    if not opened.collection.count(written):
        return
    logger.warning(
        "the last write to %r was cut short, as by a crash: its BM25 statistics are counted anew",
        opened.collection.name,
    )
    tenants = opened.tenants(written)
    for one in [opened.of_tenant(tenant) for tenant in tenants] or [opened]:
        for bm25 in one.bm25:
            if not bm25.is_outdated:
                bm25.recount()
