"""What LlamaIndex's `StorageContext.persist` writes."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.nodes import stored_to_record
from hybridge.tools.origins.origin import Origin, parse_vector

logger = logging.getLogger("hybridge")

_DOCUMENTS = "docstore.json"


@dataclass(frozen=True)
class FromLlamaIndex(Origin):
    """The nodes of a folder with a `SimpleVectorStore` and its `SimpleDocumentStore`.

    Needs `llama-index-core`. What the docstore holds without a vector, such as the parents of a
    hierarchy, stays: keep the docstore for it.

    Attributes:
        folder: What `storage_context.persist(folder)` wrote.
        namespace: Which vector store of the folder: "default", or "image" for that of images.
    """

    folder: str | os.PathLike[str]
    namespace: str = "default"
    metric: Metric = field(default="COSINE", init=False)

    def count(self) -> int:
        """Return how many vectors there are."""
        return len(self._vectors())

    def records(self) -> Iterator[Record]:
        """Yield the record of each node that has a vector.

        Raises:
            InvalidInputError: If a vector has no node.
        """
        vectors, nodes = self._vectors(), self._read(_DOCUMENTS)["docstore/data"]
        if left := len(nodes.keys() - vectors.keys()):
            logger.info("%d nodes of %s have no vector, and are not moved", left, self.folder)
        for node_id, vector in vectors.items():
            if node_id not in nodes:
                msg = f"the vector of node {node_id!r} has no node in {_DOCUMENTS} beside it"
                raise InvalidInputError(msg)
            record = stored_to_record(nodes[node_id])
            yield record.with_vectors({"dense": parse_vector(vector)})

    def _vectors(self) -> Mapping[str, Any]:
        vectors: Mapping[str, Any]
        vectors = self._read(f"{self.namespace}__vector_store.json")["embedding_dict"]
        return vectors

    def _read(self, name: str) -> Mapping[str, Any]:
        path = Path(self.folder) / name
        if not path.is_file():
            msg = (
                f"there is no {path}: give the folder that storage_context.persist() wrote, with "
                "the vector store and the docstore in it"
            )
            raise InvalidInputError(msg)
        content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        return content
