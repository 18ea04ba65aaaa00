"""Parquet files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hybridge.extras import import_extra
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.columns import Columns
from hybridge.tools.origins.origin import PAGE, Origin


@dataclass(frozen=True)
class FromParquet(Origin):
    """The rows of a Parquet file; needs `pyarrow`.

    Attributes:
        path: The file.
        columns: Which column holds what.
        metric: How the vectors are compared.
    """

    path: str | os.PathLike[str]
    columns: Columns = field(default_factory=Columns)
    metric: Metric = "COSINE"

    def count(self) -> int:
        """Return how many rows the file says it has."""
        with self._open() as file:
            rows: int = file.metadata.num_rows
            return rows

    def records(self) -> Iterator[Record]:
        """Yield the record of each row."""
        with self._open() as file:
            self.columns.check(file.schema_arrow.names, os.fspath(self.path))
            for batch in file.iter_batches(PAGE):
                yield from map(self.columns.record, batch.to_pylist())

    def _open(self) -> Any:
        parquet = import_extra("pyarrow.parquet", "FromParquet", package="pyarrow")
        return parquet.ParquetFile(self.path)
