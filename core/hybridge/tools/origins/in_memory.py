"""LangChain's `InMemoryVectorStore`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping, is_path
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.origin import Origin, make_record


@dataclass(frozen=True)
class FromInMemory(Origin):
    """LangChain's `InMemoryVectorStore`: the object, or the file that its `dump` wrote.

    Attributes:
        store: The object, or the path of the file.
    """

    store: str | os.PathLike[str] | Any
    metric: Metric = field(default="COSINE", init=False)

    def count(self) -> int:
        """Return how many documents there are."""
        return len(self._documents())

    def records(self) -> Iterator[Record]:
        """Yield the record of each document."""
        for row_id, one in self._documents().items():
            yield make_record(row_id, one["text"], one["metadata"], {"dense": one["vector"]})

    def _documents(self) -> Mapping[str, Any]:
        documents = _read(self.store) if is_path(self.store) else getattr(self.store, "store", None)
        whole = is_mapping(documents) and all(
            is_mapping(one) and one.keys() >= {"text", "metadata", "vector"}
            for one in documents.values()
        )
        if not whole:
            msg = "FromInMemory takes an InMemoryVectorStore, or the file that its dump() wrote"
            raise InvalidInputError(msg)
        return documents  # type: ignore[return-value]


def _read(path: str | os.PathLike[str]) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)
