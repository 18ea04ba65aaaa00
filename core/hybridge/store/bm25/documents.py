"""What BM25 makes of documents: counts of their terms, and vectors by an average length."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from scipy.sparse import csr_array

from hybridge.records import Record, SparseVector
from hybridge.sparse.analyzer import Analyzer
from hybridge.sparse.counting import TermCounter, TermCounts, document_vectors
from hybridge.sparse.term_ids import HashedTermIds
from hybridge.sparse.weighting import Weighting
from hybridge.store.bm25.field import BM25Field
from hybridge.store.fields import EMPTY_SPARSE, sparse_rows


class BM25Documents(ABC):
    """The documents of one field, counted and weighed; who knows the average length says it.

    Args:
        field: The field.
        analyzer: Text to tokens.
        weighting: The BM25 parameters.

    Attributes:
        analyzer: Text to tokens.
        dim: One more than the largest term id.
    """

    def __init__(self, field: BM25Field, analyzer: Analyzer, weighting: Weighting) -> None:
        self.field = field
        self.analyzer = analyzer
        self._weighting = weighting
        self._term_ids = HashedTermIds()
        self._counter = TermCounter(
            analyzer, self._term_ids, content_alone=weighting.counts_content_alone
        )
        self.dim = self._term_ids.dim

    @property
    @abstractmethod
    def average_length(self) -> float | None:
        """What documents are weighed by, in tokens; None where it is not known yet."""

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Return the term counts of texts."""
        return self._counter.count(texts)

    def count_rows(self, records: Iterable[Record]) -> TermCounts:
        """Return the term counts of the records that have the field."""
        texts = (self.field.text_of(record) for record in records)
        return self.count(text for text in texts if text is not None)

    def weigh(self, counts: TermCounts) -> list[SparseVector]:
        """Return document vectors; one without a term gets an index that no query uses."""
        return [vector or EMPTY_SPARSE for vector in sparse_rows(self._vectors(counts))]

    def encode_documents(self, documents: Sequence[str]) -> csr_array:
        """Return document vectors, float32 of shape `(len(documents), dim)`."""
        return self._vectors(self.count(documents))

    def _vectors(self, counts: TermCounts) -> csr_array:
        return document_vectors(counts, self._weighting, self.average_length or 1.0, self.dim)
