"""Which rows of many files have a primary key that a later row has too.

Milvus's bulk import inserts what it is given: a key that is there twice is there twice. All keys of
a large collection do not fit into memory, so their hashes go into as many files as hold a few
million each, by hash, and each of those is looked through alone. That takes 24 bytes a row on disk
and one pass over the keys, whatever their number.

Keys are told apart by 128 bits: of ten billion, two are taken for one with a chance of 1 in 10^19.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from hybridge.store import batched

_TOGETHER = 4_000_000
"""Hashes that are looked through at once: 250 MB with their order."""

_AT_ONCE = 100_000
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("file", "<u4"), ("row", "<u4")])
_LOW = 2**64 - 1


def repeated_rows(files: Iterable[tuple[Path, Iterator[str]]], rows: int) -> dict[Path, set[int]]:
    """Return by file the places of rows whose key a later row has.

    Args:
        files: Each file, and its keys in order.
        rows: About how many rows there are.
    """
    paths: list[Path] = []
    found: dict[Path, set[int]] = defaultdict(set)
    with ExitStack() as stack:
        buckets = [stack.enter_context(TemporaryFile()) for _ in range(rows // _TOGETHER + 1)]
        for path, keys in files:
            _put(keys, len(paths), buckets)
            paths.append(path)
        for bucket in buckets:
            for file, row in _earlier(bucket):
                found[paths[file]].add(row)
    return dict(found)


def _put(keys: Iterator[str], file: int, buckets: list[Any]) -> None:
    """Put the hashes of a file's keys into the buckets."""
    row = 0
    for some in batched(keys, _AT_ONCE):
        hashes = [xxhash.xxh3_128_intdigest(key.encode()) for key in some]
        entries = np.empty(len(some), dtype=_ENTRY)
        entries["high"] = [one >> 64 for one in hashes]
        entries["low"] = [one & _LOW for one in hashes]
        entries["file"], entries["row"] = file, np.arange(row, row + len(some))
        row += len(some)
        of_bucket = entries["high"] % len(buckets)
        for number, bucket in enumerate(buckets):
            bucket.write(entries[of_bucket == number].tobytes())


def _earlier(bucket: Any) -> Iterator[tuple[int, int]]:
    """Yield the file and the place of each row of a bucket that a later one repeats."""
    bucket.seek(0)
    entries: NDArray[Any] = np.frombuffer(bucket.read(), dtype=_ENTRY)
    # Entries are in the order of the rows, and lexsort keeps it among equal ones.
    ordered = entries[np.lexsort((entries["low"], entries["high"]))]
    same = (ordered["high"][1:] == ordered["high"][:-1]) & (
        ordered["low"][1:] == ordered["low"][:-1]
    )
    earlier = ordered[:-1][same]
    yield from zip(earlier["file"].tolist(), earlier["row"].tolist(), strict=True)
