"""The store of this project, as it is by default and without BM25."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rows import FIRST_YEAR, K, Question, Rows

from hybridge import F, MilvusStore, Record


class DenseOnly:
    """A path with dense vectors and a column."""

    is_kept = True
    arguments: dict[str, Any] = {"sparse": None}  # noqa: RUF012

    def __init__(self, folder: Path, rows: Rows) -> None:
        self.rows = rows
        self.store = MilvusStore(
            str(folder / "rows.db"), metadata_schema={"year": int}, **self.arguments
        )

    def add(self) -> None:
        self.store.add(self.record(number) for number in range(len(self.rows.texts)))

    def record(self, number: int) -> Record:
        return Record(
            id=str(number),
            text=self.rows.texts[number],
            metadata=self.rows.metadata(number),
            dense=self.rows.vectors[number],
        )

    def write(self, number: int) -> None:
        self.store.add([self.record(number)])

    def dense(self, asked: Question) -> Iterator[str]:
        return self.found(asked, mode="dense")

    def column(self, asked: Question) -> Iterator[str]:
        return self.found(asked, mode="dense", filter=F("year") >= FIRST_YEAR)

    def key(self, asked: Question) -> Iterator[str]:
        return self.found(asked, mode="dense", filter=F(asked.key) > asked.least)

    def found(self, asked: Question, **arguments: Any) -> Iterator[str]:
        hits = self.store.search(asked.text, vector=asked.vector, k=K, **arguments)
        return (hit.id for hit in hits)

    def close(self) -> None:
        self.store.close()


class Default(DenseOnly):
    """A path in the default configuration: BM25 is on."""

    arguments: dict[str, Any] = {}  # noqa: RUF012

    def sparse(self, asked: Question) -> Iterator[str]:
        return self.found(asked, mode="sparse")

    def hybrid(self, asked: Question) -> Iterator[str]:
        return self.found(asked, mode="hybrid")
