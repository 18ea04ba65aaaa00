"""Maximal marginal relevance: hits that are relevant and unlike each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hybridge.errors import InvalidInputError


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
        InvalidInputError: If `balance` is outside [0, 1].
    """
    if not 0 <= balance <= 1:
        msg = f"the MMR balance (lambda) must lie in [0, 1], not {balance!r}"
        raise InvalidInputError(msg)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths == 0, 1, lengths)
    likeness = np.full(len(vectors), -np.inf, dtype=np.float32)
    free = np.ones(len(vectors), dtype=bool)
    chosen: list[int] = []
    while free.any() and len(chosen) < k:
        penalty = likeness if chosen else np.zeros_like(relevance)
        value = balance * relevance - (1 - balance) * penalty
        best = int(np.argmax(np.where(free, value, -np.inf)))
        chosen.append(best)
        free[best] = False
        likeness = np.maximum(likeness, units @ units[best])
    return chosen
