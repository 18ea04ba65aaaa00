"""Adding the column of a metadata key to a collection that is there.

The layout first says that the column is being filled: every process that has looked again since
writes it, and none filters by it. Then the rows whose column is NULL although their metadata has
the key get its value, a page at a time, until there are none. Only then do filters go by it.

What is filled is not NULL any more, so a call that was cut short is gone on with by the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic, sleep
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.store.batches import batched_keys
from hybridge.store.engine.collection import LOOK_AGAIN, Collection
from hybridge.store.layout import Layout
from hybridge.store.rows import check_columns, column

KNOWN_AFTER = 2 * LOOK_AGAIN
"""Seconds after which other processes write the column: they look again, and end a write."""

_BATCH = 1000


def add_column(
    collection: Collection, layout: Layout, key: str, kind: type, *, progress: bool = False
) -> int:
    """Add a column and fill it; goes on where that was interrupted.

    Args:
        collection: The collection.
        layout: What it holds.
        key: The metadata key.
        kind: The type of its values.
        progress: Whether to show a progress bar.

    Returns:
        How many rows got a value.

    Raises:
        InvalidInputError: If the column or a row has another type.
        EngineError: If the server does not add the column.
    """
    if not layout.has_context:
        msg = (
            f"the rows of {collection.name!r}, which an earlier version or another library made, "
            "do not say who wrote them: copy it to a new one with metadata_schema="
        )
        raise InvalidInputError(msg)
    there = layout.columns.get(key, kind)
    if there is not kind:
        msg = f"the column {key!r} is there with the type {there.__name__}, not {kind.__name__}"
        raise InvalidInputError(msg)
    if key not in layout.columns:
        _check_rows(collection, key, kind)
        collection.add_column(key, kind, layout)
    elif key not in layout.added:
        return 0
    return _complete(collection, key, kind, progress=progress)


def _check_rows(collection: Collection, key: str, kind: type) -> None:
    for rows in collection.select("", ["id", "metadata"]):
        for row in rows:
            _check(row, key, kind)


def _check(row: dict[str, Any], key: str, kind: type) -> None:
    check_columns(row["metadata"], {key: kind}, f"the row {shown(row['id'])}")


def _complete(collection: Collection, key: str, kind: type, *, progress: bool) -> int:
    """Fill the column, and again what was written by processes that did not know of it yet."""
    known = monotonic() + KNOWN_AFTER
    done = _fill(collection, key, kind, progress=progress)
    layout = collection.layout()
    if layout is not None and key in layout.filling:
        sleep(max(0.0, known - monotonic()))
        done += _fill(collection, key, kind)
        collection.note_filled(key)
        done += _fill(collection, key, kind)
    return done


def _fill(collection: Collection, key: str, kind: type, *, progress: bool = False) -> int:
    """Write the values that the column lacks; return of how many rows."""
    done, total = 0, collection.count(_is_null(key)) if progress else None
    for batch in batched_keys(_lacking(collection, key), _BATCH, what="fill", total=total):
        _fill_rows(collection, batch, key, kind)
        done += len(batch)
    return done


def _is_null(key: str) -> str:
    return f"{column(key)} is null"


def _lacking(collection: Collection, key: str) -> Iterator[str]:
    """Yield the primary keys of rows whose column is NULL, and whose metadata has a value."""
    for rows in collection.select(_is_null(key), ["metadata"]):
        for row in rows:
            if row["metadata"].get(key) is not None:
                yield row[collection.key]


def _fill_rows(collection: Collection, keys: Sequence[str], key: str, kind: type) -> None:
    """Write the values of rows, and again of those that another process has changed meanwhile."""
    left = list(keys)
    while left:
        with collection.shared.lock:
            collection.check_writable()
            rows = collection.read(left, ["id", "metadata", "write"])
            for row in rows.values():
                _check(row, key, kind)
            marks = {one: row["write"] for one, row in rows.items()}
            values = {one: {column(key): row["metadata"].get(key)} for one, row in rows.items()}
            left = collection.update(values, marks)
