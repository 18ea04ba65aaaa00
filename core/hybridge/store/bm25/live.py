"""The store's own BM25: a sparse function whose statistics are those of the live rows.

IDF lives in the query vector; a document vector needs only term frequencies, its length and the
average length. So adding, overwriting and deleting change counts and rewrite no other row.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.records import Record, SparseVector
from hybridge.sparse.analyzer import Analyzer
from hybridge.sparse.counting import TermCounter, TermCounts, document_vectors, query_vectors
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import HashedTermIds
from hybridge.sparse.weighting import Weighting
from hybridge.store.bm25.statistics_log import StatisticsLog
from hybridge.store.engine.collection import Collection
from hybridge.store.engine.shared import BM25State
from hybridge.store.fields import EMPTY_SPARSE, VectorField, sparse_rows
from hybridge.store.rows import to_record

logger = logging.getLogger("hybridge")

AVERAGED = 1000
"""The first documents, as many as these, fix the average length."""

_AVERAGE = "average_length"
_REENCODING = "reencoding"


class LiveBM25:
    """A `SparseEmbeddingFunction` over the statistics of one field of one collection.

    Args:
        collection: The collection.
        field: The field.
        analyzer: Text to tokens.
        weighting: The BM25 parameters.

    Attributes:
        dim: One more than the largest term id.
    """

    def __init__(
        self, collection: Collection, field: VectorField, analyzer: Analyzer, weighting: Weighting
    ) -> None:
        self.collection = collection
        self.field = field
        self._analyzer = analyzer
        self._weighting = weighting
        self._term_ids = HashedTermIds()
        self._counter = TermCounter(analyzer, self._term_ids)
        self.dim = self._term_ids.dim
        self._log = StatisticsLog(collection.companion, field.name)

    @property
    def state(self) -> BM25State:
        """What all stores of the collection share of the field."""
        states = self.collection.shared.bm25
        if self.field.name not in states:
            with self.collection.shared.lock:
                if self.field.name not in states:
                    states[self.field.name] = self._read_state()
        return states[self.field.name]

    # --- statistics ----------------------------------------------------------------------------

    @property
    def statistics(self) -> Statistics:
        """The statistics of the live rows, read once and kept up to date by every write.

        After a crash between a write and its statistics the two disagree on the number of
        documents; the rows are then counted afresh.
        """
        state = self.state
        statistics = state.statistics
        if statistics is None:
            with self.collection.shared.lock:
                statistics = state.statistics
                if statistics is None:
                    statistics = state.statistics = self._read()
        return statistics

    def _read(self) -> Statistics:
        stored = self.stored_statistics()
        if stored is not None and self._plausible(stored):
            return stored
        logger.warning(
            "BM25 statistics of %r disagree with its rows, as after a crash: counting anew",
            self.collection.name,
        )
        return self.recount()

    def _plausible(self, statistics: Statistics) -> bool:
        """Whether statistics count as many documents as there are.

        In a shared collection they may not: another process may be between a write and its
        statistics. Nor do they where rows may lack the field.
        """
        if not self.collection.dialect.exclusive:
            return True
        rows = self.collection.count("")
        if self.field.optional:
            return statistics.documents <= rows
        return statistics.documents == rows

    def recount(self) -> Statistics:
        """Count the live rows afresh, and store the result."""
        with self.collection.shared.lock:
            statistics = self.fresh_statistics()
            self._log.replace(statistics)
            self.state.statistics = statistics
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
        for records in self.live_records():
            statistics.add(self.count_rows(records).statistics())
        return statistics

    def live_records(self) -> Iterator[list[Record]]:
        """Yield the live rows as records, in pages, with the vector of the field."""
        collection = self.collection
        layout = collection.layout()
        assert layout is not None  # the collection is there, or there were no BM25
        columns = [*layout.data_columns, self.field.name]
        for page in collection.select("", ["id", *columns]):
            yield [to_record(row, {self.field.name: self.field}) for row in page]

    @property
    def drift(self) -> float:
        """How far the true average length is from the frozen one, as a share of the latter."""
        frozen, true = self.state.average_length, self.statistics.average_length
        return abs(true / frozen - 1) if frozen and true else 0.0

    # --- documents -----------------------------------------------------------------------------

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Return the term counts of texts."""
        return self._counter.count(texts)

    def count_rows(self, records: Iterable[Record]) -> TermCounts:
        """Return the term counts of the records that have the field."""
        texts = (self.field.text_of(record) for record in records)
        return self.count(text for text in texts if text is not None)

    def weigh(self, counts: TermCounts) -> list[SparseVector]:
        """Return document vectors; one without a term gets an index that no query uses."""
        average = self.state.average_length or 1.0
        vectors = document_vectors(counts, self._weighting, average, self.dim)
        return [vector or EMPTY_SPARSE for vector in sparse_rows(vectors)]

    @contextmanager
    def following(
        self, write: str, added: TermCounts | None = None, removed: TermCounts | None = None
    ) -> Generator[None]:
        """Bring the statistics up to date with the rows that the block writes or deletes.

        If anything fails, the statistics are read, and compared with the rows, at the next use.
        """
        state, statistics = self.state, self.statistics  # before the rows change
        plus = Statistics() if added is None else added.statistics()
        minus = Statistics() if removed is None else removed.statistics()
        try:
            yield
            self._log.append(plus, minus, write)
        except BaseException:
            state.statistics = None
            raise
        with state.counting:
            statistics.add(plus)
            try:
                statistics.remove(minus)
            except InvalidInputError:
                state.statistics = None  # the rows removed were never counted

    # --- the average length --------------------------------------------------------------------

    def freeze(self, average_length: float, documents: int) -> None:
        """Set the average length that document vectors are weighed by.

        Args:
            average_length: In tokens.
            documents: How many documents it is the average of.
        """
        value = {"tokens": average_length, "documents": documents}
        self.collection.companion.write_value(self._value_id(_AVERAGE), value)
        state = self.state
        state.average_length, state.weighed, state.reported = average_length, documents, False

    def freeze_by(self, records: Sequence[Record]) -> None:
        """Let the first documents fix the average length, if nothing has fixed it."""
        if self.state.average_length is None:
            counts = self.count_rows(records[:AVERAGED])
            if tokens := int(counts.lengths.sum()):
                self.freeze(tokens / len(counts), len(counts))

    def read_progress(self) -> str | None:
        """Return the key of the last row that an interrupted re-encoding wrote, or None."""
        value = self.collection.companion.read_value(self._value_id(_REENCODING))
        return None if value is None else str(value["after"])

    def write_progress(self, after: str) -> None:
        """Keep how far a re-encoding has come."""
        self.state.interrupted = True
        self.collection.companion.write_value(self._value_id(_REENCODING), {"after": after})

    def end_progress(self) -> None:
        """Forget the re-encoding: it is done."""
        self.collection.companion.delete([self._value_id(_REENCODING)])
        self.state.interrupted = False

    def _read_state(self) -> BM25State:
        state = BM25State()
        value = self.collection.companion.read_value(self._value_id(_AVERAGE))
        if value is not None:
            state.average_length, state.weighed = value["tokens"], value["documents"]
        return state

    def _value_id(self, kind: str) -> str:
        return kind if self.collection.companion.version == 1 else f"{kind}/{self.field.name}"

    # --- a sparse function ---------------------------------------------------------------------

    def encode_documents(self, documents: Sequence[str]) -> csr_array:
        """Return document vectors, float32 of shape `(len(documents), dim)`."""
        average = self.state.average_length or 1.0
        return document_vectors(self.count(documents), self._weighting, average, self.dim)

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return query vectors, float32 of shape `(len(queries), dim)`."""
        state, statistics = self.state, self.statistics
        counts = self.count(queries)
        with state.counting:
            return query_vectors(counts, statistics, self._weighting, self.dim)

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
