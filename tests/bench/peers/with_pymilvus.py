"""Milvus Lite by pymilvus alone, flushed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymilvus import DataType, MilvusClient
from rows import FIRST_YEAR, K, Question, Rows

BATCH = 1_000


class Raw:
    """A collection with dense vectors, searched exactly."""

    is_kept = True

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        self.client = MilvusClient(str(folder / "rows.db"))
        if self.client.has_collection("raw"):
            self.client.load_collection("raw")

    def add(self) -> None:
        schema = self.client.create_schema(auto_id=False)
        schema.add_field("id", DataType.VARCHAR, max_length=512, is_primary=True)
        schema.add_field("text", DataType.VARCHAR, max_length=65_535)
        schema.add_field("metadata", DataType.JSON)
        schema.add_field("year", DataType.INT64)
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=self.rows.vectors.shape[1])
        index = self.client.prepare_index_params()
        index.add_index("dense", index_type="FLAT", metric_type="COSINE")
        self.client.create_collection("raw", schema=schema, index_params=index)
        for first in range(0, len(self.rows.texts), BATCH):
            last = min(first + BATCH, len(self.rows.texts))
            self.client.insert("raw", [self.row(number) for number in range(first, last)])
        self.client.flush("raw")

    def row(self, number: int) -> dict[str, Any]:
        metadata = self.rows.metadata(number)
        return {
            "id": str(number),
            "text": self.rows.texts[number],
            "metadata": metadata,
            "year": metadata["year"],
            "dense": self.rows.vectors[number],
        }

    def write(self, number: int) -> None:
        self.client.upsert("raw", [self.row(number)])

    def dense(self, asked: Question, expression: str = "") -> Iterator[str]:
        [hits] = self.client.search(
            "raw",
            data=[asked.vector],
            anns_field="dense",
            limit=K,
            filter=expression,
            output_fields=["text", "metadata"],
        )
        return (hit["id"] for hit in hits)

    def column(self, asked: Question) -> Iterator[str]:
        return self.dense(asked, f"year >= {FIRST_YEAR}")

    def key(self, asked: Question) -> Iterator[str]:
        return self.dense(asked, f'metadata["{asked.key}"] > {asked.least}')

    def close(self) -> None:
        self.client.close()
