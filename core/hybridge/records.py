"""What goes into a store, what comes out of it, and what a reranker returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DenseVector = NDArray[np.float32]
SparseVector = Mapping[int, float]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row of a store.

    Attributes:
        id: The primary key, at most 512 bytes of UTF-8; None lets the store make a UUID.
        text: The text of the chunk.
        metadata: Anything that JSON can hold, under string keys.
        document_id: The id of the document that the chunk comes from; "" says that there is none,
            while None keeps what an overwritten row says.
        extra: What a framework adapter needs to rebuild its own object; JSON.
        dense: The dense vector, float32 of shape `(dim,)`; None lets the store's function make it.
        sparse: The sparse vector, term id to weight; None lets the store's function make it.
    """

    id: str | None = None
    text: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    extra: Mapping[str, Any] | None = None
    # Vectors are left out of comparison: NumPy's element-wise `==` has no single truth value.
    dense: DenseVector | None = field(default=None, compare=False, repr=False)
    sparse: SparseVector | None = field(default=None, compare=False, repr=False)


class LegScore(NamedTuple):
    """How one leg of a search scored a row.

    Attributes:
        score: The leg's own score (cosine, BM25 sum, reranker score); higher is better.
        rank: The row's place in that leg, from 1.
    """

    score: float
    rank: int


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One row that a search found.

    Attributes:
        id: The row's primary key.
        text: The text of the chunk.
        metadata: The user's metadata.
        document_id: The id of the source document, where one was stored.
        extra: What a framework adapter stored beside the row.
        score: What the hits are ordered by: cosine, BM25 sum, fused or reranker score.
        relevance: The score brought to [0, 1]; see `hybridge.retrieval.relevance`.
        scores: Per leg that found the row ("dense", "sparse", "rerank"), its score and rank.
        dense: The dense vector, with `with_vectors=True`.
        sparse: The sparse vector, with `with_vectors=True`.
    """

    id: str
    text: str
    metadata: Mapping[str, Any]
    document_id: str | None = None
    extra: Mapping[str, Any] | None = None
    score: float
    relevance: float
    scores: Mapping[str, LegScore]
    dense: DenseVector | None = field(default=None, compare=False, repr=False)
    sparse: SparseVector | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class RerankResult:
    """One document that a reranker scored.

    Attributes:
        text: The document.
        score: The reranker's score; higher is better.
        index: The document's place in the list that was given, from 0.
    """

    text: str
    score: float
    index: int

    def to_dict(self) -> dict[str, Any]:
        """Return the three fields as a dictionary, as `pymilvus.model` does."""
        return {"text": self.text, "score": self.score, "index": self.index}
