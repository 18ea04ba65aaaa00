"""Rows of named columns to records, for tables, files and payloads alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.tools.origins.origin import make_record


@dataclass(frozen=True)
class Columns:
    """Which column of a row holds what.

    Attributes:
        id: The id; None where rows have none: they get one of their content.
        text: The text.
        vectors: The vector of each field of the new collection.
        metadata: The metadata, a mapping or its JSON; None makes metadata of all other columns.
        document_id: The id of the source document, where there is one.
        context: The text that belongs to the row without being part of it, where there is one.
        others: Whether all other columns are metadata as well, beside those of `metadata`.
    """

    id: str | None = "id"
    text: str = "text"
    vectors: Mapping[str, str] = field(default_factory=lambda: {"dense": "vector"})
    metadata: str | None = None
    document_id: str | None = None
    context: str | None = None
    others: bool = False

    def named(self) -> list[str]:
        """Return the columns that have a name here."""
        columns = (self.id, self.text, self.metadata, self.document_id, self.context)
        return [*filter(None, columns), *self.vectors.values()]

    def check(self, columns: object, where: str) -> None:
        """Check that there are such columns.

        Raises:
            InvalidInputError: If one is missing.
        """
        there = list[str](columns)  # type: ignore[call-overload]
        missing = [name for name in self.named() if name not in there]
        if missing:
            msg = (
                f"{where} has no column {', '.join(map(repr, missing))}, but {there}: name those "
                "that hold the id, the text, the vectors and the metadata: Columns(id=, text=, "
                "vectors=, metadata=)"
            )
            raise InvalidInputError(msg)

    def record(self, row: Mapping[str, Any]) -> Record:
        """Return the record of a row."""
        vectors = {name: row[column] for name, column in self.vectors.items()}
        others = {"document_id": self.document_id, "context": self.context}
        given = {name: row[column] for name, column in others.items() if column is not None}
        row_id = None if self.id is None else row[self.id]
        return make_record(row_id, row[self.text], self._metadata(row), vectors, **given)

    def _metadata(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        named = self.named()
        others = {key: value for key, value in row.items() if key not in named}
        if self.metadata is None:
            return others
        value = row[self.metadata]
        if isinstance(value, str):
            value = json.loads(value)
        if value is not None and not is_mapping(value):
            msg = f"the column {self.metadata!r} holds a {type(value).__name__}, not a mapping"
            raise InvalidInputError(msg)
        return {**(value or {}), **(others if self.others else {})}


def without_nulls(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without what a table fills in where a row lacks a key."""
    return {key: value for key, value in metadata.items() if value is not None}
