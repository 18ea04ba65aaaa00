"""Collections that langchain-milvus and llama-index-vector-stores-milvus wrote, as stored.

`tests/fixtures/peers` holds the scripts that wrote them, each with its peer alone:

    python tests/fixtures/peers/write_langchain.py <folder>
    python tests/fixtures/peers/write_llama_index.py <folder>

and `tests/fixtures/peers.tar.gz` their folders.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pymilvus import DataType
from scipy.sparse import csr_array

from support.lite_server import raw_client

_FIXTURES = Path(__file__).parents[1] / "fixtures"
sys.path.append(str(_FIXTURES / "peers"))

from peer_corpus import COUNT, DIM, embed, metadata, queries, text, weights  # noqa: E402

__all__ = [
    "COUNT",
    "LAYOUTS",
    "NODES",
    "WRITTEN",
    "PeerCollection",
    "ToyFunction",
    "embed",
    "make_collection",
    "metadata",
    "queries",
    "text",
    "unpack",
]  # fmt: skip

NODES = [
    "llama-index-ip", "llama-index-l2", "llama-index-cosine", "llama-index-columns",
    "llama-index-sparse",
]  # fmt: skip
LAYOUTS = [
    "langchain-static-l2", "langchain-static-cosine", "langchain-auto-ip", "langchain-dynamic",
    "langchain-dynamic-auto", "langchain-json", "langchain-renamed", "langchain-sparse",
    "langchain-bm25", *NODES,
]  # fmt: skip
WRITTEN = [
    pytest.param(
        name,
        marks=()
        if name in {"langchain-static-l2", "langchain-auto-ip", "langchain-json",
                    "langchain-sparse", "llama-index-ip"}
        else pytest.mark.long,
    )
    for name in LAYOUTS
]  # fmt: skip
"""The layouts for what writes to them: in the short run those that differ in where things are."""


class ToyFunction:
    """The embedding that the peers were given."""

    dim = DIM

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per text."""
        return np.array([embed(one) for one in documents], dtype=np.float32).reshape(-1, DIM)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector per query."""
        return self.encode_documents(queries)


class ToySparse:
    """The sparse embedding that the peers were given."""

    dim = 2**24

    def encode_documents(self, documents: Sequence[str]) -> csr_array:
        """Return one row per text."""
        rows = [sorted(weights(one).items()) for one in documents]
        flat = [pair for row in rows for pair in row]
        ends = np.cumsum([0, *map(len, rows)])
        indices, values = ([pair[part] for pair in flat] for part in (0, 1))
        parts = (np.array(values, dtype=np.float32), np.array(indices, dtype=np.int64), ends)
        return csr_array(parts, shape=(len(rows), self.dim))

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return one row per query."""
        return self.encode_documents(queries)


@dataclass(frozen=True)
class PeerCollection:
    """One collection.

    Attributes:
        name: The name of its layout.
        folder: Where it is.
    """

    name: str
    folder: Path

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "milvus.db"

    @property
    def arguments(self) -> dict[str, Any]:
        """What a store of it is given; the column of the text is named where it must be."""
        given: dict[str, Any] = {"collection_name": "peer"}
        if self.name == "langchain-renamed":
            given["text"] = "body"
        if "sparse" in self.name:
            given["sparse"] = ToySparse()
        return given

    @property
    def library(self) -> str:
        """What the collection is recognised as having been made by."""
        if self.name in NODES:
            return "llama-index-vector-stores-milvus"
        return "another library" if self.name == "langchain-renamed" else "langchain-milvus"

    @property
    def is_static(self) -> bool:
        """Whether there is no place for metadata beside the columns."""
        return not any(word in self.name for word in ("llama", "dynamic", "json"))

    @cached_property
    def expected(self) -> dict[str, Any]:
        """What the peer said of it: "ids", "tops" by query and, of nodes, "nodes"."""
        content: dict[str, Any] = json.loads((self.folder / "expected.json").read_text())
        return content

    @property
    def ids(self) -> list[str]:
        """The ids of the documents, in order."""
        return list(self.expected["ids"])

    @property
    def is_numbered(self) -> bool:
        """Whether Milvus has numbered the rows."""
        return "auto" in self.name

    def files(self) -> dict[str, bytes]:
        """The content of the database's files."""
        paths = [one for one in self.path.rglob("*") if one.is_file()]
        return {str(one.relative_to(self.path)): one.read_bytes() for one in paths}


def unpack(folder: Path, name: str) -> PeerCollection:
    """Return a copy of one collection."""
    with tarfile.open(_FIXTURES / "peers.tar.gz") as archive:
        members = [one for one in archive.getmembers() if one.name.startswith(f"peers/{name}/")]
        archive.extractall(folder, members=members, filter="data")
    return PeerCollection(name, folder / "peers" / name)


def make_collection(
    uri: Path | str, columns: dict[str, Any], name: str = "own", **options: Any
) -> None:
    """Make a collection of one's own, with raw pymilvus: types and options by column."""
    client = raw_client(str(uri))
    schema = client.create_schema(**{"auto_id": False, **options})
    index = client.prepare_index_params()
    for column, (kind, more) in columns.items():
        schema.add_field(column, kind, **more)
        if kind == DataType.FLOAT_VECTOR:
            index.add_index(column, index_type="FLAT", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=index)
    client.close()
