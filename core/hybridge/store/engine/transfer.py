"""Rows in and out, in messages that fit.

A server takes and gives 64 MiB at once, Milvus Lite 256. How many rows that is depends on them, so
what is too large is halved; only what is surely too large is cut before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hybridge.errors import EngineError
from hybridge.filters import Column, conjunction, ids_expression
from hybridge.narrowing import is_mapping

if TYPE_CHECKING:
    from hybridge.store.engine.connection import Connection

# Ids in one expression: 10,000 of them cost a search 50 to 130 ms on Milvus Lite.
IDS_PER_CALL = 10_000


def read_rows(
    connection: Connection,
    name: str,
    key: Column,
    keys: Sequence[str],
    columns: Sequence[str],
    expression: str = "",
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of these keys that an expression selects; missing ones are left out.

    A query by key sees what this process has written, and needs no paging.
    """
    size, start = IDS_PER_CALL, 0
    while start < len(keys):
        some = keys[start : start + size]
        wanted = conjunction(ids_expression(some, key), expression)
        names = list(dict.fromkeys([key.name, *columns]))
        try:
            yield list(connection.call("query", name, filter=wanted, output_fields=names))
        except EngineError as error:
            if not error.too_large or len(some) == 1:
                raise
            size = (len(some) + 1) // 2
            continue
        start += len(some)


def upsert_rows(
    connection: Connection, name: str, rows: list[dict[str, Any]], **arguments: Any
) -> None:
    """Write rows, in as few calls as hold them.

    Args:
        connection: The connection.
        name: The collection.
        rows: The rows; for none nothing is sent.
        **arguments: What pymilvus's `upsert` takes beside.
    """
    for some in _cut(rows, connection.dialect.engine.message_bytes // 2) if rows else ():
        try:
            connection.call("upsert", name, data=some, **arguments)
        except EngineError as error:
            if not error.too_large or len(some) == 1:
                raise
            middle = len(some) // 2
            upsert_rows(connection, name, some[:middle], **arguments)
            upsert_rows(connection, name, some[middle:], **arguments)


_LARGEST_ROW = 512 * 1024
"""About what a row can have: text, context, metadata and extra, and vectors of 16,000 numbers."""


def _cut(rows: list[dict[str, Any]], limit: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in parts of about so many bytes."""
    if len(rows) * _LARGEST_ROW <= limit:
        yield rows
        return
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        bytes_of_row = sum(map(message_bytes, row.values()))
        if part and size + bytes_of_row > limit:
            yield part
            part, size = [], 0
        part.append(row)
        size += bytes_of_row
    yield part


def message_bytes(value: Any) -> int:
    """Return about how many bytes a value has in a message."""
    if isinstance(value, str):
        return len(value.encode())
    if is_mapping(value):
        return len(repr(value).encode())
    return 4 * len(value) if hasattr(value, "__len__") else 8
