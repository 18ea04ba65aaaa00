"""What a collection of some size costs, and what to choose for it; see docs/capacity.md.

Our own share, what the client does, was measured (`tests/bench/bench_capacity.py`, `bench_bulk.py`;
one core of a small virtual machine). The server's is reckoned by what Milvus and Zilliz have
published, whose addresses stand beside the figures; none of it was measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_number
from hybridge.store import MOST_TERMS

# Measured.
CPU_OF_DOCUMENT, CPU_OF_WORD = 160e-6, 2.8e-6
"""Seconds of the client's CPU for a document, and for each of its words, without embedding."""

CALLS_OF_BATCH, BATCH = 5, 256
"""Calls to the server for a batch of `MilvusStore.add`."""

TEXT_OF_WORD, TERMS_OF_WORD, TOKENS_OF_WORD = 7.25, 0.24, 0.76
"""Bytes, distinct terms and tokens for each word of a document: of 8,000 documents of 400 words."""

HEAPS, EXPONENT = 15.7, 0.489
"""Terms of a collection of n tokens: HEAPS * n ** EXPONENT, of 0.3 to 2.4 million tokens."""

BYTES_OF_TERM, SECONDS_OF_TERM = 118.0, 6e-6
"""Memory of a term's count in each process that searches by words, and the time to read it: of a
million terms, on a busy machine."""

ROW = 300
"""Bytes of a row beside text, terms and vector."""

# Assumed.
LINKS_OF_NODE = 30
"""M of HNSW, whose lowest layer has 2 M links of 4 bytes: `4 * dim + 8 * M` bytes for each vector.
No figure of Milvus's was found that confirms either."""

_HASHES = 2**32
_MONTH = 730
_UNIT_DIM = 768


@dataclass(frozen=True)
class Unit:
    """One kind of compute unit of Zilliz Cloud.

    Attributes:
        name: Its name.
        vectors: How many vectors of 768 numbers it holds.
        queries: Queries a second, at the lower end of what is published.
        index: What is chosen on a server of one's own to have the same.
    """

    name: str
    vectors: float
    queries: float
    index: str


UNITS = (
    Unit("performance-optimized", 1.5e6, 500, "HNSW, all in memory"),
    Unit("capacity-optimized", 5e6, 100, "DISKANN, or IVF_SQ8 with mmap"),
    Unit("extended-capacity", 20e6, 5, "IVF_PQ with mmap"),
)
"""https://docs.zilliz.com/docs/choose-the-right-cu-type-and-size, as read in November 2026."""


@dataclass(frozen=True)
class Capacity:
    """What a collection costs.

    Attributes:
        documents: How many there are.
        dim: The length of their vectors.
        words: How many words a document has.
        queries_per_second: How many queries come.
        stored_bytes: Of all rows: text, terms, vector and the rest, once.
        memory_bytes: Of an HNSW index over the vectors, once.
        ingest_hours: Hours of one core of a client to count, weigh and send all, without embedding.
        calls: Calls to the server to add all of them.
        terms: How many terms BM25 counts.
        statistics_bytes: The memory of these counts, in each process that searches by words.
        statistics_seconds: How long each of them reads them.
        collisions: Which share of the terms has another's number of 32 bits.
        unit: The kind of compute unit that costs least.
        units: How many of them, by volume and by queries.
        machine_hours: Of these units, in a month.
        advice: What to choose.
    """

    documents: int
    dim: int
    words: float
    queries_per_second: float
    stored_bytes: float
    memory_bytes: float
    ingest_hours: float
    calls: int
    terms: int
    statistics_bytes: float
    statistics_seconds: float
    collisions: float
    unit: str
    units: int
    machine_hours: int
    advice: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it as text."""
        yield (
            f"{self.documents:,} documents of {self.words:g} words, vectors of {self.dim:,} "
            f"numbers, {self.queries_per_second:g} queries a second"
        )
        yield "measured, our own share:"
        yield f"  to ingest       {_hours(self.ingest_hours)} of one core, without embedding"
        yield f"  calls           {self.calls:,} to add all; an import takes none"
        yield (
            f"  BM25            {self.terms:,} terms: {_size(self.statistics_bytes)} and "
            f"{self.statistics_seconds:.1f} s in each process that searches by words"
        )
        yield f"  term ids        1 in {1 / self.collisions:,.0f} terms shares its id with another"
        yield "by the layout of HNSW and Zilliz's published figures:"
        yield f"  stored          {_size(self.stored_bytes)}, once, before indexes"
        yield f"  HNSW in memory  {_size(self.memory_bytes)}"
        yield (
            f"  machines        {self.units:,} CU, {self.unit}: {self.machine_hours:,} CU-hours a "
            "month"
        )
        yield from (f"- {one}" for one in self.advice)


def plan_capacity(
    documents: float, dim: int = 384, queries_per_second: float = 10.0, words: float = 200.0
) -> Capacity:
    """Return what a collection costs.

    Args:
        documents: How many there are.
        dim: The length of their vectors.
        queries_per_second: How many queries come.
        words: How many words a document has.

    Raises:
        InvalidInputError: If one is no number above 0.
    """
    given = {"documents": documents, "dim": dim, "queries": queries_per_second, "words": words}
    for name, value in given.items():
        if not is_number(value) or not 0 < value < 1e15:
            msg = f"{name}={shown(value)}: give a number above 0"
            raise InvalidInputError(msg)
    count = ceil(documents)
    tokens = count * words * TOKENS_OF_WORD
    terms = ceil(min(HEAPS * tokens**EXPONENT, tokens))
    unit, units = _cheapest(count * dim / _UNIT_DIM, queries_per_second)
    row = ROW + 4 * dim + words * (TEXT_OF_WORD + 8 * TERMS_OF_WORD)
    return Capacity(
        documents=count,
        dim=dim,
        words=words,
        queries_per_second=queries_per_second,
        stored_bytes=count * row,
        memory_bytes=count * (4 * dim + 8 * LINKS_OF_NODE),
        ingest_hours=count * (CPU_OF_DOCUMENT + words * CPU_OF_WORD) / 3600,
        calls=CALLS_OF_BATCH * ceil(count / BATCH),
        terms=terms,
        statistics_bytes=terms * BYTES_OF_TERM,
        statistics_seconds=terms * SECONDS_OF_TERM,
        collisions=terms / _HASHES,
        unit=unit.name,
        units=units,
        machine_hours=units * _MONTH,
        advice=list(_advice(count, terms, unit)),
    )


def _cheapest(vectors: float, queries: float) -> tuple[Unit, int]:
    """Return the kind of unit of which fewest are needed, and how many that are.

    Queries beyond what one copy answers take further copies.
    """
    needed = [(ceil(vectors / one.vectors) * ceil(queries / one.queries), one) for one in UNITS]
    units, unit = min(needed, key=lambda pair: pair[0])
    return unit, units


def _advice(documents: int, terms: int, unit: Unit) -> Iterator[str]:
    """Yield what changes in the design with the size."""
    if documents <= 1_000_000:
        yield "a path up to some 100,000 rows, one small server above; no index to choose"
        return
    yield f"index: {unit.index} (index_type= of the field)"
    if documents >= 50_000_000:
        shards = min(16, ceil(documents / 100_000_000) + 1)
        yield f"writes: ServerOptions(num_shards={shards}); fill it by a bulk import, by Ray"
    if terms > MOST_TERMS:
        yield f'BM25: sparse="milvus", the server\'s own: clients keep {MOST_TERMS:,} terms at most'
    else:
        yield "BM25: the store's own; each process that searches by words keeps the counts"
    if documents >= 1_000_000_000:
        yield "tenants: partition_key=, so that a search reads one tenant's partition alone"
    if documents >= 5_000_000_000:
        yield "several collections, by time or by source, searched side by side and merged"


def _size(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} PB"


def _hours(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 1 else f"{60 * hours:.1f} minutes"
