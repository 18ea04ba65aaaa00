"""Maximal marginal relevance, and scores brought to [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.records import Hit, RerankResult
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.retrieval.relevance import (
    clipped,
    l2_relevance,
    logistic,
    mean_relevance,
    propose_threshold,
    share_of,
)
from hybridge.retrieval.reranking import pool_size, rerank_scale, reranked

VECTORS = np.array([[1, 0], [0.99, 0.14], [0, 1]], np.float32)
RELEVANCE = np.array([0.9, 0.89, 0.5], np.float32)


def test_mmr_trades_relevance_against_likeness() -> None:
    """The near-duplicate of the best row gives way to an unlike one."""
    assert maximal_marginal_relevance(RELEVANCE, VECTORS, 2, 0.5) == [0, 2]
    assert maximal_marginal_relevance(RELEVANCE, VECTORS, 2, 1.0) == [0, 1]
    assert maximal_marginal_relevance(RELEVANCE, VECTORS, 9, 0.5) == [0, 2, 1]


def test_mmr_bears_zero_vectors_and_no_rows() -> None:
    """A row without direction is like nothing; nothing gives nothing."""
    vectors = np.zeros((2, 3), np.float32)
    assert maximal_marginal_relevance(np.array([0.1, 0.2], np.float32), vectors, 2) == [1, 0]
    assert (
        maximal_marginal_relevance(np.zeros(0, np.float32), np.zeros((0, 3), np.float32), 2) == []
    )


def test_mmr_refuses_an_impossible_balance() -> None:
    """Lambda lies in [0, 1]."""
    with pytest.raises(InvalidInputError, match="balance"):
        maximal_marginal_relevance(RELEVANCE, VECTORS, 2, 1.5)


@pytest.mark.parametrize("relevance", [clipped, l2_relevance, logistic, share_of(3.0)])
@given(score=st.floats(-1e6, 1e6))
def test_relevance_lies_in_0_1(relevance: Callable[[float], float], score: float) -> None:
    """No score leaves [0, 1]."""
    assert 0 <= relevance(score) <= 1


def test_reranker_and_mmr_choose_from_four_times_k() -> None:
    """But from 20 hits at least."""
    assert [pool_size(k) for k in (1, 5, 6, 100)] == [20, 20, 24, 400]


def test_relevance_formulas() -> None:
    """The formulas of the metrics."""
    assert clipped(0.7) == 0.7
    assert clipped(-0.2) == 0
    assert l2_relevance(-3.0) == 0.25
    assert l2_relevance(0.0) == l2_relevance(1e-9) == 1
    assert logistic(2.0) == pytest.approx(1 / (1 + math.exp(-2)))
    assert logistic(-800.0) == pytest.approx(0)
    share = share_of(4.0)
    assert share is not None
    assert [share(0.0), share(1.0), share(9.0)] == [0, 0.25, 1]
    assert share_of(0.0) is None


def test_a_mean_leaves_out_what_has_no_scale() -> None:
    """Nothing at all has no mean; a field that is not trusted has a say where there is no other."""
    fields = {"dense": 0.2, "sparse": 0.4, "served": None}
    assert mean_relevance(fields, {}) == pytest.approx(0.3)
    assert mean_relevance(fields, {"dense": 0.0, "other": 0.0}) == pytest.approx(0.4)
    assert mean_relevance(fields, {"dense": 0.5}) == pytest.approx(1 / 3)
    assert mean_relevance({"dense": 0.2}, {"dense": 0.0}) == pytest.approx(0.2)
    assert mean_relevance({"served": None}, {}) is mean_relevance({}, {}) is None


# --- a threshold from one's own questions --------------------------------------------------------


def found(*relevances: float | None) -> list[list[Hit]]:
    """The hits of questions: one each, or none."""
    return [
        [] if one is None else [Hit(id="", text="", metadata={}, score=1, relevance=one, scores={})]
        for one in relevances
    ]


def test_a_threshold_parts_the_questions_that_are_answered() -> None:
    """It lies in the middle between both kinds; nothing found is 0."""
    proposal = propose_threshold(found(0.8, 0.6), found(0.2, None))
    assert proposal == (pytest.approx(0.4), 1.0, 1.0)


def test_a_threshold_is_as_good_as_the_questions_allow() -> None:
    """Its accuracy is the mean over both kinds, however many there are of each."""
    proposal = propose_threshold(found(0.9, 0.8, 0.1, 0.8), found(0.3, 0.2))
    assert 0.3 < proposal.threshold < 0.8
    assert proposal.accuracy == pytest.approx((3 / 4 + 1) / 2)
    assert proposal.auc == pytest.approx(6 / 8)
    assert propose_threshold(found(0.5), found(0.5))[1:] == (0.5, 0.5)


def test_a_threshold_needs_both_kinds_and_a_scale() -> None:
    """What has none cannot be compared."""
    no_scale = [[Hit(id="", text="", metadata={}, score=1, relevance=None, scores={})]]
    for answered, unanswered in ((found(), found(0.1)), (found(0.1), []), (no_scale, found(0.1))):
        with pytest.raises(InvalidInputError):
            propose_threshold(answered, unanswered)


# --- the scale of a reranker ---------------------------------------------------------------------


class Judge:
    """A reranker that gives the scores it is told."""

    def __init__(self, *scores: float, scale: object = None) -> None:
        self.scores = scores
        self.scale = scale
        self.asked: list[int] = []

    def __call__(self, query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        self.asked.append(top_k)
        order = sorted(range(len(documents)), key=lambda place: -self.scores[place])[:top_k]
        return [RerankResult(documents[place], self.scores[place], place) for place in order]


def relevances(judge: Any, k: int = 9) -> list[float]:
    """What the scores of a reranker mean."""
    results = reranked(judge, "query", ["one", "two", "three"], k)
    return [rerank_scale(judge)(result.score) for result in results]


def test_logits_stay_in_their_order() -> None:
    """Scores of one answer are on one scale, those between 0 and 1 among others included."""
    logits = relevances(Judge(7.74, 0.95, -0.1))
    assert logits == sorted(logits, reverse=True)
    assert logits == pytest.approx([1 / (1 + math.exp(-s)) for s in (7.74, 0.95, -0.1)])


def test_the_first_score_beyond_0_and_1_settles_the_scale_for_good() -> None:
    """Before it, scores are probabilities; after it, logits whatever they look like."""
    judge = Judge(0.9, 0.5, 0.1)
    assert relevances(judge) == [0.9, 0.5, 0.1]
    judge.scores = (3.0, 0.5, 0.1)
    relevances(judge)
    judge.scores = (0.9, 0.5, 0.1)
    assert relevances(judge) == pytest.approx([1 / (1 + math.exp(-s)) for s in judge.scores])
    assert relevances(Judge(0.9, 0.5, 0.1)) == [0.9, 0.5, 0.1]
    assert relevances(judge.__call__)[0] == pytest.approx(1 / (1 + math.exp(-0.9)))


def test_the_whole_answer_tells_until_the_scale_is_known() -> None:
    """The best score alone looks like a probability; a function that declares is asked for k."""
    judge = Judge(0.9, -4.0, -5.0)
    assert relevances(judge, k=1) == pytest.approx([1 / (1 + math.exp(-0.9))])
    relevances(judge, k=1)
    assert judge.asked == [3, 1]
    declared = Judge(0.9, 0.5, 0.1, scale="probability")
    relevances(declared, k=1)
    assert declared.asked == [1]


def test_a_declared_scale_is_taken_at_its_word() -> None:
    """What is none is refused; an attribute that is no text means something else."""
    assert relevances(Judge(0.5, 0.2, 0.0, scale="logit"))[2] == 0.5
    assert relevances(Judge(1.5, 0.2, -0.1, scale="probability")) == [1.0, 0.2, 0.0]
    assert relevances(Judge(0.5, 0.2, 0.1, scale=3)) == [0.5, 0.2, 0.1]
    with pytest.raises(InvalidInputError, match="percent"):
        rerank_scale(Judge(scale="percent"))
