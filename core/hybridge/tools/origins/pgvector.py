"""PostgreSQL with pgvector: the collections of LangChain's `PGVector`, and any other table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.columns import Columns
from hybridge.tools.origins.origin import PAGE, Origin, make_record

_EMBEDDINGS = "langchain_pg_embedding"
_DRIVER = re.compile(r"^postgres(ql)?\+\w+:")
_FOUND = """
FROM langchain_pg_embedding AS item JOIN langchain_pg_collection AS owner
ON owner.uuid = item.collection_id
WHERE owner.name = %s
"""
_IDS = {"id": "item.id", "custom_id": "COALESCE(item.custom_id, item.uuid::text)"}
"""What the id of a row is, by a column that only this version of the table has."""

_KNOWN = (
    # The `PGVectorStore` of langchain-postgres, which keeps some metadata in columns.
    Columns("langchain_id", "content", {"dense": "embedding"}, "langchain_metadata", others=True),
    # The `PGVectorStore` of LlamaIndex.
    Columns("node_id", "text", {"dense": "embedding"}, "metadata_"),
)
_VECTORS = ("vector", "halfvec")
_INDEXED_WORDS = "tsvector"


@dataclass(frozen=True)
class FromPGVector(Origin):
    """A collection of LangChain's `PGVector`; needs `psycopg`.

    Tables of `langchain-postgres` and of the older `langchain-community` are read alike. Rows come
    through a cursor of the server, all as they were when it was opened.

    Attributes:
        connection: The address of the database, such as "postgresql://user@host/name"; one that
            names a driver, "postgresql+psycopg://…", is read as well.
        collection: The name of the collection.
        metric: How the vectors are compared; the default of `PGVector` is cosine.
    """

    connection: str = field(repr=False)
    collection: str
    metric: Metric = "COSINE"

    def count(self) -> int:
        """Return how many rows the collection has."""
        with closing(self._connect()) as connection:
            counted = connection.execute(f"SELECT count(*) {_FOUND}", [self.collection])
            return int(counted.fetchone()[0])

    def records(self) -> Iterator[Record]:
        """Yield the record of each row."""
        with closing(self._connect()) as connection:
            row_id = next(_IDS[name] for name in _types(connection, _EMBEDDINGS) if name in _IDS)
            columns = f"{row_id}, item.document, item.cmetadata, item.embedding::real[]"
            rows = _rows(connection, f"SELECT {columns} {_FOUND}", [self.collection])
            for key, text, metadata, vector in rows:
                yield make_record(key, text, metadata, {"dense": vector})

    def _connect(self) -> Any:
        connection = _connect(self.connection, "FromPGVector")
        names = connection.execute("SELECT name FROM langchain_pg_collection").fetchall()
        there = sorted(name for [name] in names)
        if self.collection not in there:
            connection.close()
            msg = f"there is no collection {self.collection!r}, but {there}: name one of these"
            raise InvalidInputError(msg)
        return connection


@dataclass(frozen=True)
class FromPostgres(Origin):
    """A table with pgvector's vectors; needs `psycopg`.

    Attributes:
        connection: See `FromPGVector`.
        table: The table, such as "documents" or "schema.documents".
        columns: Which column holds what; None knows the tables of the `PGVectorStore` of
            `langchain-postgres` and of LlamaIndex ("data_<table_name>").
        metric: How the vectors are compared.
    """

    connection: str = field(repr=False)
    table: str
    columns: Columns | None = None
    metric: Metric = "COSINE"

    def count(self) -> int:
        """Return how many rows the table has."""
        with closing(self._connect()) as connection:
            counted = connection.execute(f"SELECT count(*) FROM {self._name}")
            return int(counted.fetchone()[0])

    def records(self) -> Iterator[Record]:
        """Yield the record of each row."""
        with closing(self._connect()) as connection:
            types = _types(connection, self._name)
            read = [name for name, kind in types.items() if kind != _INDEXED_WORDS]
            columns = self.columns or self._known(read)
            columns.check(read, f"the table {self.table!r}")
            asked = ", ".join(
                _quoted(name) + ("::real[]" if types[name] in _VECTORS else "") for name in read
            )
            for row in _rows(connection, f"SELECT {asked} FROM {self._name}"):
                yield columns.record(dict(zip(read, row, strict=True)))

    @property
    def _name(self) -> str:
        return ".".join(map(_quoted, self.table.split(".")))

    def _connect(self) -> Any:
        return _connect(self.connection, "FromPostgres")

    def _known(self, names: Sequence[str]) -> Columns:
        """Return the columns of a table that a known library made, else the usual ones."""
        found = (one for one in _KNOWN if set(names) >= set(one.named()))
        return next(found, Columns())


def _connect(address: str, user: str) -> Any:
    psycopg = import_extra("psycopg", user, package="psycopg[binary]")
    return psycopg.connect(_DRIVER.sub("postgresql:", address))


def _types(connection: Any, table: str) -> Mapping[str, str]:
    """Return the type of each column of a table, in order."""
    find = (
        "SELECT attname, typname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return dict(connection.execute(find, [table]).fetchall())


def _rows(connection: Any, select: str, given: Sequence[Any] = ()) -> Iterator[Any]:
    """Yield the rows of a query through a cursor of the server, a page at a time."""
    with connection.cursor("hybridge", binary=True) as rows:
        rows.itersize = PAGE
        rows.execute(select, given)
        yield from rows


def _quoted(name: str) -> str:
    """Return an identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
