"""BM25 as a pair of encoders over a fitted corpus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError, NotFittedError
from hybridge.sparse.analyzer import Analyzer, as_analyzer
from hybridge.sparse.counting import TermCounter, TermCounts, document_vectors, query_vectors
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import OrdinalTermIds
from hybridge.sparse.weighting import Idf, Weighting

_logger = logging.getLogger("hybridge")
_DRIFT = 0.15


class BM25EmbeddingFunction:
    """BM25 over a corpus: `fit` counts it, then documents and queries become sparse vectors."""

    def __init__(
        self,
        analyzer: str | Analyzer | Callable[[str], list[str]] | None = None,
        corpus: Iterable[str] | None = None,
        k1: float = 1.5,
        b: float = 0.75,
        epsilon: float = 0.25,
        num_workers: int | None = None,
        *,
        idf: Idf = "lucene",
    ) -> None:
        self._analyzer = as_analyzer("en" if analyzer is None else analyzer)
        self._weighting = Weighting(k1=k1, b=b, idf=idf, epsilon=epsilon)
        self._start_anew()
        if corpus is not None:
            self.fit(corpus)

    @property
    def analyzer(self) -> Analyzer:
        """What takes a text to its terms."""
        return self._analyzer

    @property
    def weighting(self) -> Weighting:
        """The parameters of BM25."""
        return self._weighting

    @property
    def fitted(self) -> bool:
        """Whether a corpus has been counted."""
        return self._statistics.documents > 0

    @property
    def dim(self) -> int:
        """The number of terms."""
        return self._terms.dim

    def fit(self, corpus: Iterable[str]) -> None:
        """Count a corpus; what was counted before is forgotten."""
        self._start_anew()
        self.partial_fit(corpus)

    def partial_fit(self, corpus: Iterable[str]) -> None:
        """Count more documents."""
        for block in TermCounter(self._analyzer, self._terms).blocks(corpus):
            self._statistics.add(block.statistics())
        self._settle()

    def fit_encode(self, documents: Iterable[str]) -> csr_array:
        """Count documents and return their vectors."""
        self._start_anew()
        counts = TermCounter(self._analyzer, self._terms).count(documents)
        self._statistics.add(counts.statistics())
        self._settle()
        return self._document_vectors(counts)

    def encode_documents(self, documents: Iterable[str]) -> csr_array:
        """Return the documents' vectors."""
        self._require_fitted()
        return self._document_vectors(self._counter.count(documents))

    def encode_queries(self, queries: Iterable[str]) -> csr_array:
        """Return the queries' vectors."""
        self._require_fitted()
        counts = self._counter.count(queries)
        return query_vectors(counts, self._statistics, self._weighting, self.dim)

    def _document_vectors(self, counts: TermCounts) -> csr_array:
        return document_vectors(counts, self._weighting, self._average_length, self.dim)

    def _start_anew(self) -> None:
        self._terms = OrdinalTermIds()
        self._counter = TermCounter(self._analyzer, self._terms.frozen())
        self._statistics = Statistics()
        self._average_length = 0.0

    def _settle(self) -> None:
        if not self._statistics.documents:
            msg = "the corpus has no documents: give at least one"
            raise InvalidInputError(msg)
        self._counter = TermCounter(self._analyzer, self._terms.frozen())
        self._average_length = self._average_length or self._statistics.average_length

    def _require_fitted(self) -> None:
        if not self.fitted:
            msg = "BM25 has seen no corpus: call fit or load first"
            raise NotFittedError(msg)
