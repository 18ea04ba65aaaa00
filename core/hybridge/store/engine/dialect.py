"""What differs between Milvus Lite and a server, and between one process and many.

An engine says how its rows are read and indexed. Whether the collection is `exclusive` to this
process (a path) is another question: `milvus-lite server` is Milvus Lite, shared by many. Nothing
outside this file asks which engine it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hybridge.store.engine.address import Address
    from hybridge.store.engine.connection import Connection

Rows = list[dict[str, Any]]


class Engine(Protocol):
    """How an engine is asked.

    Attributes:
        exact_indexes: Whether only an exact index answers filtered searches in full.
        column_indexes: Whether scalar columns have indexes.
        parallel_searches: Whether several fields are searched side by side.
    """

    exact_indexes: bool
    column_indexes: bool
    parallel_searches: bool

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: str
    ) -> Iterator[Rows]:
        """Yield the rows that an expression selects, in pages; "" selects all."""
        ...


class Lite:
    """Milvus Lite, in this process or as `milvus-lite server`.

    HNSW and AUTOINDEX return too few rows where there is a filter; searching two fields side by
    side gains nothing.
    """

    exact_indexes = True
    column_indexes = False
    parallel_searches = False

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: str
    ) -> Iterator[Rows]:
        """Yield the rows in one page: an iterator logs a warning and is 50 % slower."""
        wanted = expression or f'{key} != ""'
        yield list(connection.call("query", name, filter=wanted, output_fields=columns))


class Server:
    """A Milvus server, or Zilliz Cloud."""

    exact_indexes = False
    column_indexes = True
    parallel_searches = True

    def select(
        self, connection: Connection, name: str, expression: str, columns: list[str], key: str
    ) -> Iterator[Rows]:
        """Yield the rows in pages: one answer holds 16,384 rows at most."""
        iterator = connection.call(
            "query_iterator", name, filter=expression, output_fields=columns, batch_size=1000
        )
        try:
            while batch := connection.answer(iterator.next):
                yield list(batch)
        finally:
            iterator.close()


@dataclass(frozen=True)
class Dialect:
    """How a collection is talked to.

    Attributes:
        engine: Which engine answers.
        exclusive: Whether every write passes through this process. Then scans are kept, unflushed
            rows are counted and flushed before a read, document vectors are weighed anew, and
            statistics that disagree with the rows are counted afresh.
    """

    engine: Engine
    exclusive: bool


def detect(address: Address, version: str) -> Dialect:
    """Return the dialect of an address, by the version that the engine says it has.

    A real server may call itself "v2.3.5-lite"; Milvus Lite's version starts with its name.
    """
    is_lite = address.is_path or version.lower().startswith("milvus_lite")
    return Dialect(Lite() if is_lite else Server(), exclusive=address.is_path)
