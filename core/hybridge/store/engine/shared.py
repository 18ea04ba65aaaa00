"""One state per address and collection in a process, shared by every store that opens it.

So stores of both frameworks write under one lock, rank by the same counts, and know alike when
rows wait to be flushed.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from hybridge.errors import StoreBrokenError
from hybridge.retrieval.health import Health
from hybridge.sparse.statistics import Statistics
from hybridge.store.engine.address import Address
from hybridge.store.engine.view import KeptView
from hybridge.store.layout import Layout
from hybridge.store.lifetime import call_in_child

# Unflushed rows make sparse search up to 70 times slower on Milvus Lite; a flush takes 20 ms.
FLUSH_THRESHOLD = 100

# In this process they are searched as fast as others, and a flush of 9,000 takes a second: it is
# put off until the next write, after which all that wait would be looked through once more.
FLUSH_THRESHOLD_HERE = 10_000

ONLY_WRITER = "path"
"""The writer of a path, which one process has open at a time."""


class Candidate(NamedTuple):
    """What filters are evaluated over, of one row.

    Attributes:
        key: The primary key.
        id: The record's id.
        document_id: The id of the source document.
        metadata: The metadata.
        text: The row's own text, where it was read.
    """

    key: str
    id: str
    document_id: str | None
    metadata: Mapping[str, Any]
    text: str = ""


class Scan(NamedTuple):
    """What filters are evaluated over, of every row; see `hybridge.store.selection`.

    Attributes:
        version: The state's version when the scan began.
        rows: The rows.
    """

    version: int
    rows: Sequence[Candidate]


@dataclass
class Look:
    """What was last seen of the companion.

    Attributes:
        listing: What is small of its rows.
        number: How often it was looked at.
        at: When, by the monotonic clock.
    """

    listing: Sequence[Mapping[str, Any]] = ()
    number: int = 0
    at: float = 0.0
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def note(self, listing: Sequence[Mapping[str, Any]]) -> None:
        """Note what was just seen."""
        self.listing, self.number, self.at = listing, self.number + 1, monotonic()

    def again(self, after: float, read: Callable[[], Sequence[Mapping[str, Any]] | None]) -> None:
        """Look again, one thread at a time.

        Args:
            after: Seconds since the last look that must have passed; 0 waits for a thread that is
                looking, which others leave to it.
            read: Returns what there is to see, or None where nothing is left to look at.
        """
        if monotonic() - self.at < after or not self._looking.acquire(blocking=after == 0.0):
            return
        try:
            listing = read()
            if listing is not None:
                self.note(listing)
        finally:
            self._looking.release()


@dataclass
class BM25State:
    """What the stores of one collection share of one BM25 field, or of one tenant's share of it.

    Attributes:
        look: What was last seen of the tenant's rows of the companion.
        statistics: The counts; None until they are read.
        counted: The entries of the statistics log that the statistics count, by id.
        looks: The look at the companion that they follow.
        unfinished: A look, and the entries of others that were open at it.
        following: Held by the one thread that brings them up to date with other processes.
        compact_at: How many entries there are when many are summed up.
        counting: Held for the moment in which the statistics change or are weighed.
        average_length: The frozen average document length, in tokens; None until it is known.
        average_look: The look at the companion that it follows.
        is_first: Whether this process has fixed it, and not looked since whether it stands.
        overruled: Whether it did not: rows were weighed by another.
        agrees: Whether the analyzer that is here, by its identity, makes the terms of the rows.
        weighed: How many documents the frozen average length is the average of.
        interrupted: Whether an earlier re-encoding was interrupted; None until it is known.
        reported: Whether the drift from the frozen average length was reported.
        told_many: Whether it was said that there are too many terms for clients.
    """

    look: Look = field(default_factory=Look)
    statistics: Statistics | None = None
    counted: dict[str, Any] = field(default_factory=dict[str, Any])
    looks: int = 0
    unfinished: tuple[int, list[Any]] | None = None
    following: threading.Lock = field(default_factory=threading.Lock)
    compact_at: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)
    average_length: float | None = None
    average_look: int = 0
    is_first: bool = False
    overruled: bool = False
    agrees: dict[str, bool] = field(default_factory=dict[str, bool])
    weighed: int = 0
    interrupted: bool | None = None
    reported: bool = False
    told_many: bool = False


@dataclass
class SharedState:
    """What the stores of one collection share.

    Attributes:
        lock: Held while rows, statistics or the collection itself change, one batch at a time.
        layout: What the collection holds; None while it is not known to exist.
        made: Whether this process made the collection.
        stored: The layout as the companion has it.
        described: What Milvus says of the collection, where another library made it.
        target: The collection's own name, where it was opened by an alias.
        look: What was last seen of the companion, beside what tenants have there.
        waiting: Rows that may be unflushed. A collection just opened counts as waiting, since
            rows recovered after a crash are unflushed.
        put_off: Whether a read has left so many rows unflushed that the next write flushes them.
        version: How often rows were changed.
        wrote: When rows were last changed here, by the monotonic clock.
        scanned: The last scan of all rows; it holds while the version is its own.
        view: What searches in this process keep of the engine's rows.
        deeper: How many rows filtered searches have read beyond their depth since the last change.
        bm25: The state of each BM25 field, by name and tenant.
        suspects: The fields and tenants whose counts a failed write may have left behind.
        resumed: Whether the writes of earlier processes were looked at, on a path.
        lacking: The names of the fields that some rows lack.
        health: How well fields find documents by their own words, where that was measured.
        trust: How far a fusion trusts those that it does not trust as it finds them.
        row_bytes: About how many bytes a row of the last search had; 0 where the engine sent none.
        size: About how many rows there are; None while nobody has counted.
        writer: Tells this state among all that write to the collection.
        writes: How many writes it has made, for their marks.
        dropped: Whether it was said that the collection has no place for all of a record.
        looked_up: The metadata keys with dots that were looked for after nothing was found.
        told_outdated: Whether it was said that a field is left out until it is reindexed.
        broken: Why a flush failed.
        users: How many stores use the state.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    layout: Layout | None = None
    made: bool = False
    stored: Mapping[str, Any] | None = None
    described: Mapping[str, Any] | None = None
    target: str = ""
    look: Look = field(default_factory=Look)
    waiting: int = FLUSH_THRESHOLD
    put_off: bool = False
    version: int = 0
    wrote: float = -math.inf
    scanned: Scan | None = None
    view: KeptView = field(default_factory=KeptView)
    deeper: int = 0
    bm25: dict[tuple[str, str], BM25State] = field(default_factory=dict[tuple[str, str], BM25State])
    suspects: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    resumed: bool = False
    lacking: set[str] = field(default_factory=set[str])
    health: Mapping[str, Health] = field(default_factory=dict[str, Health])
    trust: Mapping[str, float] = field(default_factory=dict[str, float])
    row_bytes: int = 0
    size: int | None = None
    writer: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    writes: int = 0
    dropped: bool = False
    looked_up: set[str] = field(default_factory=set[str])
    told_outdated: bool = False
    broken: str | None = None
    users: int = 0

    @contextmanager
    def changing(self, rows: int) -> Generator[None]:
        """Note that the block changes so many rows, whether it fails or not."""
        try:
            yield
        finally:
            self.waiting += rows
            self.wrote = monotonic()
            self._changed()

    def _changed(self) -> None:
        self.version += 1
        self.scanned, self.deeper = None, 0

    def forget(self) -> None:
        """Forget the collection: it was dropped."""
        with self.lock:
            self._changed()
            self.layout = self.stored = self.described = None
            self.made, self.target, self.look = False, "", Look()
            self.bm25, self.suspects = {}, set()
            self.lacking, self.view = set(), KeptView()
            self.health, self.trust, self.size, self.row_bytes = {}, {}, None, 0

    def note_health(self, health: Mapping[str, Health]) -> None:
        """Note how well fields find documents, and how far to trust them for that."""
        self.health = health
        self.trust = {name: one.trust for name, one in health.items() if one.trust < 1}

    def grow(self, rows: int, count: Callable[[str], int]) -> int:
        """Return about how many rows there are after a write: those overwritten count twice.

        Args:
            rows: How many were written.
            count: Counts all of them, the first time.
        """
        with self.lock:
            self.size = count("") if self.size is None else self.size + rows
            return self.size

    def next_write(self, *, counted: bool) -> str:
        """Return the mark of a write, `<writer>/<seq>`, under the lock.

        Args:
            counted: Whether counts follow the rows. On a path a mark that is ahead of the counts
                is that of a write that a crash cut short, so only those get a new one.
        """
        self.writes += counted or self.writer != ONLY_WRITER
        return f"{self.writer}/{self.writes}"

    def check_not_broken(self) -> None:
        """Refuse to go on after a failed flush: writes would lose rows, reads do not see all.

        Raises:
            StoreBrokenError: If a flush has failed.
        """
        if self.broken is not None:
            raise self.broken_error()

    def broken_error(self) -> StoreBrokenError:
        """Return the error that says why, and what to do."""
        return StoreBrokenError(
            f"a flush failed ({self.broken}); writing on could lose rows, and reads would not see "
            "all of them: mend the cause (a full disk?), end this process and open the path again; "
            "every row that was acknowledged is recovered from the log"
        )


_states: dict[tuple[Address, str], SharedState] = {}
_registry = threading.Lock()


def _renew() -> None:
    global _registry
    _registry = threading.Lock()
    _states.clear()


call_in_child(_renew)


def acquire(address: Address, collection_name: str) -> SharedState:
    """Return the state of a collection and count one more user."""
    with _registry:
        new = SharedState(writer=ONLY_WRITER) if address.is_path else SharedState()
        state = _states.setdefault((address, collection_name), new)
        state.users += 1
        return state


def release(address: Address, collection_name: str) -> bool:
    """Count one user less; the last one takes the state along, unless it is broken.

    Returns:
        Whether the caller was the last user.
    """
    with _registry:
        state = _states[address, collection_name]
        state.users -= 1
        if state.users == 0 and state.broken is None:
            del _states[address, collection_name]
        return state.users == 0
