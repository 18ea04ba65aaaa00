"""The legs of a store: a vector field each, with its metric and its function.

Dense and sparse are the two that every store may have. Everything past the constructor of the
store walks a list of legs, so another vector field is one more leg.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.records import DenseVector, SparseVector
from hybridge.retrieval.relevance import cosine_relevance, inner_product_relevance


@dataclass(frozen=True)
class DenseLeg:
    """The dense vectors, compared by cosine."""

    function: DenseEmbeddingFunction | None = None
    relevance: Callable[[float], float] = cosine_relevance

    name: ClassVar[str] = "dense"
    metric: ClassVar[str] = "COSINE"

    def encode_documents(self, texts: Sequence[str]) -> list[DenseVector]:
        """Return one vector per text."""
        return list(_required(self.function, self.name).encode_documents(texts))

    def encode_queries(self, texts: Sequence[str]) -> list[DenseVector]:
        """Return one vector per query."""
        return list(_required(self.function, self.name).encode_queries(texts))

    def read(self, value: Any) -> DenseVector:
        """Return the vector that the engine sent."""
        return np.asarray(value, dtype=np.float32)


@dataclass(frozen=True)
class SparseLeg:
    """The sparse vectors, compared by inner product."""

    function: SparseEmbeddingFunction | None = None
    relevance: Callable[[float], float] = inner_product_relevance

    name: ClassVar[str] = "sparse"
    metric: ClassVar[str] = "IP"

    def encode_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return one mapping of index to weight per text."""
        return sparse_rows(_required(self.function, self.name).encode_documents(texts))

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return one mapping of index to weight per query."""
        return sparse_rows(_required(self.function, self.name).encode_queries(texts))

    def read(self, value: Any) -> SparseVector:
        """Return the vector that the engine sent."""
        return dict(value)


Leg = DenseLeg | SparseLeg


def sparse_rows(matrix: csr_array) -> list[SparseVector]:
    """Return each row of a csr_array as the mapping that Milvus takes."""
    rows: list[SparseVector] = []
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        indices = matrix.indices[start:stop].tolist()
        rows.append(dict(zip(indices, matrix.data[start:stop].tolist(), strict=True)))
    return rows


def _required(function: Any, name: str) -> Any:
    if function is None:
        msg = f"this store has no {name} function: give it one ({name}=...), or pass {name} vectors"
        raise InvalidInputError(msg)
    return function
