"""The store's own BM25: a sparse function whose statistics are those of the live rows.

IDF lives in the query vector; a document vector needs only term frequencies, its length and the
average length. So adding, overwriting and deleting change counts and rewrite no other row.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from itertools import islice
from time import monotonic, sleep
from typing import Any

from scipy.sparse import csr_array

from hybridge.arguments import shown
from hybridge.errors import CollectionMismatchError, StoreDamagedError, StoreError
from hybridge.filters import quote
from hybridge.narrowing import is_number
from hybridge.records import Record, SparseVector
from hybridge.sparse.analyzer import Analyzer, is_other_release
from hybridge.sparse.counting import TermCounts, query_vectors
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.weighting import Weighting
from hybridge.store.bm25.documents import BM25Documents
from hybridge.store.bm25.field import BM25Field
from hybridge.store.bm25.statistics_log import (
    DONE,
    Entry,
    StatisticsLog,
    counting,
    difference,
    entries_of,
    is_under_way,
    with_state,
    writes_of,
)
from hybridge.store.engine.collection import LOOK_AGAIN, Collection
from hybridge.store.engine.companion import AVERAGE_LENGTH
from hybridge.store.engine.shared import BM25State, Look
from hybridge.store.fields import sparse_rows
from hybridge.store.rows import to_record

logger = logging.getLogger("hybridge")

AVERAGED = 1000
"""The first documents, as many as these, fix the average length."""

UNKNOWN_AGAIN = 0.25
"""Seconds after which a word that is not known is looked for again."""

MOST_TENANTS = 256
"""Tenants whose counts are kept in memory."""

MOST_TERMS = 10_000_000
"""Terms whose counts each process that searches by words keeps: 1.2 GB, read in a minute."""

AVERAGE_WITHIN = 10.0
"""Seconds within which the process that made a collection fixes the average length."""

_LONGEST = 2.0**53
"""Tokens of a document: a float counts no further one by one."""

_LOOKED_AT = 1000
"""Rows by which it is told whether another release of an analyzer does the same."""

_ATTEMPTS = 3
_REENCODING = "reencoding"


class LiveBM25(BM25Documents):
    """A `SparseEmbeddingFunction` over the statistics of one field of one collection.

    Args:
        collection: The collection.
        field: The field.
        analyzer: Text to tokens.
        weighting: The BM25 parameters.

    Attributes:
        tenant: Whose rows are counted, by `tenant_key`; "" where there are no tenants.
        scope: The expression that selects those rows; "" for all.
    """

    def __init__(
        self, collection: Collection, field: BM25Field, analyzer: Analyzer, weighting: Weighting
    ) -> None:
        super().__init__(field, analyzer, weighting)
        self.collection = collection
        self.tenant = self.scope = ""

    def of_tenant(self, tenant: str, scope: str) -> LiveBM25:
        """Return the BM25 of one tenant's rows, which knows nothing of those of others.

        Args:
            tenant: The tenant, by `tenant_key`.
            scope: The expression that selects its rows.
        """
        own = copy.copy(self)
        own.tenant, own.scope = tenant, scope
        return own

    @property
    def log(self) -> StatisticsLog:
        """The counts as they are stored."""
        return StatisticsLog(self.collection.companion, self.field.name, self.tenant)

    @property
    def state(self) -> BM25State:
        """What all stores of the collection share of the field.

        The states of `MOST_TENANTS` are kept; the others are read again when they are needed.
        """
        shared = self.collection.shared
        state = shared.bm25.get(self._key)
        if state is None:
            with shared.lock:
                state = shared.bm25.get(self._key) or self._read_state()
                shared.bm25[self._key] = state
                if self.tenant and len(shared.bm25) > MOST_TENANTS:
                    del shared.bm25[next(iter(shared.bm25))]
        return state

    @property
    def _key(self) -> tuple[str, str]:
        return self.field.name, self.tenant

    @property
    def look(self) -> Look:
        """What was last seen of the companion."""
        return self.state.look if self.tenant else self.collection.shared.look

    @property
    def differs(self) -> bool:
        """Whether the rows were indexed by an analyzer that makes other terms.

        Another release of a package may make the same: some rows are analyzed anew to see, once.
        """
        stored, here = self.field.settings["analyzer"], self.analyzer.identity
        if here == stored:
            return False
        agrees = self.state.agrees
        if here not in agrees:
            agrees[here] = is_other_release(here, stored) and self._makes_their_terms()
        return not agrees[here]

    def _makes_their_terms(self) -> bool:
        """Whether the analyzer that is here makes the terms of the first rows."""
        first = islice(self.vectors_and_made_anew(), _LOOKED_AT)
        return all(there.keys() == made.keys() for there, made in first)

    @property
    def is_outdated(self) -> bool:
        """Whether some rows lack the terms of the analyzer that is here."""
        return self.field.state is not None or self.differs

    def outdated_error(self) -> CollectionMismatchError:
        """Return the error that says why the field cannot be searched, and what to do."""
        indexed, name = self.field.settings["analyzer"], self.field.name
        why = (
            f"and this installation has {self.analyzer.identity!r}"
            if self.differs
            else ("and rows were written since by another, or reindexing was cut short")
        )
        return CollectionMismatchError(
            f"the field {name!r} of {self.collection.name!r} was indexed by the analyzer "
            f"{indexed!r}, {why}: call reindex_sparse(), which indexes the rows in place"
        )

    def look_again(self, after: float) -> None:
        """Look again at what other processes have counted, if the last look is so long ago."""
        collection = self.collection
        if not self.tenant:
            collection.look(after)
        elif collection.is_shared:
            self.look.again(after, self._listing)

    def _listing(self) -> list[dict[str, Any]]:
        """Return what is small of the tenant's rows of the companion."""
        return self.collection.companion.listing(self.tenant)

    # --- statistics ----------------------------------------------------------------------------

    @property
    def statistics(self) -> Statistics:
        """The statistics of the live rows, kept up to date by every write of this process.

        Those of other processes are followed as far as the last look at the companion tells.
        """
        state = self.state
        if self.tenant:
            self.look_again(LOOK_AGAIN)
        statistics = state.statistics
        if statistics is None:
            with self.collection.shared.lock:
                statistics = state.statistics or self._read()
        elif state.looks != self.look.number and state.following.acquire(blocking=False):
            try:
                self._follow()
            finally:
                state.following.release()
            return state.statistics or self.statistics
        return statistics

    def _read(self) -> Statistics:
        """Read the counts, under the shared lock.

        A path that a crash, or a failed write, has left without some counts has its rows counted
        afresh.

        Raises:
            StoreDamagedError: If rows are gone that no deletion took.
        """
        state = self.state
        state.looks, entries = self.look.number, self.log.entries()
        statistics = self._sum(entries)
        if self.collection.is_shared or self.is_outdated:
            return statistics
        if self._key in self.collection.shared.suspects:
            return self.recount()
        missing = statistics.documents - self.collection.count(self.scope)
        if missing > 0:
            state.statistics = None
            raise damaged(missing, statistics.documents, self.collection.name)
        if missing < 0 and not self.field.optional:
            logger.warning(
                "BM25 statistics of %r disagree with its rows, as after a crash: counting anew",
                self.collection.name,
            )
            return self.recount()
        return statistics

    def _sum(self, entries: Sequence[Entry]) -> Statistics:
        state = self.state
        for _ in range(_ATTEMPTS):
            counted = self.counting(entries)
            statistics = self.log.read(counted)
            if statistics is not None:
                state.counted = {entry.id: entry for entry in counted}
                state.statistics = statistics
                self._advise(statistics)
                return statistics
            entries = self.log.entries()
        raise busy(self.collection.name)

    def _advise(self, statistics: Statistics) -> None:
        """Say, once, that the counts are more than clients should keep."""
        state, terms = self.state, len(statistics.frequencies)
        if terms > MOST_TERMS and not state.told_many:
            state.told_many = True
            logger.warning(
                "BM25 of %r counts %s terms, which every process that searches by words reads and "
                "keeps: let a server do it, by a new collection with sparse='milvus'",
                self.collection.name,
                f"{terms:,}",
            )

    def counting(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the entries that count; those of this process are never under way."""
        return counting(entries, self.landed, own=self.collection.shared.writer)

    def suspect(self) -> None:
        """Note that a write has failed: the counts are read anew at their next use."""
        self.state.statistics = None
        if not self.collection.is_shared:
            self.collection.shared.suspects.add(self._key)  # until `recount`

    def landed(self, entry: Entry) -> bool:
        """Whether the write of an open row has reached the collection."""
        if not entry.erased:
            return self._is_marked(entry.mark)
        rows = self.collection.read(list(entry.erased), ["write"])
        return all(row["write"] != entry.erased[key] for key, row in rows.items())

    def _is_marked(self, mark: str) -> bool:
        collection = self.collection
        return collection.has_marks and collection.count(f"write == {quote(mark)}") > 0

    def _follow(self) -> None:
        """Count what other processes have written since the last time."""
        state, look, writer = self.state, self.look, self.collection.shared.writer
        looks = look.number
        entries = [
            entry for entry in entries_of(look.listing, self.field.name) if entry.writer != writer
        ]
        wanted = {entry.id: entry for entry in self.counting(entries)}
        known = {key: one for key, one in state.counted.items() if one.writer != writer}
        new = {key: entry for key, entry in wanted.items() if key not in known}
        gone = {key: entry for key, entry in known.items() if key not in wanted}
        if not _stand_for(new, gone, known):
            self._read_again()
            return
        fresh = [entry for entry in new.values() if not (gone and entry.parts)]
        added = self.log.read(fresh) if fresh else Statistics()
        if added is None or state.statistics is None:
            return  # summed up since the look: the next one tells
        with state.counting:
            state.statistics.add(added)
            state.counted = {**state.counted, **new}
            for key in gone:
                del state.counted[key]
        state.looks = looks

    def _read_again(self) -> None:
        """Read all counts anew, unless a write is under way: then the next look does."""
        lock = self.collection.shared.lock
        if lock.acquire(blocking=False):
            try:
                self._read()
            finally:
                lock.release()

    def count_write(
        self, rows: Sequence[Mapping[str, Any]], plus: Statistics, minus: Statistics
    ) -> None:
        """Count a write of this process that is done, and sum up if there are many."""
        state = self.state
        if state.statistics is None:
            return  # another write has failed, and all is read anew
        with state.counting:
            state.statistics.add(plus)
            state.statistics.subtract(minus)
            for row in rows:
                state.counted[row["id"]] = Entry.parse(row)
        self._advise(state.statistics)
        if len(state.counted) >= max(state.compact_at, self.log.compact_at):
            self._compact()

    def _compact(self) -> None:
        state, writer = self.state, self.collection.shared.writer
        others = {key: one for key, one in state.counted.items() if one.writer != writer}
        summed = self.log.compact(
            writer,
            self.landed,
            shared=self.collection.is_shared,
            total=None if others else state.statistics,
        )
        with state.counting:
            if summed:
                state.counted = {**others, **{entry.id: entry for entry in summed}}
        state.compact_at = len(state.counted) + self.log.compact_at

    def settle(self) -> None:
        """Settle for good, under the lock, the writes of others that were cut short long ago."""
        cut = [entry for entry in self._open_entries() if not is_under_way(entry)]
        if cut:
            landed = {entry.id: self.landed(entry) for entry in cut}
            self.log.finish([key for key, has in landed.items() if has])
            self.log.forget([key for key, has in landed.items() if not has])
            self._settled(landed)

    def settle_for(self, marks: Mapping[str, str | None]) -> None:
        """Settle the writes by which rows could be told that are about to change.

        Args:
            marks: The marks of those rows, by key. A write with such a mark has landed; a deletion
                that names such a row has not.
        """
        self.log.finish(self.log.ids(self._unknown({mark for mark in marks.values() if mark})))
        void = [
            entry.id
            for entry in self._open_entries()
            if any(key in marks and marks[key] == mark for key, mark in entry.erased.items())
        ]
        if void:
            self.log.forget(void)
            self._settled(void)

    def _settled(self, ids: Container[str]) -> None:
        left = [entry for entry in self._open_entries() if entry.id not in ids]
        self.state.unfinished = (self.look.number, left)

    def _unknown(self, marks: Set[str]) -> list[str]:
        """Return the marks of writes that are not counted here."""
        known, summed = set[str](), dict[str, int]()
        for entry in self.state.counted.values():
            if entry.parts:
                summed[entry.writer] = entry.last
            else:
                known.add(entry.mark)
        return [
            mark
            for mark in marks - known
            for writer, _, seq in [mark.partition("/")]
            if int(seq) > summed.get(writer, -1)
        ]

    def _open_entries(self) -> list[Entry]:
        """Return the open entries of other processes, as last looked at."""
        self.look_again(LOOK_AGAIN)
        state, look, writer = self.state, self.look, self.collection.shared.writer
        if state.unfinished is None or state.unfinished[0] != look.number:
            entries = entries_of(look.listing, self.field.name)
            some = [one for one in entries if one.is_open and one.writer != writer]
            state.unfinished = (look.number, some)
        return state.unfinished[1]

    def recount(self) -> Statistics:
        """Count the live rows afresh, and write what is missing from the counts, or too much.

        Raises:
            StoreError: If other processes write all the time.
        """
        shared = self.collection.shared
        with shared.lock:
            self.collection.check_writable()
            fresh, entries = self.snapshot()
            self._sum(entries)
            stored = self.state.statistics or Statistics()
            plus, minus = difference(fresh, stored)
            rows = self.log.rows(shared.next_write(counted=True), plus, minus, {})
            if rows:
                self.collection.companion.upsert(with_state(rows, DONE))
                self.count_write(rows, plus, minus)
            shared.suspects.discard(self._key)
            return fresh

    def snapshot(self) -> tuple[Statistics, list[Entry]]:
        """Return a fresh count of the live rows and the entries that should add up to it.

        Raises:
            StoreError: If other processes wrote during each of three scans.
        """
        for _ in range(_ATTEMPTS):
            before = self.log.entries()
            fresh = self.fresh_statistics()
            if not self.collection.is_shared:
                return fresh, before
            if before == self.log.entries() and not any(map(self._is_of_others, before)):
                return fresh, before
        raise busy(self.collection.name)

    def _is_of_others(self, entry: Entry) -> bool:
        """Whether another process may be at the write: under the lock, this one is at none."""
        return is_under_way(entry) and entry.writer != self.collection.shared.writer

    def fresh_statistics(self) -> Statistics:
        """Return the counts of the live rows, whatever is stored."""
        statistics = Statistics()
        for records in self.live_records():
            statistics.add(self.count_rows(records).statistics())
        return statistics

    def live_records(self) -> Iterator[list[Record]]:
        """Yield the live rows as records, in pages, with the vector of the field."""
        collection = self.collection
        columns = [*collection.known.data_columns, self.field.name]
        for page in collection.select(self.scope, ["id", *columns]):
            yield [to_record(row, {self.field.name: self.field}) for row in page]

    def vectors_and_made_anew(self) -> Iterator[tuple[SparseVector, SparseVector]]:
        """Yield the vector of each live row that has the field, and what it would be now."""
        field = self.field
        for page in self.live_records():
            records = [one for one in page if field.text_of(one) is not None]
            made = self.weigh(self.count_rows(records))
            for record, vector in zip(records, made, strict=True):
                yield field.read(record.vectors[field.name]), field.read(vector)

    @property
    def drift(self) -> float:
        """How far the true average length is from the frozen one, as a share of the latter."""
        frozen, true = self.average_length, self.statistics.average_length
        return abs(true / frozen - 1) if frozen and true else 0.0

    # --- the average length --------------------------------------------------------------------

    @property
    def average_length(self) -> float | None:
        """What documents are weighed by, in tokens, as last looked at; None before the first.

        Two processes that bring a tenant's first rows at one time each fix it, and what the last
        one wrote stays: the other has weighed some rows by its own (`overruled`). And whoever
        weighs all rows anew fixes it for everybody.
        """
        state, look = self.state, self.look
        if state.average_look != look.number:
            state.average_look = look.number
            own_id = self._value_id(AVERAGE_LENGTH)
            for row in look.listing:
                if row["id"] == own_id:
                    self._take_average(state, row["value"])
                    state.is_first = False
        return state.average_length

    def is_overruled(self) -> bool:
        """Whether rows were weighed before another process, too, has fixed the average length."""
        if self.state.is_first:
            self._read_average(self.state)
        return self.state.overruled

    def freeze(self, average_length: float, documents: int) -> None:
        """Set the average length that document vectors are weighed by.

        Args:
            average_length: In tokens.
            documents: How many documents it is the average of.
        """
        value = {"tokens": average_length, "documents": documents}
        self._write_value(AVERAGE_LENGTH, value)
        state = self.state
        state.average_length, state.weighed, state.reported = average_length, documents, False
        state.average_look = self.look.number  # which has not seen it yet

    def freeze_by(self, records: Sequence[Record], given: float | None = None) -> None:
        """Let the first documents fix the average length, if nothing has fixed it.

        Args:
            records: The documents.
            given: The average length in tokens, where the user knows it.
        """
        self.look_again(LOOK_AGAIN)
        if self.average_length is not None or self._has_average():
            return
        if given is not None:
            self.freeze(given, AVERAGED)
        else:
            counts = self.count_rows(records[:AVERAGED])
            if tokens := int(counts.lengths.sum()):
                self.freeze(tokens / len(counts), len(counts))
        is_fixed = self.state.average_length is not None
        self.state.is_first = is_fixed and bool(self.tenant) and self.collection.is_shared

    def _has_average(self) -> bool:
        """Whether another process has fixed the average length since it was looked for.

        Who made the collection fixes it with its first rows, which the others wait for. A tenant's
        is fixed by whoever brings its first rows.
        """
        state, collection = self.state, self.collection
        if not collection.is_shared:
            return False
        first = collection.shared.made or self.tenant
        until = 0.0 if first else monotonic() + AVERAGE_WITHIN
        self._read_average(state)
        while state.average_length is None and monotonic() < until:
            sleep(0.1)
            self._read_average(state)
        return state.average_length is not None

    def read_progress(self) -> str | None:
        """Return the key of the last row that an interrupted re-encoding wrote, or None."""
        value = self.collection.companion.read_value(self._value_id(_REENCODING))
        return None if value is None else str(value["after"])

    def write_progress(self, after: str) -> None:
        """Keep how far a re-encoding has come."""
        self.state.interrupted = True
        self._write_value(_REENCODING, {"after": after})

    def end_progress(self) -> None:
        """Forget the re-encoding: it is done."""
        self.collection.companion.delete([self._value_id(_REENCODING)])
        self.state.interrupted = False

    def _read_state(self) -> BM25State:
        state = BM25State()
        if not self.tenant:
            state.average_look = self.collection.shared.look.number  # which is older
        self._read_average(state)
        return state

    def _read_average(self, state: BM25State) -> None:
        value = self.collection.companion.read_value(self._value_id(AVERAGE_LENGTH))
        if value is not None:
            self._take_average(state, value)

    def _take_average(self, state: BM25State, value: Mapping[str, Any]) -> None:
        known = state.average_length
        state.average_length, state.weighed = self._parse_average(value)
        if state.is_first and known != state.average_length:
            state.overruled = True

    def _parse_average(self, value: Mapping[str, Any]) -> tuple[float, int]:
        """Return an average length and how many documents it is of.

        Raises:
            StoreError: If it is none that Hybridge wrote.
        """
        tokens, documents = value.get("tokens"), value.get("documents")
        if is_number(tokens) and is_number(documents) and 0 < tokens <= _LONGEST:
            return float(tokens), int(documents)
        msg = (
            f"the average length in {self.collection.companion.name!r} is {shown(dict(value))}, "
            f"which no corpus has: delete its row {self._value_id(AVERAGE_LENGTH)!r}, and call "
            "reencode_sparse()"
        )
        raise StoreError(msg)

    def _write_value(self, kind: str, value: dict[str, Any]) -> None:
        self.collection.companion.write_value(self._value_id(kind), value, self.tenant)

    def _value_id(self, kind: str) -> str:
        if self.collection.companion.version == 1:
            return kind
        return "/".join([kind, self.field.name, *filter(None, [self.tenant])])

    # --- a sparse function ---------------------------------------------------------------------

    def encode_queries(self, queries: Sequence[str]) -> csr_array:
        """Return query vectors, float32 of shape `(len(queries), dim)`.

        Words that no document has are there as well: a score is judged by what could be reached.
        """
        state, statistics = self.state, self.statistics
        counts = self._counter.count_queries(queries)
        if self.collection.is_shared and _has_unknown(counts, statistics):
            self.look_again(UNKNOWN_AGAIN)
            statistics = self.statistics
        with state.counting:
            weighting = self._weighting
            return query_vectors(counts, statistics, weighting, self.dim, for_milvus=True)

    def explain(self, query: str, text: str) -> dict[str, float]:
        """Return what each term of the query adds to the score of a text, largest first."""
        [of_query] = sparse_rows(self.encode_queries([query]))
        [of_text] = sparse_rows(self.encode_documents([text]))
        indices = self._counter.terms(query)
        added = {
            term: of_query[index] * of_text[index]
            for term, index in indices.items()
            if index in of_query and index in of_text
        }
        return dict(sorted(added.items(), key=lambda item: -item[1]))


class OthersWriteError(StoreError):
    """Other processes write all the time."""


def busy(collection_name: str) -> OthersWriteError:
    """Return the error that says that other processes write all the time."""
    return OthersWriteError(
        f"other processes are writing to {collection_name!r}, so its rows and their counts could "
        "not be compared: call again when they are done"
    )


def damaged(missing: int, documents: int, collection_name: str) -> StoreDamagedError:
    """Return the error that says how many documents are gone."""
    return StoreDamagedError(
        f"{missing:,} of the {documents:,} documents that BM25 counts in {collection_name!r} are "
        "gone, and Hybridge has not deleted them: files of the engine are damaged, or another "
        "program has removed rows. Restore a copy, or call rebuild_statistics() to go on without "
        "them"
    )


def _has_unknown(counts: TermCounts, statistics: Statistics) -> bool:
    return any(term not in statistics.frequencies for term in counts.indices.tolist())


def _stand_for(
    new: Mapping[str, Entry], gone: Mapping[str, Entry], known: Mapping[str, Entry]
) -> bool:
    """Whether new sums stand for just what was counted of their writers and is gone."""
    for writer in {entry.writer for entry in gone.values()}:
        sums = [entry for entry in new.values() if entry.writer == writer and entry.parts]
        covered = [
            entry
            for entry in known.values()
            if entry.writer == writer and sums and entry.last <= sums[0].last
        ]
        lost = {entry.id for entry in gone.values() if entry.writer == writer}
        same = lost == {entry.id for entry in covered}
        if not (sums and same and writes_of(covered) == sums[0].writes):
            return False
    return True
