"""LanceDB without an index of vectors, which is exact, and with its own of words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lancedb
import pyarrow as pa
from rows import FIRST_YEAR, K, Question, Rows

BATCH = 10_000
COLUMNS = ["id", "text", "year", "number", "rare"]


class LanceDB:
    """A table on disk; every metadata key is a column."""

    is_kept = True

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        self.connection = lancedb.connect(folder)
        self.table: Any = None
        if "rows" in self.connection.table_names():
            self.table = self.connection.open_table("rows")

    def add(self) -> None:
        self.table = self.connection.create_table("rows", self.chunk(0, 1), mode="overwrite")
        self.table.delete("true")
        for first in range(0, len(self.rows.texts), BATCH):
            self.table.add(self.chunk(first, min(first + BATCH, len(self.rows.texts))))
        self.table.create_fts_index("text")
        self.table.optimize()

    def chunk(self, first: int, last: int) -> pa.Table:
        vectors = pa.array(self.rows.vectors[first:last].reshape(-1))
        metadata = [self.rows.metadata(number) for number in range(first, last)]
        return pa.table(
            {
                "id": [str(number) for number in range(first, last)],
                "text": self.rows.texts[first:last],
                "vector": pa.FixedSizeListArray.from_arrays(vectors, self.rows.vectors.shape[1]),
                **{key: [one[key] for one in metadata] for key in metadata[0]},
            }
        )

    def write(self, number: int) -> None:
        merge = (
            self.table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        )
        merge.execute(self.chunk(number, number + 1))

    def dense(self, asked: Question, where: str | None = None) -> Iterator[str]:
        query = self.table.search(asked.vector, vector_column_name="vector")
        query = query.distance_type("cosine").select(COLUMNS).limit(K)
        if where is not None:
            query = query.where(where, prefilter=True)
        return found(query)

    def sparse(self, asked: Question) -> Iterator[str]:
        query = self.table.search(asked.text, query_type="fts", fts_columns="text")
        return found(query.select(COLUMNS).limit(K))

    def hybrid(self, asked: Question) -> Iterator[str]:
        query = self.table.search(query_type="hybrid", vector_column_name="vector")
        query = query.vector(asked.vector).text(asked.text).distance_type("cosine")
        return found(query.limit(K))

    def column(self, asked: Question) -> Iterator[str]:
        return self.dense(asked, f"year >= {FIRST_YEAR}")

    def key(self, asked: Question) -> Iterator[str]:
        return self.dense(asked, f"{asked.key} > {asked.least}")

    def close(self) -> None:
        pass


def found(query: Any) -> Iterator[str]:
    return (row["id"] for row in query.to_list())
