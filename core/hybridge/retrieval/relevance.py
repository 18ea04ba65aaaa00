"""Scores brought to [0, 1], by the metric that the collection really has."""

from __future__ import annotations

import math


def cosine_relevance(score: float) -> float:
    """Return max(0, cosine), so thresholds from other vector stores keep their meaning."""
    return min(1.0, max(0.0, score))


def l2_relevance(score: float) -> float:
    """Return 1 / (1 + d) for the score of a distance d, which is -d, so that higher is better."""
    return 1.0 / (1.0 + max(0.0, -score))


def inner_product_relevance(score: float) -> float:
    """Return 1/2 + atan(s)/pi for an inner product of any sign."""
    return 0.5 + math.atan(score) / math.pi


def bm25_relevance(score: float) -> float:
    """Return 2 atan(s)/pi for a score that is never negative."""
    return 2.0 * math.atan(max(0.0, score)) / math.pi


def fused_relevance(score: float) -> float:
    """Return the fused score itself; it is relative to its query, not comparable across queries."""
    return min(1.0, max(0.0, score))


def reranker_relevance(score: float) -> float:
    """Return the score if it lies in [0, 1], else the logistic function of it."""
    if 0.0 <= score <= 1.0:
        return score
    # Two branches, since exp overflows for a large argument.
    if score > 0:
        return 1.0 / (1.0 + math.exp(-score))
    return math.exp(score) / (1.0 + math.exp(score))
