"""Keeping document vectors near the true average length.

A document's BM25 vector is weighted by an average document length that is frozen, so that a write
changes no other row. As a collection grows, the true average moves away from it. A small collection
is weighed anew by itself, before a search by words or when it has doubled, at a cost that is spread
over the writes like that of a growing array; so one filled document by document ends up ranking
like one filled at once. A large one only reports its drift: `MilvusStore.reencode_sparse` mends it.

Only the sparse field is rewritten: 10,000 rows take about 3 s on Milvus Lite.
"""

from __future__ import annotations

import logging
from itertools import islice

from tqdm.auto import tqdm

from hybridge.store.collection import Collection
from hybridge.store.live_bm25 import LiveBM25

logger = logging.getLogger("hybridge")

SMALL = 10_000
"""Documents up to which a collection is weighed anew by itself."""

MAX_DRIFT = 0.15
"""Drift that is mended, or reported, however few documents have changed."""

_NEGLIGIBLE = 0.001
_BEFORE_SEARCH = 1 / 32
_WHILE_WRITING = 1 / 2
_BATCH = 1000
_UNFINISHED = "reencoding"


def settle_before_search(collection: Collection, bm25: LiveBM25) -> None:
    """Weigh a small collection anew if enough of it has changed, or report a large one's drift."""
    _settle(collection, bm25, _BEFORE_SEARCH)


def settle_while_writing(collection: Collection, bm25: LiveBM25) -> None:
    """Weigh a collection anew when it has doubled before it is large, since nothing will later."""
    if bm25.statistics.documents >= SMALL / 4:
        _settle(collection, bm25, _WHILE_WRITING)


def _settle(collection: Collection, bm25: LiveBM25, share: float) -> None:
    state = collection.shared
    documents = bm25.statistics.documents
    interrupted = False
    if state.changes is None:
        state.changes = abs(documents - state.weighed)
        interrupted = collection.read_value(_UNFINISHED) is not None
    many = state.changes >= max(1, share * documents) and bm25.drift > _NEGLIGIBLE
    if not (many or interrupted or bm25.drift > MAX_DRIFT):
        return
    with state.lock:
        if documents > SMALL:
            _report(collection, bm25, interrupted)
        elif state.broken is None:
            reencode(collection, bm25)
        state.changes = 0


def _report(collection: Collection, bm25: LiveBM25, interrupted: bool) -> None:
    state = collection.shared
    if interrupted or (bm25.drift > MAX_DRIFT and not state.reported):
        state.reported = True
        logger.warning(
            "BM25 of %r: the average document length has moved by %.0f %%%s; "
            "MilvusStore.reencode_sparse() weighs the documents anew",
            collection.name,
            100 * bm25.drift,
            " and an earlier re-encoding was interrupted" if interrupted else "",
        )


def reencode(collection: Collection, bm25: LiveBM25, *, progress: bool = False) -> int:
    """Weigh every document by the true average length; goes on where it was interrupted.

    The companion collection keeps the last id that is done. Writes go on in between, one batch
    at a time, and use the new average from the start.

    Returns:
        How many rows were written.
    """
    unfinished = collection.read_value(_UNFINISHED)
    after = "" if unfinished is None else unfinished["after"]
    if unfinished is None:
        with collection.shared.lock:
            average = bm25.statistics.average_length
            collection.write_value(_UNFINISHED, {"after": ""})
            if average:
                collection.freeze_average_length(average, bm25.statistics.documents)
    ids = sorted(row["id"] for rows in collection.select("", []) for row in rows)
    left = iter([row_id for row_id in ids if row_id > after])
    done = 0
    with tqdm(total=len(ids), disable=not progress, desc="reencode", unit="row") as bar:
        while batch := list(islice(left, _BATCH)):
            done += _reencode_batch(collection, bm25, batch)
            bar.update(len(batch))
    collection.delete_value(_UNFINISHED)
    return done


def _reencode_batch(collection: Collection, bm25: LiveBM25, ids: list[str]) -> int:
    with collection.shared.lock:
        rows = list(collection.read(ids, ["text"]).values())
        vectors = bm25.weigh(bm25.count(row["text"] for row in rows))
        collection.update(
            [
                {"id": row["id"], "sparse": dict(vector)}
                for row, vector in zip(rows, vectors, strict=True)
            ]
        )
        collection.write_value(_UNFINISHED, {"after": ids[-1]})
    return len(rows)
