"""The companion of a collection: its layout, its BM25 counts, values such as average lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hybridge.errors import CollectionMismatchError, EngineError
from hybridge.filters import ID_COLUMN, ids_expression, quote
from hybridge.store.engine.connection import Connection
from hybridge.store.engine.schema import create_companion
from hybridge.store.engine.transfer import IDS_PER_CALL, read_rows, upsert_rows
from hybridge.store.fields import EMPTY_SPARSE

LAYOUT = "layout"
AVERAGE_LENGTH = "average_length"
HEALTH = "health"
SUFFIX = "__hybridge"

_COLUMNS_OF_VERSION_1 = ("value", "sign", "documents", "tokens", "frequencies")
_COLUMNS = (*_COLUMNS_OF_VERSION_1, "field", "tenant", "writer", "seq", "state")
_DEFAULTS: dict[str, Any] = {
    "value": {}, "sign": 0, "documents": 0, "tokens": 0, "frequencies": EMPTY_SPARSE,
    "field": "", "tenant": "", "writer": "", "seq": 0, "state": "",
}  # fmt: skip


class Companion:
    """The companion collection of a collection.

    Args:
        connection: The connection.
        collection_name: The collection.
        version: The version of the layout; version 1 has fewer columns.
    """

    def __init__(self, connection: Connection, collection_name: str, version: int) -> None:
        self._connection = connection
        self.name = collection_name + SUFFIX
        self.version = version

    @property
    def columns(self) -> list[str]:
        """The columns of a row, beside its id and kind."""
        return list(_COLUMNS_OF_VERSION_1 if self.version == 1 else _COLUMNS)

    def exists(self) -> bool:
        """Whether there is one."""
        return self._connection.has(self.name)

    @property
    def is_ours(self) -> bool:
        """Whether what has its name is one."""
        return {"id", "kind", *_COLUMNS_OF_VERSION_1} <= set(self._described())

    def _described(self) -> list[str]:
        described = self._connection.call("describe_collection", self.name)
        return [one.get("name") for one in described["fields"]]

    def create(self) -> None:
        """Make it anew, in the place of one that an interrupted creation left."""
        self.drop()
        create_companion(self._connection, self.name)

    def drop(self) -> None:
        """Remove it, where there is one.

        Raises:
            CollectionMismatchError: If what has its name is no companion.
        """
        if self.exists():
            if not self.is_ours:
                msg = (
                    f"{self.name!r} is no collection of Hybridge's (columns: {self._described()}), "
                    "and has the name that the companion needs: choose another collection_name"
                )
                raise CollectionMismatchError(msg)
            self._connection.drop(self.name)

    def read_layout(self) -> dict[str, Any] | None:
        """Return the layout, or None where there is no companion, or another library's namesake."""
        try:
            return self.read_value(LAYOUT) if self.exists() else None
        except EngineError:
            if self.is_ours:
                raise
            return None

    def read_value(self, row_id: str) -> dict[str, Any] | None:
        """Return a value, or None if there is none of this id."""
        rows = self._connection.call(
            "query", self.name, filter=ids_expression([row_id]), output_fields=["value"]
        )
        return dict(rows[0]["value"]) if rows else None

    def write_value(self, row_id: str, value: dict[str, Any], tenant: str = "") -> None:
        """Keep a value, in the place of an older one of its id."""
        kind = row_id.partition("/")[0]
        self.upsert([{"id": row_id, "kind": kind, "value": value, "tenant": tenant}])

    def upsert(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows; columns that they leave out take their defaults."""
        names = ("id", "kind", *self.columns)
        complete = [
            {name: row[name] if name in row else _DEFAULTS[name] for name in names} for row in rows
        ]
        upsert_rows(self._connection, self.name, complete)

    def read(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the rows of these ids; missing ones are left out."""
        pages = read_rows(self._connection, self.name, ID_COLUMN, ids, self.columns)
        return [row for page in pages for row in page]

    def delete(self, ids: Sequence[str]) -> None:
        """Remove rows by id."""
        for start in range(0, len(ids), IDS_PER_CALL):
            expression = ids_expression(ids[start : start + IDS_PER_CALL])
            self._connection.call("delete", self.name, filter=expression)

    def listing(self, tenant: str | None = "") -> list[dict[str, Any]]:
        """Return rows without their frequencies: what is small of them.

        Args:
            tenant: Of this tenant's rows, by its `tenant_key`; "" for those of no tenant, None for
                all.
        """
        engine, expression = self._connection.dialect.engine, ""
        columns = ["id", "kind", "value", "sign", "documents"]
        if self.version > 1:
            columns.append("tenant")
            expression = "" if tenant is None else f"tenant == {quote(tenant)}"
        pages = engine.select(self._connection, self.name, expression, columns, ID_COLUMN)
        return [{"tenant": "", **row} for page in pages for row in page]

    def flush(self) -> None:
        """Make what was written durable."""
        self._connection.call("flush", self.name)
