"""What goes into a store, what comes out of it, and what a reranker returns."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_fraction
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping

DenseVector = NDArray[np.float32]
SparseVector = Mapping[int, float]
Vector = DenseVector | SparseVector


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row of a store.

    Attributes:
        id: The primary key, at most 512 bytes of UTF-8; None lets the store make a UUID.
        text: The text of the chunk.
        metadata: Anything that JSON can hold, under string keys.
        document_id: The id of the document that the chunk comes from; "" says that there is none,
            while None keeps what an overwritten row says.
        context: Text that belongs to the chunk without being part of it, such as its headings. It
            is indexed in front of the text. "" says that there is none, while None keeps what an
            overwritten row says.
        extra: What a framework adapter needs to rebuild its own object; JSON.
        dense: The vector of the field "dense", float32 of shape `(dim,)`.
        sparse: The vector of the field "sparse", index to weight.
        vectors: The vectors by field; those of `dense` and `sparse` are among them. The store's
            functions make what is missing.
    """

    id: str | None = None
    text: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    document_id: str | None = None
    context: str | None = None
    extra: Mapping[str, Any] | None = None
    # Vectors are left out of comparison: NumPy's element-wise `==` has no single truth value.
    dense: DenseVector | None = field(default=None, compare=False, repr=False)
    sparse: SparseVector | None = field(default=None, compare=False, repr=False)
    vectors: Mapping[str, Vector] = field(
        default_factory=dict[str, Vector], compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if not is_mapping(self.vectors):
            return  # the store says what is wrong with it
        if self.dense is not None or self.sparse is not None:
            named = {"dense": self.dense, "sparse": self.sparse}
            given = {name: vector for name, vector in named.items() if vector is not None}
            object.__setattr__(self, "vectors", {**self.vectors, **given})
        if self.vectors:
            object.__setattr__(self, "dense", self.vectors.get("dense"))
            object.__setattr__(self, "sparse", self.vectors.get("sparse"))

    @property
    def content_id(self) -> str:
        """An id made of text, context, metadata and document id: 64 hexadecimal digits.

        Equal content has an equal id whenever and wherever it is made. A document id that was drawn
        at random says nothing of the content, and is left out.
        """
        known = self.document_id if not is_random_id(self.document_id) else None
        content = [self.text, self.context or None, self.metadata, known or None]
        written = json.dumps(content, sort_keys=True, ensure_ascii=False, default=dict)
        return hashlib.sha256(written.encode()).hexdigest()

    def with_vectors(self, vectors: Mapping[str, Vector]) -> Record:
        """Return the record with these vectors, by field, and no others."""
        return changed(
            self, vectors=vectors, dense=vectors.get("dense"), sparse=vectors.get("sparse")
        )


def changed(record: Record, **values: Any) -> Record:
    """Return a record with other values, which fit together.

    As `dataclasses.replace` does, which took 12 % of the time in which 9,000 records were added.
    """
    made = object.__new__(type(record))
    vars(made).update(vars(record), **values)
    return made


def is_random_id(value: str | None) -> bool:
    """Whether an id was drawn at random (a UUID of version 4), and so is another one every time."""
    try:
        made = uuid.UUID(value or "")
    except ValueError:
        return False
    return made.version == 4 and str(made) == value


class FieldScore(NamedTuple):
    """How one vector field, or the reranker, scored a row.

    Attributes:
        score: The field's own score (cosine, BM25 sum, reranker score); higher is better.
        rank: The row's place in that field's ranking, from 1; 0 where Milvus fused, which does not
            show it.
        relevance: The score brought to [0, 1]; see `hybridge.retrieval.relevance`. None where
            nothing can: a server does not tell what its BM25 has counted.
    """

    score: float
    rank: int
    relevance: float | None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One row that a search found.

    Attributes:
        id: The row's primary key.
        text: The text of the chunk.
        metadata: The user's metadata.
        document_id: The id of the source document, where one was stored.
        context: Text that belongs to the chunk without being part of it, where there is some.
        extra: What a framework adapter stored beside the row.
        score: What the hits are ordered by: cosine, BM25 sum, fused or reranker score.
        relevance: How well the row answers the query, in [0, 1], whatever else was found: the mean
            of the relevances that the fields searched give it, or, after a reranker, the
            reranker's. None where none has a scale; see `hybridge.retrieval.relevance`.
        scores: By field that found the row, and "rerank": its score, rank and relevance.
        vectors: The row's vectors by field, with `with_vectors=True`.
    """

    id: str
    text: str
    metadata: Mapping[str, Any]
    document_id: str | None = None
    context: str | None = None
    extra: Mapping[str, Any] | None = None
    score: float
    relevance: float | None
    scores: Mapping[str, FieldScore]
    vectors: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)

    def reaches(self, threshold: float) -> bool:
        """Say whether the relevance is at least a threshold.

        Raises:
            InvalidInputError: If the threshold is no number from 0 to 1, or the hit has no
                relevance.
        """
        check_fraction(threshold, "the threshold")
        return self.known_relevance >= threshold

    @property
    def known_relevance(self) -> float:
        """The relevance, where there has to be one.

        Raises:
            InvalidInputError: If the hit has none.
        """
        if self.relevance is None:
            raise no_relevance()
        return self.relevance

    @property
    def dense(self) -> DenseVector | None:
        """The vector of the field "dense", where it was read."""
        return self.vectors.get("dense")

    @property
    def sparse(self) -> SparseVector | None:
        """The vector of the field "sparse", where it was read."""
        return self.vectors.get("sparse")


def no_relevance() -> InvalidInputError:
    """Return the error that says why there is nothing to compare a threshold with."""
    return InvalidInputError(
        "the scores of this search have no scale, so that there is no relevance, and no threshold "
        "to compare with it (a server's own BM25, or inner products of vectors that are no unit "
        "vectors): ask for scores alone (in LangChain call similarity_search_with_score), or "
        "search another field as well"
    )


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
