"""Chroma, in its default configuration: an approximate index, here of cosines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings
from rows import FIRST_YEAR, K, Question, Rows

BATCH = 1_000


class Chroma:
    """A collection on disk."""

    is_kept = True

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        client = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
        self.collection = client.get_or_create_collection(
            "rows", metadata={"hnsw:space": "cosine"}, embedding_function=None
        )

    def add(self) -> None:
        for first in range(0, len(self.rows.texts), BATCH):
            self.upsert(range(first, min(first + BATCH, len(self.rows.texts))))

    def upsert(self, numbers: range) -> None:
        self.collection.upsert(
            ids=[str(number) for number in numbers],
            documents=[self.rows.texts[number] for number in numbers],
            metadatas=[self.rows.metadata(number) for number in numbers],
            embeddings=self.rows.vectors[numbers.start : numbers.stop],
        )

    def write(self, number: int) -> None:
        self.upsert(range(number, number + 1))

    def dense(self, asked: Question, where: dict[str, Any] | None = None) -> list[str]:
        found = self.collection.query(query_embeddings=[asked.vector], n_results=K, where=where)
        return found["ids"][0]

    def column(self, asked: Question) -> list[str]:
        return self.dense(asked, {"year": {"$gte": FIRST_YEAR}})

    def key(self, asked: Question) -> list[str]:
        return self.dense(asked, {asked.key: {"$gt": asked.least}})

    def close(self) -> None:
        pass
