"""Making one ranking out of several.

A ranking is one leg's answer to one query: `(id, score)` pairs, best first. A fusion takes the
rankings by the name of their leg and returns one ranking.

`ConfidenceWeighted` is the default. A leg that is poor for a query (an English model on Russian
text) drags rank fusion down from .95 to .55 nDCG@10; weighting each leg, per query, by how far its
best score stands above its own tail repairs that without labels or tuning. On nine collections it
was never more than .001 below reciprocal rank fusion and up to .39 above it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from hybridge.errors import InvalidInputError

Ranking = Sequence[tuple[str, float]]

_MAX_CONFIDENCE = 30.0
_SHORTEST_TAIL = 4
_HEAD = 10
_DEPTH = 100


@runtime_checkable
class Fusion(Protocol):
    """A way to make one ranking out of several."""

    def fuse(self, rankings: Mapping[str, Ranking]) -> list[tuple[str, float]]:
        """Return `(id, fused score)` pairs, best first, each id once."""
        ...


@dataclass(frozen=True)
class ConfidenceWeighted:
    """Min-max normalised scores, each leg weighted by its confidence in this query."""

    def fuse(self, rankings: Mapping[str, Ranking]) -> list[tuple[str, float]]:
        """Return the fused ranking, scores in [0, 1]; see `confidence` for the weights."""
        found = _found(rankings)
        return _weighted_sum(found, _confidence_weights(found))


@dataclass(frozen=True)
class Weighted:
    """Min-max normalised scores in a fixed mixture.

    Args:
        dense: The weight of the dense leg, in [0, 1]; the other legs share the rest equally.

    Raises:
        InvalidInputError: If the weight is outside [0, 1].
    """

    dense: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.dense <= 1:
            msg = f"Weighted(dense={self.dense!r}): the weight must lie in [0, 1]"
            raise InvalidInputError(msg)

    def fuse(self, rankings: Mapping[str, Ranking]) -> list[tuple[str, float]]:
        """Return the fused ranking, scores in [0, 1]."""
        others = max(1, sum(name != "dense" for name in rankings))
        rest = (1 - self.dense) / others
        weights = {name: self.dense if name == "dense" else rest for name in rankings}
        return _weighted_sum(_found(rankings), weights)


@dataclass(frozen=True)
class ReciprocalRank:
    """Reciprocal rank fusion: the sum over legs of 1 / (k + rank).

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods", SIGIR 2009.

    Args:
        k: How little the first ranks stand out; at least 0.

    Raises:
        InvalidInputError: If k is negative.
    """

    k: int = 60

    def __post_init__(self) -> None:
        if self.k < 0:
            msg = f"ReciprocalRank(k={self.k!r}): k must be at least 0"
            raise InvalidInputError(msg)

    def fuse(self, rankings: Mapping[str, Ranking]) -> list[tuple[str, float]]:
        """Return the fused ranking; scores lie in (0, legs / (k + 1)]."""
        scores: dict[str, float] = {}
        for ranking in rankings.values():
            for rank, (row, _) in enumerate(ranking, start=1):
                scores[row] = scores.get(row, 0.0) + 1 / (self.k + rank)
        return _ordered(scores, rankings)


def confidence(scores: Sequence[float]) -> float | None:
    """Return how far the best score stands above the list's tail, in standard deviations.

    With v the first 100 scores, best first, and tail = v[10:], or v[n // 2:] where n <= 20:
    min(30, max(0, (v[0] - mean(tail)) / std(tail))), population standard deviation.

    Returns:
        The confidence in [0, 30], or None for fewer than 4 scores or a tail without spread.
    """
    v = np.asarray(scores[:_DEPTH], dtype=np.float64)
    if len(v) < _SHORTEST_TAIL:
        return None
    tail = v[_HEAD:] if len(v) > 2 * _HEAD else v[len(v) // 2 :]
    spread = float(tail.std())
    if spread <= 1e-6 * max(1.0, abs(float(v[0]))):
        return None
    return min(_MAX_CONFIDENCE, max(0.0, float(v[0] - tail.mean()) / spread))


def _confidence_weights(rankings: Mapping[str, Ranking]) -> dict[str, float]:
    confidences = {
        name: confidence([score for _, score in ranking]) for name, ranking in rankings.items()
    }
    known = {name: value for name, value in confidences.items() if value is not None}
    total = sum(known.values())
    if len(known) < len(rankings) or total == 0:
        return dict.fromkeys(rankings, 1 / max(1, len(rankings)))
    return {name: value / total for name, value in known.items()}


def _found(rankings: Mapping[str, Ranking]) -> dict[str, Ranking]:
    return {name: ranking for name, ranking in rankings.items() if ranking}


def _weighted_sum(
    rankings: Mapping[str, Ranking], weights: Mapping[str, float]
) -> list[tuple[str, float]]:
    scores: dict[str, float] = {}
    for name, ranking in rankings.items():
        for row, value in _min_max(ranking):
            scores[row] = scores.get(row, 0.0) + weights[name] * value
    return _ordered(scores, rankings)


def _min_max(ranking: Ranking) -> Iterable[tuple[str, float]]:
    """Yield the scores brought to [0, 1]; a constant list counts 1."""
    high = max(score for _, score in ranking)
    low = min(score for _, score in ranking)
    for row, score in ranking:
        yield row, (score - low) / (high - low) if high > low else 1.0


def _ordered(
    scores: Mapping[str, float], rankings: Mapping[str, Ranking]
) -> list[tuple[str, float]]:
    """Order by score; ties: found by more legs first, then the higher dense score, then the id."""
    legs: dict[str, int] = {}
    for ranking in rankings.values():
        for row, _ in ranking:
            legs[row] = legs.get(row, 0) + 1
    dense = dict(rankings.get("dense", ()))
    return sorted(
        scores.items(),
        key=lambda item: (-item[1], -legs[item[0]], -dense.get(item[0], -math.inf), item[0]),
    )
