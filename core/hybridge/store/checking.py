"""Whether what BM25 keeps agrees with the live rows."""

from __future__ import annotations

import math

from hybridge.records import SparseVector
from hybridge.sparse.statistics import Statistics
from hybridge.store.collection import Collection
from hybridge.store.live_bm25 import LiveBM25


def check_bm25(collection: Collection, bm25: LiveBM25) -> list[str]:
    """Return what differs from a fresh count over the live rows, and what mends it."""
    with collection.shared.lock:
        stored, fresh = bm25.stored_statistics(), bm25.fresh_statistics()
        differences = [
            f"BM25 statistics: {difference}; rebuild_statistics() mends it"
            for difference in _differences(stored, fresh)
        ]
        if stale := _stale_vectors(collection, bm25):
            differences.append(
                f"{stale} rows have sparse vectors of another average length; "
                "reencode_sparse() mends it"
            )
        return differences


def _differences(stored: Statistics | None, fresh: Statistics) -> list[str]:
    if stored is None:
        return ["the stored rows contradict themselves"]
    differences = [
        f"{name} are {getattr(stored, name):,} and should be {getattr(fresh, name):,}"
        for name in ("documents", "tokens")
        if getattr(stored, name) != getattr(fresh, name)
    ]
    terms = stored.frequencies.items() ^ fresh.frequencies.items()
    if terms:
        differences.append(f"the frequencies of {len(dict(terms)):,} terms differ")
    return differences


def _stale_vectors(collection: Collection, bm25: LiveBM25) -> int:
    stale = 0
    for rows in collection.select("", ["text", "sparse"]):
        expected = bm25.weigh(bm25.count(row["text"] for row in rows))
        stale += sum(
            not _alike(row["sparse"], vector) for row, vector in zip(rows, expected, strict=True)
        )
    return stale


def _alike(stored: SparseVector, expected: SparseVector) -> bool:
    return stored.keys() == expected.keys() and all(
        math.isclose(stored[index], weight, rel_tol=1e-5) for index, weight in expected.items()
    )
