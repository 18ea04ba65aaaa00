"""The rows of one segment, and what searches keep of them: lengths, postings, and filters' rows.

The engine makes all that anew for every search: of 18 ms that a cosine takes at 10,000 rows of 384
numbers, 1.5 are the product.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from hybridge.store.engine.segments import LeftToEngineError, Mask
from hybridge.store.lifetime import call_in_child

Numbers = NDArray[Any]
T = TypeVar("T")

MOST_FILTERS = 32
"""Filters whose rows are kept, of each segment: 100 kB of one with 100,000 rows."""

_SPARSE_MASK = 0.2
"""The share of rows under which those that a filter leaves are copied, and compared alone."""

_BLOCK = 2**24
"""How many scores are made at once: 64 MiB."""

_FEW = 3
"""How many queries are compared one by one, each by the thread that asks."""

_ROWS = 4096
"""How many vectors' lengths are made at once."""

_SHORTEST, _LONGEST = 1e-15, 1e15
"""Lengths of vectors whose products neither vanish nor overflow in float32."""

_PAIR = np.dtype([("index", "<u4"), ("weight", "<f4")])
"""A number of a sparse vector, as the engine stores it."""


class Found(NamedTuple):
    """The best rows of a part, best first: their scores and places."""

    scores: Numbers
    places: Numbers


class _One:
    """Lets one product of matrices at a time use all of the processor's cores.

    Eight threads that each multiply one vector take 6 to 25 times as long all at once as one after
    the other: their helpers wait for each other, and keep the processor busy with that.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin again, in a forked child, with nothing taken."""
        self.lock = threading.Lock()


one_at_a_time = _One()
call_in_child(one_at_a_time.renew)


@dataclass(frozen=True)
class Postings:
    """The numbers of sparse vectors, by index.

    Attributes:
        indices: The indices that there are, ascending.
        starts: Where the numbers of each begin, and where the last ends.
        places: The row of each number.
        weights: The number.
        size: How many rows there are.
    """

    indices: Numbers
    starts: Numbers
    places: Numbers
    weights: Numbers
    size: int

    @classmethod
    def of(cls, chunks: Iterable[Any], size: int) -> Postings:
        """Return those of a column of Arrow's, as it lies in memory."""
        pairs, places, start = [np.empty(0, _PAIR)], [np.empty(0, np.int32)], 0
        for chunk in chunks:
            some, counts = _pairs(chunk)
            pairs.append(some)
            places.append(np.repeat(np.arange(start, start + len(chunk), dtype=np.int32), counts))
            start += len(chunk)
        return cls._ordered(np.concatenate(pairs), np.concatenate(places), size)

    @classmethod
    def _ordered(cls, pairs: Numbers, places: Numbers, size: int) -> Postings:
        # One sort of numbers that hold index and position is faster than one of positions.
        order = pairs["index"].astype(np.uint64) << np.uint64(32)
        order |= np.arange(len(pairs), dtype=np.uint64)
        order.sort()
        order &= np.uint64(2**32 - 1)
        indices = pairs["index"][order]
        starts = np.flatnonzero(np.diff(indices, prepend=~indices[:1]))
        ends = np.append(starts, len(indices))
        return cls(indices[starts], ends, places[order], pairs["weight"][order], size)

    def scores(self, query: Mapping[int, float]) -> Numbers:
        """Return the inner product of each row with a query."""
        scores = np.zeros(self.size)
        asked = np.fromiter(query, np.uint32, len(query))
        found = np.searchsorted(self.indices, asked)
        for weight, index, place in zip(query.values(), asked, found, strict=True):
            if place < len(self.indices) and self.indices[place] == index:
                some = slice(self.starts[place], self.starts[place + 1])
                scores[self.places[some]] += np.float64(np.float32(weight)) * self.weights[some]
        return scores


def _unpacked(cell: Any, kind: str) -> Any:
    """Return what pymilvus makes of a cell: of a sparse vector a mapping of index to weight."""
    if kind == "SPARSE_FLOAT_VECTOR":
        pairs = np.frombuffer(cell or b"", _PAIR)
        return dict(zip(pairs["index"].tolist(), pairs["weight"].tolist(), strict=True))
    return orjson.loads(cell) if kind == "JSON" and cell is not None else cell


def _pairs(chunk: Any) -> tuple[Numbers, Numbers]:
    """Return the numbers of a chunk's sparse vectors, and how many each has."""
    if str(chunk.type) != "binary":
        raise LeftToEngineError
    _, offsets, data = chunk.buffers()
    ends = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    if not len(chunk) or data is None:
        return np.empty(0, _PAIR), np.zeros(len(chunk), np.int64)
    raw = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return raw.view(_PAIR), np.diff(ends) // _PAIR.itemsize


class Part:
    """The rows of one segment, which never change.

    Args:
        segment: The engine's segment; it lives as long as this does.

    Attributes:
        keys: The key of each row.
        places: The place of each key.
        seqs: The sequence number of each row.

    Raises:
        LeftToEngineError: If a key is there twice.
    """

    def __init__(self, segment: Any) -> None:
        if len(segment.pk_to_row) != len(segment.pks):
            raise LeftToEngineError
        self.segment = segment
        self.keys: Sequence[Any] = segment.pks
        self.places: Mapping[Any, int] = segment.pk_to_row
        self.seqs: Numbers = segment.seqs
        self._columns: dict[str, Any] = {}
        self._lengths: dict[str, Numbers] = {}
        self._postings: dict[str, Postings] = {}
        self._selected: OrderedDict[Hashable, Mask] = OrderedDict()
        self._told: dict[Hashable, Sequence[Any]] = {}
        self._making = threading.Lock()

    def __len__(self) -> int:
        return len(self.segment.pks)

    def cell(self, column: str, kind: str, place: int) -> Any:
        """Return what pymilvus gives of a column of a row, whose Milvus type is `kind`."""
        if kind == "FLOAT_VECTOR":
            return self._vector(column, place)
        return _unpacked(self._column(column)[place].as_py(), kind)

    def cells(self, column: str, kind: str, places: Numbers | None = None) -> list[Any]:
        """Return what pymilvus gives of a column of some rows; None for all."""
        if kind == "FLOAT_VECTOR":
            some = range(len(self)) if places is None else places.tolist()
            return [self._vector(column, place) for place in some]
        values = self._column(column)
        some = (values if places is None else values.take(places)).to_pylist()
        return [_unpacked(cell, kind) for cell in some]

    def _vector(self, field: str, place: int) -> Numbers | None:
        """Return a copy of a row's dense vector, None where it has none."""
        vectors, present = self.segment.vector_data(field)
        return None if present is not None and not present[place] else vectors[place].copy()

    def bytes_of(self, columns: Iterable[str]) -> int:
        """Return how many bytes some columns have."""
        return sum(self._column(name).nbytes for name in columns)

    def told(self, name: Hashable, tell: Callable[[], Sequence[T]]) -> Sequence[T]:
        """Return what filters are evaluated over, of every row, which is kept."""
        return self._made(self._told, name, tell)

    def selected(self, name: Hashable, select: Callable[[], Mask]) -> Mask:
        """Return which rows a filter selects; those of the last few are kept.

        Args:
            name: The filter.
            select: Evaluates it.
        """
        kept = self._selected
        mask = kept.get(name)
        if mask is None:
            mask = select()
            if mask.shape != (len(self),) or mask.dtype != np.bool_:
                raise LeftToEngineError
        with self._making:
            kept[name] = mask
            kept.move_to_end(name)
            while len(kept) > MOST_FILTERS:
                kept.popitem(last=False)
        return mask

    def dense(
        self, field: str, metric: str, queries: Numbers, depth: int, allowed: Mask | None
    ) -> list[Found]:
        """Return the best rows by a dense field, for each query.

        Args:
            field: The column of the vectors.
            metric: COSINE or IP.
            queries: Queries, of shape (n, length).
            depth: How many rows each gets.
            allowed: The rows that may be found; None for all.
        """
        vectors, present = self.segment.vector_data(field)
        lengths, asked = (
            self._made(self._lengths, field, lambda: _lengths(vectors)),
            _lengths(queries),
        )
        if vectors.shape[1] != queries.shape[1]:
            raise LeftToEngineError
        if present is not None:
            allowed = present if allowed is None else present & allowed
        if metric == "COSINE":
            queries = queries / _divisors(asked)[:, None]
        places = None
        if allowed is not None and (few := np.flatnonzero(allowed)).size < _SPARSE_MASK * len(self):
            vectors, lengths, places, allowed = vectors[few], lengths[few], few, None
        found: list[Found] = []
        for some in np.array_split(queries, -(-len(queries) * len(vectors) // _BLOCK) or 1):
            scores = _products(some, vectors)
            if metric == "COSINE":
                scores /= _divisors(lengths)
                np.minimum(scores, 1.0, out=scores)
            if allowed is not None:
                scores[:, ~allowed] = -np.inf
            found += [_best(one, depth, places) for one in scores]
        return found

    def sparse(
        self, field: str, queries: Sequence[Mapping[int, float]], depth: int, allowed: Mask | None
    ) -> list[Found]:
        """Return the best rows by a sparse field, for each query; see `dense`.

        A row that shares no index with a query is not found.
        """
        column = self._column(field)
        made = self._made(self._postings, field, lambda: Postings.of(column.chunks, len(self)))
        found: list[Found] = []
        for query in queries:
            scores = made.scores(query)
            if allowed is not None:
                scores[~allowed] = 0.0
            some = np.flatnonzero(scores)
            found.append(_best(scores[some].astype(np.float32), depth, some))
        return found

    def _column(self, name: str) -> Any:
        """Return a column, which Arrow would look for and make again for every cell."""
        if name not in self._columns:
            self._columns[name] = self.segment.table.column(name)
        return self._columns[name]

    def _made(self, kept: dict[Any, T], name: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept, made by one thread the first time."""
        if name not in kept:
            with self._making:
                if name not in kept:
                    kept[name] = make()
        return kept[name]


def _products(queries: Numbers, vectors: Numbers) -> Numbers:
    """Return the inner products of queries, of shape (n, length), with vectors: (n, vectors).

    A query by itself is compared row by row, which `matmul` does on the thread that asks, without a
    lock: with 50,000 rows of 384 numbers two threads make 527 searches a second, and 221 where each
    uses all cores. Rows that are alike get the same score.
    """
    if len(queries) <= _FEW:
        return np.stack([np.matmul(vectors[:, None], one[:, None]).ravel() for one in queries])
    with one_at_a_time.lock:
        products: Numbers = queries @ vectors.T
    return products


def _best(scores: Numbers, depth: int, places: Numbers | None) -> Found:
    """Return the best of some scores, of equal ones the first rows; those of -inf are none.

    So a page is a part of any longer answer.

    Args:
        scores: The scores.
        depth: How many at most.
        places: The rows that they are of; None for all.
    """
    best = np.flatnonzero(scores > -np.inf)
    if depth < len(best):
        least = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        best = np.flatnonzero(scores >= least)
    best = best[np.lexsort((best, -scores[best]))][:depth]
    return Found(scores[best], best if places is None else places[best])


def _lengths(vectors: Numbers) -> Numbers:
    """Return the length of each vector, without a copy of them all.

    Raises:
        LeftToEngineError: If one is so long or so short that products with it are not exact.
    """
    starts = range(0, len(vectors), _ROWS)
    with np.errstate(over="ignore", under="ignore"):
        parts = [np.linalg.norm(vectors[start : start + _ROWS], axis=1) for start in starts]
    lengths: Numbers = np.concatenate(parts) if parts else np.empty(0, np.float32)
    if not (((lengths > _SHORTEST) & (lengths < _LONGEST)) | (lengths == 0)).all():
        raise LeftToEngineError
    return lengths


def _divisors(lengths: Numbers) -> Numbers:
    """Return what vectors are divided by: the engine gives a zero vector the cosine 0."""
    return np.where(lengths == 0, np.float32(1.0), lengths)
