"""Maximal marginal relevance, and scores brought to [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.errors import InvalidInputError
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.retrieval.relevance import (
    bm25_relevance,
    cosine_relevance,
    fused_relevance,
    inner_product_relevance,
    l2_relevance,
    reranker_relevance,
)
from hybridge.retrieval.reranking import pool_size

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


@pytest.mark.parametrize(
    "relevance",
    [
        cosine_relevance,
        inner_product_relevance,
        l2_relevance,
        bm25_relevance,
        fused_relevance,
        reranker_relevance,
    ],
)
@given(score=st.floats(-1e6, 1e6))
def test_relevance_lies_in_0_1(relevance: Callable[[float], float], score: float) -> None:
    """No score leaves [0, 1]."""
    assert 0 <= relevance(score) <= 1


def test_reranker_and_mmr_choose_from_four_times_k() -> None:
    """But from 20 hits at least."""
    assert [pool_size(k) for k in (1, 5, 6, 100)] == [20, 20, 24, 400]


def test_relevance_formulas() -> None:
    """The formulas of the metrics."""
    assert cosine_relevance(0.7) == 0.7
    assert cosine_relevance(-0.2) == 0
    assert inner_product_relevance(1.0) == pytest.approx(0.75)
    assert l2_relevance(-3.0) == 0.25
    assert l2_relevance(0.0) == l2_relevance(1e-9) == 1
    assert bm25_relevance(1.0) == pytest.approx(0.5)
    assert reranker_relevance(0.3) == 0.3
    assert reranker_relevance(2.0) == pytest.approx(1 / (1 + math.exp(-2)))
    assert reranker_relevance(-800.0) == pytest.approx(0)
