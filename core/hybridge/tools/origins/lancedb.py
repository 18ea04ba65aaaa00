"""LanceDB tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hybridge.extras import import_extra
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.columns import Columns, without_nulls
from hybridge.tools.origins.origin import PAGE, Origin


@dataclass(frozen=True)
class FromLanceDB(Origin):
    """A table of LanceDB, as LangChain and LlamaIndex make it; needs `lancedb`.

    LanceDB gives every row all keys that any row's metadata have; those that are NULL are left out.

    Attributes:
        uri: The folder of the database, or an address that `lancedb.connect` takes.
        table: The table.
        columns: Which column holds what.
        metric: How the vectors are compared; LanceDB's own default is L2.
    """

    uri: str | os.PathLike[str]
    table: str
    columns: Columns = field(default_factory=lambda: Columns(metadata="metadata"))
    metric: Metric = "L2"

    def count(self) -> int:
        """Return how many rows the table has."""
        rows: int = self._open().count_rows()
        return rows

    def records(self) -> Iterator[Record]:
        """Yield the record of each row."""
        table = self._open()
        self.columns.check(table.schema.names, f"the table {self.table!r}")
        for batch in table.search().limit(None).to_batches(PAGE):
            for row in batch.to_pylist():
                yield self.columns.record(_without_nulls(row))

    def _open(self) -> Any:
        return import_extra("lancedb", "FromLanceDB").connect(self.uri).open_table(self.table)


def _without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {key: without_nulls(one) if is_mapping(one) else one for key, one in row.items()}
