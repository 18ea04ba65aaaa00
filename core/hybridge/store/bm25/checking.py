"""Whether what BM25 keeps agrees with the live rows."""

from __future__ import annotations

import math

from hybridge.records import SparseVector
from hybridge.sparse.statistics import Statistics
from hybridge.store.bm25.live import LiveBM25, OthersWriteError


def check_bm25(bm25: LiveBM25) -> list[str]:
    """Return what differs from a fresh count over the live rows, and what mends it."""
    if bm25.is_outdated:
        return [str(bm25.outdated_error())]
    bm25.look_again(0.0)
    with bm25.collection.shared.lock:
        try:
            fresh, entries = bm25.snapshot()
            stored = bm25.log.read(bm25.counting(entries))
        except OthersWriteError as error:
            return [str(error)]
        differences = [
            f"BM25 statistics: {difference}; rebuild_statistics() mends it"
            for difference in _differences(stored, fresh)
        ]
        if stale := _stale_vectors(bm25):
            differences.append(
                f"{stale} rows have sparse vectors of another average length; "
                "reencode_sparse() mends it"
            )
        return differences


def _differences(stored: Statistics | None, fresh: Statistics) -> list[str]:
    if stored is None:
        return ["rows of them are gone"]
    differences = [
        f"{name} are {getattr(stored, name):,} and should be {getattr(fresh, name):,}"
        for name in ("documents", "tokens")
        if getattr(stored, name) != getattr(fresh, name)
    ]
    terms = stored.frequencies.items() ^ fresh.frequencies.items()
    if terms:
        differences.append(f"the frequencies of {len(dict(terms)):,} terms differ")
    return differences


def _stale_vectors(bm25: LiveBM25) -> int:
    return sum(not _alike(there, made) for there, made in bm25.vectors_and_made_anew())


def _alike(stored: SparseVector, expected: SparseVector) -> bool:
    return stored.keys() == expected.keys() and all(
        math.isclose(stored[index], weight, rel_tol=1e-5) for index, weight in expected.items()
    )
