"""Asking a reranker, and checking its answer; how many hits it chooses from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.records import RerankResult

_SMALLEST_POOL = 20
_POOL_FACTOR = 4


def pool_size(k: int) -> int:
    """Return how many hits a reranker or MMR chooses k from."""
    return max(_SMALLEST_POOL, _POOL_FACTOR * k)


def reranked(
    reranker: RerankFunction, query: str, texts: Sequence[str], k: int
) -> list[RerankResult]:
    """Return what the reranker makes of the texts, at most k, best first.

    Args:
        reranker: The function; it is not called for an empty list.
        query: What is asked.
        texts: What may answer it.
        k: How many to return.

    Raises:
        InvalidInputError: If the reranker names a text that is not there, or one twice, or gives
            a score that is not finite.
    """
    if not texts:
        return []
    results = reranker(query, texts, top_k=min(k, len(texts)))
    places = [result.index for result in results]
    if len(set(places)) < len(places) or not all(0 <= place < len(texts) for place in places):
        msg = f"the reranker returned the places {places} for {len(texts)} documents"
        raise InvalidInputError(msg)
    if wrong := [result.score for result in results if not math.isfinite(result.score)]:
        msg = f"the reranker gave the score {wrong[0]}, which orders nothing"
        raise InvalidInputError(msg)
    return results
