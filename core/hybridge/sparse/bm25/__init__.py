"""BM25 over a corpus: `fit` counts it, then documents and queries become sparse vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sized
from os import PathLike

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.arguments import check_flag, shown
from hybridge.errors import InvalidInputError, NotFittedError
from hybridge.sparse.analyzer import Analyzer, as_analyzer, lineage
from hybridge.sparse.counting import (
    TermCounter,
    TermCounts,
    check_iterable,
    document_vectors,
    query_vectors,
    sparse_matrix,
)
from hybridge.sparse.parameter_file import (
    Parameters,
    read_parameters,
    recover_statistics,
    write_parameters,
)
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import OrdinalTermIds, TermIds
from hybridge.sparse.weighting import Idf, Weighting

logger = logging.getLogger("hybridge")
_DRIFT = 0.15


class BM25EmbeddingFunction:
    """BM25 over a corpus: the inner product of a query's and a document's vector is its score.

    Terms are numbered in order of first appearance. Arguments and files are those of
    `pymilvus.model`, which weighs by `idf="okapi"`; see `hybridge.sparse.weighting`. Several
    threads may encode at once; fitting needs the object for itself.

    Args:
        analyzer: A language ("en", "russian"), an `Analyzer` or any function from a text to the
            list of its terms; English if left out.
        corpus: Documents to fit at once.
        k1: How soon repeating a term stops to matter; at least 0.
        b: How much the length of a document matters, from 0 to 1.
        epsilon: With `idf="okapi"`, the share of the mean idf that a very common term gets.
        num_workers: Accepted for `pymilvus.model`'s callers and ignored: counting in two
            processes gave no clear gain over one.
        idf: "lucene" (always positive) or "okapi" (what `pymilvus.model` computes).

    Raises:
        InvalidInputError: An argument is out of its range, or the corpus has no documents.
        MissingExtraError: The language needs a segmenter that is not installed.
    """

    _average_length: float

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
        self._adopt(OrdinalTermIds(), Statistics(), 0.0)
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
        """The number of terms, which is the width of every vector; 0 before `fit`."""
        return self._terms.dim

    def fit(self, corpus: Iterable[str], *, progress: bool = False) -> None:
        """Count a corpus; what was counted before is forgotten.

        Args:
            corpus: The documents; a generator will do, and is never held in memory.
            progress: Whether to show a bar.

        Raises:
            InvalidInputError: There are no documents, or one is not a string. What was fitted
                before stays.
        """
        terms = OrdinalTermIds()
        statistics = self._count(terms, corpus, progress)
        self._adopt(terms, statistics, statistics.average_length)

    def partial_fit(self, corpus: Iterable[str], *, progress: bool = False) -> None:
        """Count more documents, so that idf and the vocabulary follow a growing corpus.

        Vectors made before keep their meaning: terms keep their index, new ones are appended, and
        the average length stays as `fit` found it. A warning is logged once when the true one has
        moved away by more than 15 %; a new `fit`, and encoding all documents again, mends that.

        Args:
            corpus: The documents; a generator will do.
            progress: Whether to show a bar.

        Raises:
            InvalidInputError: There are no documents, one is not a string, or the function was
                loaded from a file that does not tell its counts. Nothing is counted then.
        """
        self._check_counted("partial_fit")
        before = self._terms.dim
        try:
            self._statistics.add(self._count(self._terms, corpus, progress))
        except BaseException:
            self._terms.truncate(before)
            raise
        if not self._average_length:  # so far no document had a term
            self._average_length = self._statistics.average_length
        self._counter = self._counter_of(self._terms.frozen())
        self._warn_of_drift()

    def fit_encode(self, documents: Iterable[str], *, progress: bool = False) -> csr_array:
        """Do what `fit` and then `encode_documents` do, and analyze each document only once."""
        terms = OrdinalTermIds()
        counts = self._counter_of(terms).count(_shown(documents, progress, "Counting terms"))
        statistics = _parse_counted(counts.statistics())
        self._adopt(terms, statistics, statistics.average_length)
        return self._document_vectors(counts)

    def merge(self, other: BM25EmbeddingFunction) -> BM25EmbeddingFunction:
        """Return what `fit` would give on this corpus followed by that of `other`.

        Neither function changes. The average length is that of all documents, so vectors are to
        be made by the result.

        Raises:
            InvalidInputError: `other` is something else, the two differ in analyzer or weighting,
                or one was loaded from a file that does not tell its counts.
        """
        if not isinstance(other, BM25EmbeddingFunction):
            msg = f"merge takes another BM25EmbeddingFunction, not {shown(other)}"
            raise InvalidInputError(msg)
        self._check_counted("merge")
        other._check_counted("merge")
        _check_equal("analyzers", self._analyzer.identity, other._analyzer.identity)
        _check_equal("weightings", self._weighting, other._weighting)
        terms = OrdinalTermIds(self._terms.terms)
        indices = [terms.index(term) for term in other._terms.terms]
        frequencies = other._statistics.frequencies
        statistics = self._statistics.merge(
            Statistics(
                other._statistics.documents,
                other._statistics.tokens,
                {indices[index]: count for index, count in frequencies.items()},
            )
        )
        merged = self._unfitted()
        merged._adopt(terms, statistics, statistics.average_length)
        return merged

    def encode_documents(self, documents: Iterable[str], *, progress: bool = False) -> csr_array:
        """Return the vectors of documents, whether or not they were fitted.

        Args:
            documents: The documents; a generator will do.
            progress: Whether to show a bar.

        Returns:
            A float32 `csr_array` of shape `(documents, dim)`, indices sorted. Terms that were never
            fitted add to a document's length alone.

        Raises:
            NotFittedError: Nothing was fitted or loaded.
            InvalidInputError: A document is not a string.
        """
        self._check_fitted()
        return self._document_vectors(
            self._counter.count(_shown(documents, progress, "Encoding documents"))
        )

    def encode_queries(self, queries: Iterable[str]) -> csr_array:
        """Return the vectors of queries.

        Returns:
            A float32 `csr_array` of shape `(queries, dim)`, indices sorted, without zeros. Terms
            that were never fitted are left out.

        Raises:
            NotFittedError: Nothing was fitted or loaded.
            InvalidInputError: A query is not a string.
        """
        self._check_fitted()
        counts = self._counter.count_queries(queries)
        if self._idf is None:
            return query_vectors(counts, self._statistics, self._weighting, self.dim)
        return sparse_matrix(counts.counts * self._idf[counts.indices], counts, self.dim)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a file for `load`, and for `pymilvus.model`, at once or not at all.

        Raises:
            NotFittedError: Nothing was fitted or loaded.
            InvalidInputError: The place cannot be written to.
        """
        self._check_fitted()
        write_parameters(
            path,
            Parameters(
                documents=self._statistics.documents,
                average_length=self._average_length,
                terms=self._terms.terms,
                idf=self._idf_by_index(),
                weighting=self._weighting,
                analyzer=self._analyzer.identity,
                statistics=self._statistics if self._idf is None else None,
            ),
        )

    def load(self, path: str | PathLike[str]) -> None:
        """Take everything but the analyzer from a file of `save` or of `pymilvus.model`.

        A file of `pymilvus.model` does not name its analyzer: pass the one it was fitted with to
        the constructor, `NLTKAnalyzer(language)` for its default ones. It can be fitted further
        only if no idf in it was replaced by the mean idf's share. A file of another version of the
        analyzer is taken, with a warning.

        Raises:
            InvalidInputError: The file cannot be read, holds something else, or was made with
                another analyzer. What was fitted before stays.
        """
        parameters = read_parameters(path)
        if parameters.analyzer is None:
            logger.warning(
                "%s does not name its analyzer; its terms are looked up as those of %s",
                path, self._analyzer.identity,
            )  # fmt: skip
        elif parameters.analyzer != (identity := self._analyzer.identity):
            _check_lineage(path, parameters.analyzer, identity)
            logger.warning(
                "%s was made with %s, and this installation has %s: terms that the two cut "
                "differently are not found, so fit anew, and encode the documents again",
                path, parameters.analyzer, identity,
            )  # fmt: skip
        self._restore(parameters)

    def _restore(self, parameters: Parameters) -> None:
        terms = OrdinalTermIds(parameters.terms)
        statistics = parameters.statistics or recover_statistics(parameters)
        self._weighting = parameters.weighting
        if statistics is not None:
            self._adopt(terms, statistics, parameters.average_length)
        else:
            documents = parameters.documents
            statistics = Statistics(documents, round(parameters.average_length * documents))
            self._adopt(terms, statistics, parameters.average_length, parameters.idf)

    def _adopt(
        self,
        terms: OrdinalTermIds,
        statistics: Statistics,
        average_length: float,
        idf: NDArray[np.float64] | None = None,
    ) -> None:
        """Take over a fitted state; `idf` is for one whose document frequencies are not known."""
        self._terms = terms
        self._statistics = statistics
        self._average_length = average_length
        self._idf = idf
        self._counter = self._counter_of(terms.frozen())
        self._warned_of_drift = False

    def _counter_of(self, terms: TermIds) -> TermCounter:
        # The terms of its files are those that pymilvus.model would have: of content words alone.
        return TermCounter(self._analyzer, terms, content_alone=True)

    def _count(self, terms: OrdinalTermIds, corpus: Iterable[str], progress: bool) -> Statistics:
        statistics = Statistics()
        for block in self._counter_of(terms).blocks(_shown(corpus, progress, "Counting terms")):
            statistics.add(block.statistics())
        return _parse_counted(statistics)

    def _document_vectors(self, counts: TermCounts) -> csr_array:
        return document_vectors(counts, self._weighting, self._average_length, self.dim)

    def _idf_by_index(self) -> NDArray[np.float64]:
        if self._idf is not None:
            return self._idf
        frequencies = self._statistics.frequencies
        by_index = np.array([frequencies[index] for index in range(self.dim)], np.int64)
        return self._weighting.query_weights(by_index, self._statistics)

    def _unfitted(self) -> BM25EmbeddingFunction:
        weighting = self._weighting
        return BM25EmbeddingFunction(
            self._analyzer, None, weighting.k1, weighting.b, weighting.epsilon, idf=weighting.idf
        )

    def _check_fitted(self) -> None:
        if not self.fitted:
            msg = "BM25 has not seen a corpus: call fit or load first"
            raise NotFittedError(msg)

    def _check_counted(self, method: str) -> None:
        if self._idf is not None:
            msg = (
                f"{method} needs document frequencies, and the loaded file of pymilvus.model does "
                "not tell those of its common terms, whose idf it replaced by a share of the mean: "
                "fit on the whole corpus instead"
            )
            raise InvalidInputError(msg)

    def _warn_of_drift(self) -> None:
        true = self._statistics.average_length
        drifted = abs(true - self._average_length) > _DRIFT * self._average_length
        if drifted and not self._warned_of_drift:
            self._warned_of_drift = True
            logger.warning(
                "the average document has %.1f tokens now, and BM25 still weighs by %.1f: fit on "
                "the whole corpus and encode it again to rank as well as before",
                true, self._average_length,
            )  # fmt: skip


def _parse_counted(statistics: Statistics) -> Statistics:
    if not statistics.documents:
        msg = "the corpus has no documents: give at least one"
        raise InvalidInputError(msg)
    return statistics


def _check_lineage(path: object, made_by: str, identity: str) -> None:
    """Check that two analyzers are versions of one.

    Raises:
        InvalidInputError: They are not.
    """
    if lineage(made_by) != lineage(identity):
        msg = (
            f"{shown(path)} was made with the analyzer {shown(made_by)}, and this function has "
            f"{identity!r}: pass the former, or fit anew"
        )
        raise InvalidInputError(msg)


def _check_equal(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        msg = f"the {what} of the two differ: {ours!r} and {theirs!r}; fit both alike to merge them"
        raise InvalidInputError(msg)


def _shown(texts: Iterable[str], progress: bool, description: str) -> Iterable[str]:
    """Return the texts, behind a bar if one is wanted."""
    check_flag(progress, "progress")
    check_iterable(texts)
    if not progress:
        return texts
    from tqdm.auto import tqdm

    total = len(texts) if isinstance(texts, Sized) else None
    return tqdm(texts, desc=description, total=total, unit="text")
