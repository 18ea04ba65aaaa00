"""Keeping document vectors near the true average length.

A document's BM25 vector is weighed by an average document length that is frozen, so that a write
changes no other row. The first `AVERAGED` documents fix it: those of the first call where it brings
as many, and then no row is ever written twice. A collection filled in smaller steps is weighed anew
each time it has grown fourfold until it has that many, so both end with the same average.

Later the average is left alone until it has moved by more than `MAX_DRIFT` and the collection has
doubled. A small collection is then weighed anew once, at a cost that is spread over its writes like
that of a growing array; a large one only reports its drift: `MilvusStore.reencode_sparse` mends it.
Only the sparse field is rewritten: 10,000 rows take about 3 s on Milvus Lite. In a collection that
other processes write to, nothing is weighed anew by itself but the first rows of a tenant that two
processes have brought at one time.
"""

from __future__ import annotations

import logging
from time import sleep
from typing import Any

from hybridge.store.batches import batched_keys
from hybridge.store.bm25.live import AVERAGED, LiveBM25
from hybridge.store.engine.collection import LOOK_AGAIN
from hybridge.store.rows import to_record

logger = logging.getLogger("hybridge")

SMALL = 10_000
"""Documents up to which a collection is weighed anew by itself."""

MAX_DRIFT = 0.15
"""Drift that is mended, or reported."""

_YOUNG_GROWTH = 4
_NEGLIGIBLE = 0.001
_BATCH = 1000


def settle(bm25: LiveBM25) -> None:
    """Weigh a small collection anew if the rule above says so; report a large one's drift.

    The caller holds the shared lock, after a write.
    """
    if bm25.collection.is_shared:
        if bm25.is_overruled():
            _weigh_rows(bm25)
            bm25.state.overruled = False
        return
    state, documents = bm25.state, bm25.statistics.documents
    if state.interrupted is None:
        state.interrupted = bm25.read_progress() is not None
    doubled = documents >= 2 * state.weighed
    grown = documents >= min(AVERAGED, _YOUNG_GROWTH * state.weighed)
    young = state.weighed < AVERAGED and grown
    moved = (young and bm25.drift > _NEGLIGIBLE) or (doubled and bm25.drift > MAX_DRIFT)
    if not (moved or state.interrupted):
        return
    if documents > SMALL:
        _report(bm25)
    else:
        reencode(bm25)


def _report(bm25: LiveBM25) -> None:
    state = bm25.state
    if not state.reported:
        state.reported = True
        logger.warning(
            "BM25 of %r: the average document length has moved by %.0f %%%s; "
            "MilvusStore.reencode_sparse() weighs the documents anew",
            bm25.collection.name,
            100 * bm25.drift,
            " and an earlier re-encoding was interrupted" if state.interrupted else "",
        )


def reencode(bm25: LiveBM25, *, progress: bool = False) -> int:
    """Weigh every document by the true average length; goes on where it was interrupted.

    The companion collection keeps the last key that is done. Writes go on in between, one batch
    at a time, and use the new average from the start.

    Returns:
        How many rows were written.
    """
    collection = bm25.collection
    after = bm25.read_progress()
    if after is None:
        with collection.shared.lock:
            statistics = bm25.statistics
            bm25.write_progress("")
            if statistics.average_length:
                bm25.freeze(statistics.average_length, statistics.documents)
        if collection.is_shared:
            sleep(LOOK_AGAIN)  # until every other process weighs by it
    return _weigh_rows(bm25, after or "", progress=progress)


def _weigh_rows(bm25: LiveBM25, after: str = "", *, progress: bool = False) -> int:
    """Weigh the rows after a key by the average length that stands; return how many."""
    collection = bm25.collection
    total = collection.count(bm25.scope) if progress else None
    left = collection.keys(bm25.scope, after)
    batches = batched_keys(left, _BATCH, what="reencode", total=total)
    done = sum(_reencode_batch(bm25, batch) for batch in batches)
    bm25.end_progress()
    return done


def _reencode_batch(bm25: LiveBM25, keys: list[str]) -> int:
    """Weigh rows anew, and again those that another process changes meanwhile."""
    done, left = 0, keys
    with bm25.collection.shared.lock:
        while left:
            vectors, marks = _weighed(bm25, left)
            left = bm25.collection.update(vectors, marks)
            done += len(vectors) - len(left)
        bm25.write_progress(keys[-1])
    return done


def _weighed(bm25: LiveBM25, keys: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the field's vectors of rows as they are now, as columns, and the rows' marks."""
    collection, field = bm25.collection, bm25.field
    layout = collection.layout()
    if layout is None:
        return {}, {}
    marked = ["write"] if collection.shows_marks else []
    rows = collection.read(keys, ["id", *layout.data_columns, *marked])
    texts = {key: field.text_of(to_record(row, {})) for key, row in rows.items()}
    counted = {key: text for key, text in texts.items() if text is not None}
    vectors = bm25.weigh(bm25.count(counted.values()))
    columns = {key: {field.name: one} for key, one in zip(counted, vectors, strict=True)}
    return columns, {key: row.get("write") for key, row in rows.items()}
