"""Counts the terms of texts, and turns counts into sparse vectors.

One dictionary takes each raw word to its index, so a word is stemmed once and not per occurrence;
8.4 million tokens then cost little more than splitting the texts and looking each token up.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hybridge.errors import InvalidInputError
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.term_ids import UNKNOWN, TermIds
from hybridge.sparse.weighting import Weighting
from hybridge.sparse.word_analyzer import Analyzer, Kind, Token, WordAnalyzer
from hybridge.texts import check_text

# While counting, the code of a token is its term's index and, above that, its kind.
_INDEX_BITS = np.uint64(32)
_INDEX_MASK = np.uint64(0xFFFFFFFF)
_WHOLE, _FUNCTION = Kind.WHOLE << 32, Kind.FUNCTION << 32
_DROPPED, _SEVERAL = 3 << 32, 4 << 32
"""The code of what is no term at all, and the first of words that have several tokens."""

_WHOLE_WEIGHT = 0.2
"""What a query's compound as one word counts, beside its parts."""

_LEAST = 1e-6
"""What a word of a query for Milvus weighs at least: its documents are found, behind all others."""

_BLOCK_TOKENS = 1 << 18
_CACHED_WORDS = 1 << 18
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, eq=False)
class TermCounts:
    """How often each term occurs in each text: the arrays of a sparse matrix without its width.

    Attributes:
        indptr: int64 of shape `(texts + 1,)`: text i has the entries `indptr[i]` to `indptr[i+1]`.
        indices: uint32, the terms' indices; ascending and without repeats within a text.
        counts: How often the term occurs there, at least 1; of the same shape, unsigned and as wide
            as the largest needs, which is a byte as a rule. In a query, float64: what it weighs.
        lengths: int64 of shape `(texts,)`, the content words of each text, unknown ones included.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.uint32]
    counts: NDArray[Any]
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
        content_alone: Whether to leave out function words, and compounds as one word.
    """

    def __init__(
        self, analyzer: Analyzer, term_ids: TermIds, *, content_alone: bool = False
    ) -> None:
        self._analyzer = analyzer
        self._term_ids = term_ids
        self._content_alone = content_alone
        self._split: Callable[[str], list[str]] = analyzer
        self._tokens: Callable[[str], Sequence[Token]] = _one_token
        if isinstance(analyzer, WordAnalyzer):
            self._split, self._tokens = analyzer.split, analyzer.tokens
        self._codes = self._new_codes()

    def count(self, texts: Iterable[str]) -> TermCounts:
        """Count the terms of all texts.

        Raises:
            InvalidInputError: `texts` is a single string, or holds something that is not a string
                or that UTF-8 cannot hold.
        """
        return _concatenated(self.blocks(texts))

    def count_queries(self, queries: Iterable[str]) -> TermCounts:
        """Count the terms of queries: function words where there is nothing else.

        A compound as one word counts `_WHOLE_WEIGHT`, beside its parts.

        Raises:
            InvalidInputError: As `count`.
        """
        return _concatenated(_query_block(*block) for block in self._coded(queries))

    def blocks(self, texts: Iterable[str]) -> Iterator[TermCounts]:
        """Count the terms block by block, so that memory does not grow with the corpus."""
        for block in self._coded(texts):
            yield _block(*block)

    def terms(self, text: str) -> dict[str, int]:
        """Return the index of each term of a text, of whichever kind, in order."""
        tokens = [token for word in self._split(text) for token in self._tokens(word)]
        return {token.term: self._term_ids.index(token.term) for token in tokens}

    def _coded(
        self, texts: Iterable[str]
    ) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """Yield blocks of texts as the codes of their tokens, and where each text ends."""
        check_iterable(texts)
        codes, flat, ends = self._codes, array("Q"), array("q", [0])
        for position, text in enumerate(texts):
            check_text(text, f"texts[{position}]")
            flat.extend(map(codes.__getitem__, self._split(text)))
            ends.append(len(flat))
            if len(flat) >= _BLOCK_TOKENS:
                yield codes.expanded(flat, ends)
                flat, ends = array("Q"), array("q", [0])
                if len(codes) > _CACHED_WORDS:  # other threads may still be using them
                    codes = self._codes = self._new_codes()
        yield codes.expanded(flat, ends)
        if len(codes) > _CACHED_WORDS:
            self._codes = self._new_codes()

    def _new_codes(self) -> _Codes:
        last = Kind.CONTENT if self._content_alone else Kind.FUNCTION
        return _Codes(self._tokens, self._term_ids, last)

    def __reduce__(self) -> tuple[object, ...]:
        make = partial(TermCounter, content_alone=self._content_alone)
        return make, (self._analyzer, self._term_ids)


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


class _Codes(dict[str, int]):
    """Raw word to the code of its token; a missing one is worked out once."""

    def __init__(
        self,
        tokens: Callable[[str], Sequence[Token]],
        term_ids: TermIds,
        last: Kind,
    ) -> None:
        super().__init__()
        self._tokens = tokens
        self._index = term_ids.index
        self._last = last
        self._several: dict[int, list[int]] = {}
        self._numbers = count(_SEVERAL)

    def __missing__(self, word: str) -> int:
        codes = [
            self._index(term) | kind << 32
            for term, kind in self._tokens(word)
            if kind <= self._last
        ]
        if len(codes) == 1:
            code = codes[0]
        elif codes:
            code = next(self._numbers)
            self._several[code] = codes
        else:
            code = _DROPPED
        self[word] = code
        return code

    def expanded(
        self, flat: array[int], ends: array[int]
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the codes with all of those that a word of several tokens stands for."""
        codes, stops = np.frombuffer(flat, np.uint64), np.frombuffer(ends, np.int64)
        places = np.flatnonzero(codes >= _SEVERAL)
        if not len(places):
            return codes, stops
        several = [self._several[number] for number in codes[places].tolist()]
        sizes = np.ones(len(codes), np.int64)
        sizes[places] = list(map(len, several))
        codes = np.repeat(codes, sizes)
        codes[codes >= _SEVERAL] = np.fromiter(chain.from_iterable(several), np.uint64)
        return codes, np.concatenate(([0], np.cumsum(sizes)))[stops]


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
        InvalidInputError: There are words and the average length is not above 0.
    """
    has_words = len(counts.indices) and counts.lengths.any()
    if has_words and not average_length > 0:
        msg = (
            f"the average length is {average_length!r}: documents that have words need one above 0"
        )
        raise InvalidInputError(msg)
    weights = np.empty(len(counts.indices), np.float32)
    for rows, entries in _spans(counts):
        sizes = np.diff(counts.indptr[rows.start : rows.stop + 1])
        lengths = np.repeat(counts.lengths[rows], sizes)
        weights[entries] = weighting.document_weights(
            counts.counts[entries].astype(np.float64), lengths, average_length or 1.0
        )
    return _matrix(weights, counts.indices, counts.indptr, dim)


def query_vectors(
    counts: TermCounts,
    statistics: Statistics,
    weighting: Weighting,
    dim: int,
    *,
    for_milvus: bool = False,
) -> csr_array:
    """Return the queries' BM25 vectors: the idf of each occurrence of a term, summed.

    Args:
        counts: The queries' terms.
        statistics: The counts of the corpus.
        weighting: The formulas.
        dim: The width of the result.
        for_milvus: Whether terms that no document holds are there as well, which add to no score,
            and no weight is below `_LEAST`: Milvus refuses negative ones, which Okapi's may be.

    Returns:
        A float32 `csr_array` of shape `(len(counts), dim)`, indices sorted, no zeros.
    """
    frequency = statistics.frequencies.get
    frequencies = np.array([frequency(term, 0) for term in counts.indices.tolist()], np.int64)
    weights = np.zeros(len(frequencies))
    known = frequencies > 0
    if for_milvus:  # but no compound as one word, whose parts are there already
        known |= counts.counts >= 1
    weights[known] = counts.counts[known] * weighting.query_weights(frequencies[known], statistics)
    if for_milvus:
        weights[known] = np.maximum(weights[known], _LEAST)
    return sparse_matrix(weights, counts, dim)


def sparse_matrix(weights: NDArray[np.float64], counts: TermCounts, dim: int) -> csr_array:
    """Return a float32 matrix with these weights in the places of `counts`, without its zeros."""
    narrow = weights.astype(np.float32)
    kept = narrow != 0
    indptr = np.concatenate(([0], np.cumsum(kept)))[counts.indptr]
    return _matrix(narrow[kept], counts.indices[kept], indptr, dim)


def _block(codes: NDArray[np.uint64], stops: NDArray[np.int64]) -> TermCounts:
    """Count a block of texts, given the codes of all tokens and where each text ends."""
    rows = _rows(stops)
    keys = _keys(codes, rows)
    keys.sort()
    starts = np.flatnonzero(np.concatenate(([len(keys) > 0], keys[1:] != keys[:-1])))
    counts = np.diff(starts, append=len(keys))
    narrow = counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
    return _term_counts(keys[starts], narrow, _lengths(codes, rows, len(stops) - 1))


def _query_block(codes: NDArray[np.uint64], stops: NDArray[np.int64]) -> TermCounts:
    """Weigh the tokens of a block of queries."""
    rows = _rows(stops)
    others = np.bincount(rows[codes < _FUNCTION].view(np.int64), minlength=len(stops) - 1)
    left = (codes < _FUNCTION) | (others[rows] == 0)
    codes, rows = codes[left], rows[left]
    keys, places = np.unique(_keys(codes, rows), return_inverse=True)
    kinds = (codes[_is_known(codes)] >> _INDEX_BITS).view(np.int64)
    # An Enum's class runs Python where NumPy looks for methods, and swallows a Ctrl-C that comes.
    weights = np.where(kinds == Kind.WHOLE.value, _WHOLE_WEIGHT, 1.0)
    counts = np.bincount(places, weights, minlength=len(keys))
    return _term_counts(keys, counts, _lengths(codes, rows, len(stops) - 1))


def _rows(stops: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the text of each token."""
    return np.repeat(np.arange(len(stops) - 1, dtype=np.uint64), np.diff(stops))


def _is_known(codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = (codes < _DROPPED) & (codes & _INDEX_MASK != UNKNOWN)
    return known


def _keys(codes: NDArray[np.uint64], rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return one number per token, text above term: sorting brings equal terms together."""
    known = _is_known(codes)
    keys: NDArray[np.uint64] = (rows[known] << _INDEX_BITS) | (codes[known] & _INDEX_MASK)
    return keys


def _lengths(codes: NDArray[np.uint64], rows: NDArray[np.uint64], texts: int) -> NDArray[np.int64]:
    return np.bincount(rows[codes < _WHOLE].view(np.int64), minlength=texts)


def _term_counts(
    keys: NDArray[np.uint64], counts: NDArray[Any], lengths: NDArray[np.int64]
) -> TermCounts:
    sizes = np.bincount((keys >> _INDEX_BITS).view(np.int64), minlength=len(lengths))
    return TermCounts(
        indptr=np.concatenate(([0], np.cumsum(sizes))),
        indices=(keys & _INDEX_MASK).astype(np.uint32),
        counts=counts,
        lengths=lengths,
    )


def _concatenated(blocks: Iterable[TermCounts]) -> TermCounts:
    sizes: list[NDArray[np.int64]] = []
    indices: list[NDArray[np.uint32]] = []
    counts: list[NDArray[Any]] = []
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


def _one_token(term: str) -> Sequence[Token]:
    return (Token(term),)
