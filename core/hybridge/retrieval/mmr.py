"""Maximal marginal relevance: hits that are relevant and unlike each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_count, shown
from hybridge.errors import InvalidInputError
from hybridge.retrieval.numbers import finite_number


def maximal_marginal_relevance(
    relevance: NDArray[np.float32], vectors: NDArray[np.float32], k: int, balance: float = 0.5
) -> list[int]:
    """Choose k rows, each the best trade of relevance against likeness to those chosen before.

    Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering
    Documents and Producing Summaries", SIGIR 1998. Likeness is the cosine.

    Args:
        relevance: How well each row answers the query, shape `(n,)`; on the scale of a cosine.
        vectors: The rows' dense vectors, shape `(n, dim)`.
        k: How many rows to choose.
        balance: lambda in [0, 1]: 1 is relevance alone, 0 is diversity alone.

    Returns:
        Up to k row numbers, in the order of choice.

    Raises:
        InvalidInputError: If `balance` is outside [0, 1], `k` is not a whole number of at least 0,
            or the arrays do not fit each other.
    """
    check_count(k, "k", lowest=0)
    weight = finite_number(balance)
    if weight is None or not 0 <= weight <= 1:
        msg = f"the MMR balance (lambda) must lie in [0, 1], not {shown(balance)}"
        raise InvalidInputError(msg)
    relevance, vectors = _parse_array(relevance, 1), _parse_array(vectors, 2)
    if len(relevance) != len(vectors):
        msg = f"MMR needs a vector for each relevance: {len(relevance)} and {len(vectors)} differ"
        raise InvalidInputError(msg)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths == 0, 1, lengths)
    likeness = np.full(len(vectors), -np.inf, dtype=np.float32)
    free = np.ones(len(vectors), dtype=bool)
    chosen: list[int] = []
    while free.any() and len(chosen) < k:
        penalty = likeness if chosen else np.zeros_like(relevance)
        value = weight * relevance - (1 - weight) * penalty
        best = int(np.argmax(np.where(free, value, -np.inf)))
        chosen.append(best)
        free[best] = False
        likeness = np.maximum(likeness, units @ units[best])
    return chosen


def _parse_array(values: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    try:
        array = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        array = np.empty((0,) * (dimensions + 1), np.float32)
    if array.ndim != dimensions or not np.isfinite(array).all():
        msg = f"MMR needs an array of finite numbers with {dimensions} dimensions"
        raise InvalidInputError(msg)
    return array
