"""Scores brought to [0, 1], absolutely: a row and a query give one figure, whatever else is found.

So a threshold means something: "say that you do not know if nothing reaches it". A hit's relevance
is the mean over the fields that were searched, each with a scale of its own:

- a cosine: itself, or 0 if it is negative;
- BM25: its coverage, the score as a share of what no document can exceed: Σ idf · (k1 + 1) over
  all words of the query, those that no document has included;
- a learned sparse field: the score as a share of the query's product with itself;
- an L2 distance d: 1 / (1 + d).

How well the first hit's relevance tells questions that the documents answer from questions about
something else (AUC, and balanced accuracy at the best threshold): `tests/bench/bench_relevance.py`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from hybridge.errors import InvalidInputError
from hybridge.records import Hit

Scale = Callable[[float], float]
"""What brings a score to [0, 1]."""


def clipped(score: float) -> float:
    """Return a cosine or a probability, cut to [0, 1]: thresholds keep their usual meaning."""
    return min(1.0, max(0.0, score))


def l2_relevance(score: float) -> float:
    """Return 1 / (1 + d) for the score of a distance d, which is -d, so that higher is better."""
    return 1.0 / (1.0 + max(0.0, -score))


def share_of(best: float) -> Scale | None:
    """Return the scale on which a score of `best` is 1 and one of 0 is 0; None if nothing is best.

    Args:
        best: The largest score that a query allows; 0 for a query without a word.
    """
    return (lambda score: clipped(score / best)) if best > 0 else None


def logistic(score: float) -> float:
    """Return 1 / (1 + e^-s) for a reranker's logit s."""
    # Two branches, since exp overflows for a large argument.
    if score > 0:
        return 1.0 / (1.0 + math.exp(-score))
    return math.exp(score) / (1.0 + math.exp(score))


def mean_relevance(
    relevances: Mapping[str, float | None], trust: Mapping[str, float]
) -> float | None:
    """Return the mean over the fields that have a relevance, or None if none has.

    Args:
        relevances: By field.
        trust: How much a field counts, in [0, 1]; 1 where nothing is said. An English model calls
            all Russian texts alike: on XQuAD Russian, questions whose paragraph was removed are
            told apart with AUC .884 by BM25's coverage, and .863 by the mean with that model.
    """
    known = {name: one for name, one in relevances.items() if one is not None}
    weights = {name: trust.get(name, 1.0) for name in known}
    if not any(weights.values()):
        weights = dict.fromkeys(known, 1.0)
    total = sum(weights.values())
    return sum(weights[name] * one for name, one in known.items()) / total if known else None


class Proposal(NamedTuple):
    """A threshold of relevance, and how well it does on the questions that it was made of.

    Attributes:
        threshold: The least relevance that is an answer.
        accuracy: The mean of two shares: of the answered questions that reach the threshold, and of
            the unanswered ones that do not.
        auc: How often an answered question has a higher relevance than an unanswered one, ties
            counting half; it does not depend on the threshold.
    """

    threshold: float
    accuracy: float
    auc: float


def propose_threshold(
    answered: Sequence[Sequence[Hit]], unanswered: Sequence[Sequence[Hit]]
) -> Proposal:
    """Return the threshold that tells best whether the documents answer a question.

    A question is judged by the relevance of its first hit, 0 where nothing was found. Of several
    thresholds that are as good it is the middle one.

    Args:
        answered: The hits of questions that the documents answer, as `search_many` returns them.
        unanswered: Those of questions that they do not answer.

    Raises:
        InvalidInputError: There are no questions of a kind, or hits have no relevance.
    """
    high, low = sorted(map(_first, answered)), sorted(map(_first, unanswered))
    if not high or not low:
        msg = "propose_threshold needs questions of both kinds: some answered, some not"
        raise InvalidInputError(msg)
    values = sorted({*high, *low})
    # Between two neighbours no question changes sides.
    cuts = [(a + b) / 2 for a, b in pairwise(values)] or values
    accuracies = [_accuracy(cut, high, low) for cut in cuts]
    best = [cut for cut, one in zip(cuts, accuracies, strict=True) if one == max(accuracies)]
    wins = sum((bisect_left(low, one) + bisect_right(low, one)) / 2 for one in high)
    return Proposal(best[len(best) // 2], max(accuracies), wins / len(high) / len(low))


def _first(hits: Sequence[Hit]) -> float:
    if hits:
        hits[0].reaches(0)  # what has no relevance is refused
    return (hits[0].relevance if hits else None) or 0.0


def _accuracy(threshold: float, high: Sequence[float], low: Sequence[float]) -> float:
    reached = 1 - bisect_left(high, threshold) / len(high)
    return (reached + bisect_left(low, threshold) / len(low)) / 2
