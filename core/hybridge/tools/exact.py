"""The nearest of many rows, compared one by one: what an index is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridge.store import Metric

_TIE = 1e-5
"""By how much scores may differ, of the larger one, that are as good."""


def scores(queries: Any, rows: Any, metric: Metric) -> NDArray[np.float64]:
    """Return the score of each row for each query; higher is nearer.

    Args:
        queries: Shape `(queries, dim)`.
        rows: Shape `(rows, dim)`.
        metric: How they are compared.

    Returns:
        Shape `(queries, rows)`: the cosine, the inner product or minus the squared distance.
    """
    queries, rows = np.asarray(queries, np.float64), np.asarray(rows, np.float64)
    if metric == "COSINE":
        queries, rows = _units(queries), _units(rows)
    products: NDArray[np.float64] = queries @ rows.T
    if metric != "L2":
        return products
    squares: NDArray[np.float64] = (queries**2).sum(axis=1)[:, None] + (rows**2).sum(axis=1)
    return 2 * products - squares


class Nearest:
    """The scores of the nearest rows of some queries; rows are shown a page at a time.

    Args:
        queries: Shape `(queries, dim)`.
        metric: How they are compared.
        k: How many of the nearest are kept.
    """

    def __init__(self, queries: Any, metric: Metric, k: int) -> None:
        self.queries = np.asarray(queries, np.float32)
        self._metric: Metric = metric
        self._k = k
        self._best = np.empty((len(self.queries), 0))

    def show(self, rows: Any) -> None:
        """Compare the queries with more rows, shape `(rows, dim)`."""
        every = np.hstack([self._best, scores(self.queries, rows, self._metric)])
        self._best = -np.sort(-every, axis=1)[:, : self._k]

    @property
    def wanted(self) -> int:
        """How many rows are among the nearest of some query."""
        return int(self._best.size)

    def count(self, found: Sequence[Any]) -> int:
        """Return how many of them were found.

        A row that is as near as the last of them is one of them.

        Args:
            found: The vectors of the rows that were found, by query.
        """
        counted = 0
        for query, rows, best in zip(self.queries, found, self._best, strict=True):
            if len(rows):
                near = scores([query], rows, self._metric)[0]
                counted += int((near >= best[-1] - _TIE * max(1.0, abs(best[-1]))).sum())
        return min(counted, self.wanted)


def _units(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)
