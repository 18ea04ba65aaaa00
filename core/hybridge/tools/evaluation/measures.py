"""How good rankings are, and how sure that is.

Measures are those of trec_eval, by `ir-measures`: nDCG (Järvelin and Kekäläinen, 2002; linear
gains, discounts by the logarithm to base 2), recall, and the reciprocal rank of the first document
that answers. Intervals are percentile bootstraps over questions; differences are judged by a paired
permutation test over questions, corrected for their number (Benjamini and Hochberg).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridge.extras import import_extra
from hybridge.tools.evaluation.questions import Qrels

Rankings = Mapping[str, Sequence[str]]
"""By question: the ids that were found, best first."""

Values = NDArray[np.float64]

_stats: Any = import_module("scipy.stats")  # which has no types

_RESAMPLES = 2000
_PERMUTATIONS = 9999
_LEVEL = 0.95
_SEED = 20261129


@dataclass(frozen=True)
class Measured:
    """A measure's mean over questions.

    Attributes:
        mean: The mean.
        low: The lower end of its 95 % interval.
        high: The upper end.
    """

    mean: float
    low: float
    high: float


def names_of(k: int) -> tuple[str, str, str]:
    """Return the names of the measures of the first k hits."""
    return f"nDCG@{k}", f"Recall@{k}", f"MRR@{k}"


def measure(rankings: Rankings, qrels: Qrels, k: int) -> dict[str, Values]:
    """Return each measure's value of each question, in the order of the rankings.

    Raises:
        MissingExtraError: If `ir-measures` is not installed.
    """
    library: Any = import_extra("ir_measures", "evaluate", "eval", "ir-measures")
    measures = dict(
        zip(
            names_of(k),
            (library.nDCG @ k, library.R @ k, library.RR @ k),
            strict=True,
        )
    )
    # trec_eval orders by score and knows no ranks.
    run = {
        question: {row: -float(rank) for rank, row in enumerate(found)}
        for question, found in rankings.items()
    }
    judged = {question: dict(qrels[question]) for question in rankings}
    values = {name: dict.fromkeys(rankings, 0.0) for name in measures}
    by_measure = {one: name for name, one in measures.items()}
    for one in library.iter_calc(list(measures.values()), judged, run):
        values[by_measure[one.measure]][one.query_id] = float(one.value)
    return {name: np.array(list(some.values())) for name, some in values.items()}


def interval(values: Values) -> Measured:
    """Return the mean of a measure and its 95 % bootstrap interval."""
    mean = float(values.mean())
    if len(values) == 1 or np.ptp(values) == 0:
        return Measured(mean, mean, mean)
    found = _stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=_LEVEL,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Measured(mean, float(found.low), float(found.high))


def p_values(others: Sequence[Values], reference: Values) -> list[float]:
    """Return how likely each difference of the means is by chance, corrected for their number."""
    if not others:
        return []
    raw = [_p_value(one - reference) for one in others]
    return [float(one) for one in _stats.false_discovery_control(raw, method="bh")]


def _mean_difference(one: Values, other: Values, axis: int) -> Values:
    return np.asarray(np.mean(one - other, axis=axis))


def _p_value(differences: Values) -> float:
    if len(differences) == 1 or not differences.any():
        return 1.0
    # Of a paired difference a permutation changes the sign.
    test = _stats.permutation_test(
        (differences, np.zeros_like(differences)),
        _mean_difference,
        permutation_type="samples",
        n_resamples=_PERMUTATIONS,
        vectorized=True,
        batch=1000,
        rng=np.random.default_rng(_SEED),
    )
    return float(test.pvalue)
