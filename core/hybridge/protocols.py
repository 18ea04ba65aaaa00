"""What Hybridge asks of a model function. Any object with these methods will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

# The one of `typing` in Python 3.11 and below reads properties to see whether they are there, and
# so would ask an API for the length of its vectors.
from typing_extensions import Protocol, runtime_checkable

from hybridge.records import RerankResult


@runtime_checkable
class DenseEmbeddingFunction(Protocol):
    """Text to dense vectors."""

    @property
    def dim(self) -> int:
        """The length of every vector."""
        ...

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`."""
        ...

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`."""
        ...


@runtime_checkable
class SparseEmbeddingFunction(Protocol):
    """Text to sparse vectors."""

    @property
    def dim(self) -> int:
        """One more than the largest possible index."""
        ...

    def encode_documents(self, documents: Sequence[str]) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(documents), dim)`, indices sorted."""
        ...

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return a float32 `csr_array` of shape `(len(queries), dim)`, indices sorted."""
        ...


@runtime_checkable
class AsyncEmbeddingFunction(Protocol):
    """The async half of an embedding function, where it has one.

    A store that is awaited awaits it in the caller's event loop, and runs what lacks it on threads.
    """

    async def aencode_documents(self, documents: Sequence[str]) -> Any:
        """Async twin of `encode_documents`."""
        ...

    async def aencode_queries(self, queries: Sequence[str]) -> Any:
        """Async twin of `encode_queries`."""
        ...


@runtime_checkable
class JointEmbeddingFunction(Protocol):
    """Text to several kinds of vectors at once, such as "dense" and "sparse".

    Each kind is an embedding function of its own (a view) with two more attributes: `joint`, this
    object, and `part`, the name of its kind. A store that uses several views encodes once.
    """

    def encode_documents(self, documents: Sequence[str]) -> Mapping[str, Any]:
        """Return the vectors of each kind, as the view of that kind returns them."""
        ...

    def encode_queries(self, queries: Sequence[str]) -> Mapping[str, Any]:
        """Return the vectors of each kind, as the view of that kind returns them."""
        ...


RerankScale = Literal["probability", "logit"]
"""What a reranker's scores are; see `RerankFunction`."""


@runtime_checkable
class RerankFunction(Protocol):
    """A query and documents to scores.

    Its attribute `scale`, where it has one, says what the scores are: "probability", in [0, 1], or
    "logit", whose relevance is 1 / (1 + e^-s). Where it has none, the first score outside [0, 1]
    tells that they are logits.
    """

    def __call__(self, query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        """Return the `top_k` best documents, best first."""
        ...
