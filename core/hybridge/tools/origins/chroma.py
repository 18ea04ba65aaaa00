"""Chroma collections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hybridge.extras import import_extra
from hybridge.narrowing import is_path
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.origin import PAGE, Origin, make_record

_METRICS: dict[str, Metric] = {"l2": "L2", "ip": "IP", "cosine": "COSINE"}


@dataclass(frozen=True)
class FromChroma(Origin):
    """A collection of Chroma, as LangChain and LlamaIndex write it; needs `chromadb`.

    Attributes:
        client: The folder of a persistent one, or any Chroma client, such as a `HttpClient`.
        collection: The name of the collection.
    """

    client: str | os.PathLike[str] | Any
    collection: str

    @property
    def metric(self) -> Metric:  # type: ignore[override]
        """How the collection compares vectors."""
        collection = self._open()
        configured: Any = getattr(collection, "configuration_json", None) or {}
        hnsw: Any = configured.get("hnsw") or {}
        named: Any = collection.metadata or {}
        space: str = hnsw.get("space") or named.get("hnsw:space", "l2")
        return _METRICS[space]

    def count(self) -> int:
        """Return how many records the collection has."""
        count: int = self._open().count()
        return count

    def records(self) -> Iterator[Record]:
        """Yield each record."""
        collection, start = self._open(), 0
        asked = ["documents", "metadatas", "embeddings"]
        while ids := (page := collection.get(limit=PAGE, offset=start, include=asked))["ids"]:
            columns = (page["documents"], page["metadatas"], page["embeddings"])
            for row_id, text, metadata, vector in zip(ids, *columns, strict=True):
                yield make_record(row_id, text, metadata, {"dense": vector})
            start += len(ids)

    def _open(self) -> Any:
        client: Any = self.client
        if is_path(client):
            chroma = import_extra("chromadb", "FromChroma")
            client = chroma.PersistentClient(os.fspath(client))
        return client.get_collection(self.collection, embedding_function=None)
