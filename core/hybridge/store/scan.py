"""What filters are evaluated over: ids, document ids and metadata, kept until the next write.

A filter on a metadata key that has no column needs the metadata of every row. Of the 0.69 s that
such a search takes at 20,000 rows on Milvus Lite, reading them takes 0.58 and evaluating the filter
0.1, so a scan of a whole collection is kept (650 bytes a row). Only on a path, where every write
passes through this process, and only for collections of up to `MOST_ROWS`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hybridge.records import Record
from hybridge.store.collection import Collection
from hybridge.store.shared import Scan

MOST_ROWS = 50_000
"""Rows up to which a scan is kept."""


def scan(collection: Collection, expression: str) -> Iterator[Record]:
    """Yield what a filter can ask for, of every row that an expression selects; "" selects all."""
    state = collection.shared
    keep = not expression and collection.connection.address.is_path
    kept = state.scanned  # read once: a write in another thread takes it away
    if keep and kept is not None and kept.version == state.version:
        yield from kept.records
        return
    # A write that ends while this reads makes another version, so nothing stale is kept.
    version, records = state.version, list[Record]()
    for rows in collection.select(expression, ["document_id", "metadata"]):
        for row in rows:
            record = Record(**row)
            if keep and len(records) <= MOST_ROWS:
                records.append(record)
            yield record
    if keep and len(records) <= MOST_ROWS:
        state.scanned = Scan(version, records)
