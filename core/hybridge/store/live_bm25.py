"""The store's own BM25: a sparse function whose statistics are those of the live rows.

IDF lives in the query vector; a document vector needs only term frequencies, its length and the
average length. So adding, overwriting and deleting change counts and rewrite no other row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.records import SparseVector
from hybridge.sparse.analyzer import Analyzer
from hybridge.sparse.counting import TermCounter, TermCounts, document_vectors, query_vectors
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import HashedTermIds
from hybridge.sparse.weighting import Weighting
from hybridge.store.collection import Collection
from hybridge.store.legs import sparse_rows
from hybridge.store.schema import EMPTY_SPARSE
from hybridge.store.statistics_log import StatisticsLog

logger = logging.getLogger("hybridge")


class LiveBM25:
    """A `SparseEmbeddingFunction` over the statistics of one collection.

    Args:
        collection: The collection.
        analyzer: Text to tokens.
        weighting: The BM25 parameters.
    """

    def __init__(self, collection: Collection, analyzer: Analyzer, weighting: Weighting) -> None:
        self._collection = collection
        self._shared = collection.shared
        self._analyzer = analyzer
        self._weighting = weighting
        self._term_ids = HashedTermIds()
        self._counter = TermCounter(analyzer, self._term_ids)
        self._log = StatisticsLog(collection.connection, collection.companion)

    @property
    def dim(self) -> int:
        """One more than the largest term id."""
        return self._term_ids.dim

    @property
    def statistics(self) -> Statistics:
        """The statistics of the live rows, read once and kept up to date by every write.

        After a crash between a write and its statistics the two disagree on the number of
        documents; the rows are then counted afresh.
        """
        if self._shared.statistics is None:
            with self._shared.lock:
                if self._shared.statistics is None:
                    self._shared.statistics = self._read()
        return self._shared.statistics

    def _read(self) -> Statistics:
        stored = self.stored_statistics()
        if stored is not None and self._plausible(stored):
            return stored
        logger.warning(
            "BM25 statistics of %r disagree with its rows, as after a crash: counting anew",
            self._collection.name,
        )
        return self.recount()

    def _plausible(self, statistics: Statistics) -> bool:
        """Whether statistics count as many documents as there are.

        On a server they may not: another process may be between a write and its statistics.
        """
        if not self._collection.connection.address.is_path:
            return True
        return statistics.documents == self._collection.count("")

    def recount(self) -> Statistics:
        """Count the live rows afresh, and store the result."""
        with self._shared.lock:
            statistics = self.fresh_statistics()
            self._log.replace(statistics)
            self._shared.statistics = statistics
            return statistics

    def stored_statistics(self) -> Statistics | None:
        """Return what the companion's rows add up to, or None if they contradict themselves."""
        try:
            return self._log.read()
        except InvalidInputError:
            return None

    def fresh_statistics(self) -> Statistics:
        """Return the counts of the live rows, whatever is stored."""
        statistics = Statistics()
        for batch in self._collection.select("", ["text"]):
            statistics.add(self.count(row["text"] for row in batch).statistics())
        return statistics

    @property
    def drift(self) -> float:
        """How far the true average length is from the frozen one, as a share of the latter."""
        frozen, true = self._shared.average_length, self.statistics.average_length
        return abs(true / frozen - 1) if frozen and true else 0.0

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Return the term counts of texts."""
        return self._counter.count(texts)

    def weigh(self, counts: TermCounts) -> list[SparseVector]:
        """Return document vectors; one without a term gets an index that no query uses.

        The first documents freeze the average length.
        """
        tokens = int(counts.lengths.sum())
        if self._shared.average_length is None and tokens:
            self._collection.freeze_average_length(tokens / len(counts), len(counts))
        average = self._shared.average_length or 1.0
        vectors = document_vectors(counts, self._weighting, average, self.dim)
        return [vector or EMPTY_SPARSE for vector in sparse_rows(vectors)]

    @contextmanager
    def following(
        self, added: TermCounts | None = None, removed: TermCounts | None = None
    ) -> Iterator[None]:
        """Bring the statistics up to date with the rows that the block writes or deletes.

        If anything fails, the statistics are read, and compared with the rows, at the next use.
        """
        statistics = self.statistics  # before the rows change, since reading compares the two
        plus = Statistics() if added is None else added.statistics()
        minus = Statistics() if removed is None else removed.statistics()
        try:
            yield
            self._log.append(plus, minus)
        except BaseException:
            self._shared.statistics = None
            raise
        with self._shared.counting:
            statistics.add(plus)
            try:
                statistics.remove(minus)
            except InvalidInputError:
                self._shared.statistics = None  # the rows removed were never counted
        if self._shared.changes is not None:
            self._shared.changes += plus.documents + minus.documents

    def encode_documents(self, documents: Sequence[str]) -> csr_array:
        """Return document vectors, float32 of shape `(len(documents), dim)`."""
        average = self._shared.average_length or 1.0
        return document_vectors(self.count(documents), self._weighting, average, self.dim)

    def explain(self, query: str, text: str) -> dict[str, float]:
        """Return what each term of the query adds to the score of a text, largest first."""
        [of_query] = sparse_rows(self.encode_queries([query]))
        [of_text] = sparse_rows(self.encode_documents([text]))
        indices = {term: self._term_ids.index(term) for term in self._analyzer(query)}
        added = {
            term: of_query[index] * of_text[index]
            for term, index in indices.items()
            if index in of_query and index in of_text
        }
        return dict(sorted(added.items(), key=lambda item: -item[1]))

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return query vectors, float32 of shape `(len(queries), dim)`."""
        counts, statistics = self.count(queries), self.statistics
        with self._shared.counting:
            return query_vectors(counts, statistics, self._weighting, self.dim)
