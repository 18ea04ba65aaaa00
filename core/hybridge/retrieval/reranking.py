"""Asking a reranker, and checking its answer; how many hits it chooses from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real

from hybridge.arguments import check_count, shown
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.records import RerankResult
from hybridge.retrieval.numbers import finite_number
from hybridge.texts import check_text, parse_texts

_SMALLEST_POOL = 20
_POOL_FACTOR = 4


def pool_size(k: int) -> int:
    """Return how many hits a reranker or MMR chooses k from.

    Raises:
        InvalidInputError: k is not a whole number of at least 1.
    """
    check_count(k, "k")
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
        InvalidInputError: If an argument is of another type, or the reranker names a text that is
            not there, or one twice, or gives a score that is not finite, or answers something else.
    """
    check_text(query, "query")
    check_count(k, "k")
    if not callable(reranker) or isinstance(reranker, type):
        msg = f"a reranker is a function of a query and documents, not {shown(reranker)}"
        raise InvalidInputError(msg)
    listed = parse_texts(texts, "texts")
    if not listed:
        return []
    results = _parse_results(reranker(query, listed, top_k=min(k, len(listed))))
    places = [result.index for result in results]
    if len(set(places)) < len(places) or not all(0 <= place < len(listed) for place in places):
        msg = f"the reranker returned the places {shown(places)} for {len(listed)} documents"
        raise InvalidInputError(msg)
    return results


def _parse_results(answer: Iterable[RerankResult]) -> list[RerankResult]:
    try:
        results = list(answer)
    except TypeError:
        msg = f"the reranker returned {shown(answer)}, where a list was expected"
        raise InvalidInputError(msg) from None
    for result in results:
        place, score = getattr(result, "index", None), getattr(result, "score", None)
        if not isinstance(place, Integral) or not isinstance(score, Real):
            msg = f"the reranker returned {shown(answer)}, where RerankResults were expected"
            raise InvalidInputError(msg)
        if finite_number(score) is None:
            msg = f"the reranker gave the score {shown(score)}, which orders nothing"
            raise InvalidInputError(msg)
    return results
