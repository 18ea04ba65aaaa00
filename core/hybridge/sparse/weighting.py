"""The formulas of BM25.

The score of a document is the sum, over the query's terms, of idf(t) · tf(t, d) · (k1 + 1) /
(tf(t, d) + k1 · (1 − b + b · |d| / avgdl)) (Robertson and Zaragoza, 2009). The idf goes into the
query's vector and the rest into the document's, so the inner product of the two is the score and
a growing corpus changes no document vector.

- `idf="lucene"`: ln(1 + (N − df + 0.5) / (df + 0.5)), always positive.
- `idf="okapi"`: ln(N − df + 0.5) − ln(df + 0.5) or, where that is negative, epsilon times its mean
  over all terms: what `pymilvus.model` computes, bit for bit. It is not monotone in df, and on
  small corpora it may turn negative, which Milvus Lite refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_choice, shown
from hybridge.errors import InvalidInputError
from hybridge.sparse.statistics import Statistics

_LARGEST = float(np.finfo(np.float32).max)

Idf = Literal["lucene", "okapi"]


@dataclass(frozen=True)
class Weighting:
    """The parameters of BM25.

    Attributes:
        k1: How soon repeating a term stops to matter; 0 makes every count alike.
        b: How much the length of a document matters, from 0 to 1.
        idf: The formula for rare terms, "lucene" or "okapi".
        epsilon: With "okapi", the share of the mean idf that a very common term gets.

    Raises:
        InvalidInputError: A parameter is out of its range.
    """

    k1: float = 1.5
    b: float = 0.75
    idf: Idf = "lucene"
    epsilon: float = 0.25

    def __post_init__(self) -> None:
        for name in ("k1", "b", "epsilon"):
            _check_number(getattr(self, name), name)
        _check(self.k1 >= 0, "k1 must be at least 0", self.k1)
        _check(0 <= self.b <= 1, "b must be from 0 to 1", self.b)
        check_choice(self.idf, "idf", get_args(Idf))

    @property
    def counts_content_alone(self) -> bool:
        """Whether only content words are terms: the mean idf of Okapi is one over all terms."""
        return self.idf == "okapi"

    def query_weights(
        self, frequencies: NDArray[np.int64], statistics: Statistics
    ) -> NDArray[np.float64]:
        """Return the idf of terms with these document frequencies.

        Args:
            frequencies: Document frequencies of any terms of the corpus, shape `(n,)`.
            statistics: The counts of the corpus.
        """
        if self.idf == "lucene":
            return _lucene(frequencies, statistics.documents)
        weights = _okapi(frequencies, statistics.documents)
        if (weights < 0).any():
            weights[weights < 0] = self.epsilon * statistics.derive(_mean_okapi)
        return weights

    def document_weights(
        self,
        counts: NDArray[np.float64],
        lengths: NDArray[np.int64],
        average_length: float,
    ) -> NDArray[np.float64]:
        """Return the weights of terms in documents.

        Args:
            counts: How often each term occurs in its document, shape `(n,)`.
            lengths: The tokens of each term's document, shape `(n,)`.
            average_length: The mean tokens of a document, above 0.
        """
        norms = self.k1 * (1 - self.b + self.b * lengths / average_length)
        weights: NDArray[np.float64] = counts * (self.k1 + 1) / (counts + norms)
        return weights


def _lucene(frequencies: NDArray[np.int64], documents: int) -> NDArray[np.float64]:
    return _each(frequencies, lambda df: math.log(1 + (documents - df + 0.5) / (df + 0.5)))


def _okapi(frequencies: NDArray[np.int64], documents: int) -> NDArray[np.float64]:
    return _each(frequencies, lambda df: math.log(documents - df + 0.5) - math.log(df + 0.5))


def _mean_okapi(statistics: Statistics) -> float:
    """Return the mean Okapi idf of all terms, summed in the order of their ids."""
    terms = sorted(statistics.frequencies)
    frequencies = np.fromiter(map(statistics.frequencies.__getitem__, terms), np.int64, len(terms))
    # A cumulative sum adds one by one, as pymilvus.model does; `sum` adds pairwise and so differs
    # in the last bit.
    return float(np.cumsum(_okapi(frequencies, statistics.documents))[-1] / len(terms))


def _each(frequencies: NDArray[np.int64], formula: Callable[[int], float]) -> NDArray[np.float64]:
    """Apply a formula once per different frequency.

    With `math.log`, since NumPy's logarithm differs in the last bit between processors.
    """
    different, places = np.unique(frequencies, return_inverse=True)
    return np.array([formula(df) for df in different.tolist()], np.float64)[places]


def _check_number(value: float, name: str) -> None:
    """Check that a parameter is a finite number, as large as a float32 at most.

    Raises:
        InvalidInputError: It is not.
    """
    number = not isinstance(value, bool) and isinstance(value, Real)
    _check(number and abs(value) <= _LARGEST, f"{name} must be a finite number", value)


def _check(condition: bool, rule: str, value: object) -> None:
    if not condition:
        msg = f"{rule}: {shown(value)}"
        raise InvalidInputError(msg)
