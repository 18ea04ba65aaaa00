"""An analyzer that is another one now: after an upgrade, or since the user wants another.

The rows keep the terms of the analyzer that made them, and no query of another one finds them. So
sparse searches of the field are refused; everything else goes on. What is written meanwhile carries
no terms and is counted nowhere: the layout says that the field is outdated. `reindex_sparse` gives
the field to the analyzer that is here, counts all rows by it and weighs them anew, in place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from hybridge.store.bm25.field import OUTDATED, REINDEXING, BM25Field
from hybridge.store.bm25.live import LiveBM25
from hybridge.store.bm25.reencoding import reencode
from hybridge.store.fields import VectorField
from hybridge.store.layout import Layout

if TYPE_CHECKING:
    from hybridge.store.session import Opened

logger = logging.getLogger("hybridge")


def check_current(bm25: LiveBM25) -> None:
    """Check that all rows have the terms of the analyzer that is here.

    Raises:
        CollectionMismatchError: If they have not; it names `reindex_sparse`.
    """
    if bm25.is_outdated:
        raise bm25.outdated_error()


def current_fields(fields: Sequence[VectorField], opened: Opened) -> list[VectorField]:
    """Return the fields that can be searched: all, or those that are not outdated, with a warning.

    Raises:
        CollectionMismatchError: If no other field is left.
    """
    outdated = [one.function for one in fields if isinstance(one, BM25Field) and _is_old(one)]
    if not outdated:
        return list(fields)
    current = [one for one in fields if not (isinstance(one, BM25Field) and _is_old(one))]
    if not current:
        raise outdated[0].outdated_error()
    shared = opened.collection.shared
    if not shared.told_outdated:
        shared.told_outdated = True
        logger.warning("%s; until then the other fields answer", outdated[0].outdated_error())
    return current


def _is_old(field: BM25Field) -> bool:
    return isinstance(field.function, LiveBM25) and field.function.is_outdated


def note_outdated(bm25: LiveBM25) -> None:
    """Note, before rows are changed that it does not count, that a field's counts are outdated."""
    if bm25.field.state is None:
        change_field(bm25, lambda field: field.with_state(OUTDATED))


def adopt(bm25: LiveBM25) -> bool:
    """Give a field to the analyzer that is here; return whether it had another one."""
    field = bm25.field
    if not bm25.is_outdated or (field.state == REINDEXING and not bm25.differs):
        return False
    change_field(bm25, lambda one: one.analyzed_by(bm25.analyzer).with_state(REINDEXING))
    return True


def analyzed_here(opened: Opened) -> Layout:
    """Return the layout with the analyzers that are here: that of a collection without rows."""
    layout = opened.layout
    for bm25 in opened.bm25:
        layout = layout.with_field(bm25.field.analyzed_by(bm25.analyzer).with_state(None))
    return layout


def reindex(tenants: Sequence[LiveBM25], *, afresh: bool, progress: bool) -> int:
    """Count and weigh the rows of a field by the analyzer that the field has been given to.

    Args:
        tenants: The field as each tenant has it.
        afresh: Whether to begin with the first row; else where an earlier call was cut short.
        progress: Whether to show a progress bar.

    Returns:
        How many rows were written.
    """
    if afresh:
        for bm25 in tenants:
            bm25.end_progress()
    done = 0
    for bm25 in tenants:
        bm25.recount()
        done += reencode(bm25, progress=progress)
    return done


def finish(bm25: LiveBM25) -> None:
    """Note that all rows have the terms of the field's analyzer."""
    change_field(bm25, lambda field: field.with_state(None))


def change_field(bm25: LiveBM25, change: Callable[[BM25Field], BM25Field]) -> None:
    """Change what the layout says of a field."""
    name = bm25.field.name

    def changed(layout: Layout) -> Layout:
        fields: Mapping[str, VectorField] = layout.fields
        one = fields[name]
        return layout.with_field(change(one)) if isinstance(one, BM25Field) else layout

    bm25.collection.change_layout(changed)
