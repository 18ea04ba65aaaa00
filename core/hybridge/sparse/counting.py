"""Counts the terms of texts, and turns counts into sparse vectors.

One dictionary takes each raw word to its index, so a word is stemmed once and not per occurrence;
8.4 million tokens then cost little more than splitting the texts and looking each token up.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import PLACEHOLDER, UNKNOWN, TermIds
from hybridge.sparse.weighting import Weighting
from hybridge.sparse.word_analyzer import Analyzer, WordAnalyzer
from hybridge.texts import check_text

# No term has the placeholder's index, so while counting it marks what is not a term at all.
_DROPPED = PLACEHOLDER
_BLOCK_TOKENS = 1 << 18
_CACHED_WORDS = 1 << 18
_INDEX_BITS = np.uint64(32)
_INDEX_MASK = np.uint64(0xFFFFFFFF)
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class TermCounts:
    """How often each term occurs in each text: the arrays of a sparse matrix without its width.

    Attributes:
        indptr: int64 of shape `(texts + 1,)`: text i has the entries `indptr[i]` to `indptr[i+1]`.
        indices: uint32, the terms' indices; ascending and without repeats within a text.
        counts: How often the term occurs there, at least 1; of the same shape, unsigned and as wide
            as the largest needs, which is a byte as a rule.
        lengths: int64 of shape `(texts,)`, the tokens of each text, unknown terms included.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.uint32]
    counts: NDArray[np.unsignedinteger]
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.lengths)

    def statistics(self) -> Statistics:
        """Return the counts of these texts as a corpus."""
        terms, frequencies = np.unique(self.indices, return_counts=True)
        return Statistics(
            documents=len(self),
            tokens=int(self.lengths.sum()),
            frequencies=dict(zip(terms.tolist(), frequencies.tolist(), strict=True)),
        )


class TermCounter:
    """Counts the terms of texts.

    Several threads may count at once where the term ids do not grow.

    Args:
        analyzer: Takes a text to its terms.
        term_ids: Takes a term to its index. `FrozenTermIds` must not grow while this is in use.
    """

    def __init__(self, analyzer: Analyzer, term_ids: TermIds) -> None:
        self._analyzer = analyzer
        self._term_ids = term_ids
        self._split: Callable[[str], list[str]] = analyzer
        term: Callable[[str], str | None] = _itself
        if isinstance(analyzer, WordAnalyzer):
            self._split, term = analyzer.split, analyzer.term
        self._indices = _IndexCache(term, term_ids)

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Count the terms of all texts.

        Raises:
            InvalidInputError: `texts` is a single string, or holds something that is not a string
                or that UTF-8 cannot hold.
        """
        return _concatenated(self.blocks(texts))

    def blocks(self, texts: Iterable[str]) -> Iterator[TermCounts]:
        """Count the terms block by block, so that memory does not grow with the corpus."""
        check_iterable(texts)
        indices, ends = array("I"), array("q", [0])
        for position, text in enumerate(texts):
            check_text(text, f"texts[{position}]")
            indices.extend(map(self._indices.__getitem__, self._split(text)))
            ends.append(len(indices))
            if len(indices) >= _BLOCK_TOKENS:
                yield _block(indices, ends)
                indices, ends = array("I"), array("q", [0])
                self._indices.bound()
        yield _block(indices, ends)
        self._indices.bound()

    def __reduce__(self) -> tuple[object, ...]:
        return TermCounter, (self._analyzer, self._term_ids)


def check_iterable(texts: Iterable[str]) -> None:
    """Check that there are several texts to go through.

    Raises:
        InvalidInputError: It is a single string, or cannot be iterated over.
    """
    try:
        iter(texts)
        single = isinstance(texts, (str, bytes))
    except TypeError:  # an array without dimensions among others
        single = True
    if single:
        msg = f"a list of texts is needed, not a single {type(texts).__name__}: write [text]"
        raise InvalidInputError(msg)


class _IndexCache(dict[str, int]):
    """Raw word to index; a missing one is worked out once."""

    def __init__(self, term: Callable[[str], str | None], term_ids: TermIds) -> None:
        super().__init__()
        self._term = term
        self._index = term_ids.index

    def __missing__(self, word: str) -> int:
        term = self._term(word)
        index = _DROPPED if term is None else self._index(term)
        self[word] = index
        return index

    def bound(self) -> None:
        """Forget all words once there are too many, so that long-lived processes do not grow."""
        if len(self) > _CACHED_WORDS:
            self.clear()


def document_vectors(
    counts: TermCounts, weighting: Weighting, average_length: float, dim: int
) -> csr_array:
    """Return the documents' BM25 vectors.

    Args:
        counts: The documents' terms.
        weighting: The formulas.
        average_length: The mean number of tokens of a document.
        dim: The width of the result.

    Returns:
        A float32 `csr_array` of shape `(len(counts), dim)`, indices sorted.

    Raises:
        InvalidInputError: There are terms and the average length is not above 0.
    """
    if len(counts.indices) and not average_length > 0:
        msg = (
            f"the average length is {average_length!r}: documents that have terms need one above 0"
        )
        raise InvalidInputError(msg)
    weights = np.empty(len(counts.indices), np.float32)
    for rows, entries in _spans(counts):
        sizes = np.diff(counts.indptr[rows.start : rows.stop + 1])
        lengths = np.repeat(counts.lengths[rows], sizes)
        weights[entries] = weighting.document_weights(
            counts.counts[entries].astype(np.float64), lengths, average_length
        )
    return _matrix(weights, counts.indices, counts.indptr, dim)


def query_vectors(
    counts: TermCounts,
    statistics: Statistics,
    weighting: Weighting,
    dim: int,
    *,
    unknown: bool = False,
) -> csr_array:
    """Return the queries' BM25 vectors: the idf of each occurrence of a term, summed.

    Args:
        counts: The queries' terms.
        statistics: The counts of the corpus.
        weighting: The formulas.
        dim: The width of the result.
        unknown: Whether terms that no document holds are there as well; they add to no score.

    Returns:
        A float32 `csr_array` of shape `(len(counts), dim)`, indices sorted, no zeros.
    """
    frequency = statistics.frequencies.get
    frequencies = np.array([frequency(term, 0) for term in counts.indices.tolist()], np.int64)
    weights = np.zeros(len(frequencies))
    known = np.full(len(frequencies), True) if unknown else frequencies > 0
    frequencies = np.maximum(frequencies, 0)
    weights[known] = counts.counts[known] * weighting.query_weights(frequencies[known], statistics)
    return sparse_matrix(weights, counts, dim)


def sparse_matrix(weights: NDArray[np.float64], counts: TermCounts, dim: int) -> csr_array:
    """Return a float32 matrix with these weights in the places of `counts`, without its zeros."""
    narrow = weights.astype(np.float32)
    kept = narrow != 0
    indptr = np.concatenate(([0], np.cumsum(kept)))[counts.indptr]
    return _matrix(narrow[kept], counts.indices[kept], indptr, dim)


def _block(indices: array[int], ends: array[int]) -> TermCounts:
    """Count a block of texts, given flat indices and where each text ends."""
    flat = np.frombuffer(indices, np.uint32)
    texts = len(ends) - 1
    stops = np.frombuffer(ends, np.int64)
    rows = np.repeat(np.arange(texts, dtype=np.uint64), stops[1:] - stops[:-1])
    is_term = flat != _DROPPED
    lengths = np.bincount(rows[is_term].view(np.int64), minlength=texts)
    known = is_term & (flat != UNKNOWN)
    # One number per occurrence, text above term: sorting brings equal terms of a text together.
    keys = (rows[known] << _INDEX_BITS) | flat[known]
    keys.sort()
    starts = np.flatnonzero(np.concatenate(([len(keys) > 0], keys[1:] != keys[:-1])))
    keys, counts = keys[starts], np.diff(starts, append=len(keys))
    sizes = np.bincount((keys >> _INDEX_BITS).view(np.int64), minlength=texts)
    return TermCounts(
        indptr=np.concatenate(([0], np.cumsum(sizes))),
        indices=(keys & _INDEX_MASK).astype(np.uint32),
        counts=counts.astype(np.min_scalar_type(int(counts.max(initial=0)))),
        lengths=lengths,
    )


def _concatenated(blocks: Iterable[TermCounts]) -> TermCounts:
    sizes: list[NDArray[np.int64]] = []
    indices: list[NDArray[np.uint32]] = []
    counts: list[NDArray[np.unsignedinteger]] = []
    lengths: list[NDArray[np.int64]] = []
    for block in blocks:
        sizes.append(np.diff(block.indptr))
        indices.append(block.indices)
        counts.append(block.counts)
        lengths.append(block.lengths)
    return TermCounts(
        indptr=np.concatenate(([0], np.cumsum(_joined(sizes)))),
        indices=_joined(indices),
        counts=_joined(counts),
        lengths=_joined(lengths),
    )


def _joined(arrays: list[NDArray[_Number]]) -> NDArray[_Number]:
    """Join arrays and let go of them: all parts beside all wholes would be the peak of memory."""
    joined = np.concatenate(arrays)
    arrays.clear()
    return joined


def _spans(counts: TermCounts) -> Iterator[tuple[slice, slice]]:
    """Cut the rows into spans of about a block's entries; yield each one's rows and entries."""
    cuts = np.searchsorted(counts.indptr, np.arange(0, len(counts.indices), _BLOCK_TOKENS))
    for start, stop in pairwise([*np.unique(cuts).tolist(), len(counts)]):
        yield slice(start, stop), slice(int(counts.indptr[start]), int(counts.indptr[stop]))


def _matrix(
    weights: NDArray[np.float32], indices: NDArray[np.uint32], indptr: NDArray[np.int64], dim: int
) -> csr_array:
    shape = (len(indptr) - 1, dim)
    # SciPy's indices are signed: hashed ones need 64 bits. Ordinal ones are taken as they are,
    # without a copy, since they make up a third of the memory of a fit.
    if max(dim, len(indices)) > np.iinfo(np.int32).max:
        return csr_array((weights, indices.astype(np.int64), indptr), shape=shape)
    return csr_array((weights, indices.view(np.int32), indptr.astype(np.int32)), shape=shape)


def _itself(term: str) -> str:
    return term
