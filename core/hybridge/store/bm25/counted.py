"""Writes that keep the BM25 counts true."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from hybridge.sparse.counting import TermCounts
from hybridge.sparse.statistics import Statistics
from hybridge.store.bm25.live import LiveBM25
from hybridge.store.bm25.statistics_log import DONE, OPEN, with_state
from hybridge.store.engine.collection import Collection


class Change(NamedTuple):
    """What a write changes of one field's counts.

    Attributes:
        bm25: The field's BM25.
        added: The counts of the texts that are new.
        removed: The counts of the texts that are gone.
    """

    bm25: LiveBM25
    added: Statistics
    removed: Statistics

    @classmethod
    def of(
        cls, bm25: LiveBM25, added: TermCounts | None = None, removed: TermCounts | None = None
    ) -> Change:
        """Return the change of these texts."""
        plus, minus = (
            Statistics() if one is None else one.statistics() for one in (added, removed)
        )
        return cls(bm25, plus, minus)


@contextmanager
def counted(
    collection: Collection,
    changes: Sequence[Change],
    erased: Mapping[str, str | None] | None = None,
) -> Generator[str]:
    """Bring the counts up to date with the rows that the block writes or deletes.

    Where others write as well, the counts are there before the rows, so that anyone can settle a
    write that is cut short. On a path they follow, but for a deletion: so rows that are counted and
    not there were lost. If anything fails, they are read anew at the next use.

    Args:
        collection: The collection, whose lock the caller holds.
        changes: What changes, by field.
        erased: Some of the keys that the block deletes, with the marks of their rows: an unfinished
            deletion can be told by them.

    Yields:
        The mark of the write, for its rows.
    """
    is_shared = collection.shows_marks
    for change in changes:
        _ = change.bm25.statistics  # read before the rows change
        if is_shared:
            change.bm25.settle()
    some = [change for change in changes if change.added.documents or change.removed.documents]
    mark = collection.shared.next_write(counted=bool(some))
    evidence = {"erased": dict(erased)} if erased else {}
    rows = [change.bm25.log.rows(mark, change.added, change.removed, evidence) for change in some]
    every = [row for of_field in rows for row in of_field]
    try:
        if is_shared or erased:
            collection.companion.upsert(with_state(every, OPEN if is_shared else DONE))
        yield mark
        if is_shared or not erased:
            collection.companion.upsert(with_state(every, DONE))
    except BaseException:
        for change in changes:
            change.bm25.suspect()
        raise
    for change, of_field in zip(some, rows, strict=True):
        change.bm25.count_write(of_field, change.added, change.removed)
