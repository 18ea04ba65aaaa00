"""Asking a reranker, and checking its answer; how many hits it chooses from, and its scale.

A rerank function says by its attribute `scale` what its scores are: "probability", or "logit". One
that does not is taken to give probabilities until an answer holds a score outside [0, 1]: from then
on, and for that answer as a whole, its scores are logits, whatever they look like. Until that is
known it is asked for all its scores, among which the lowest tell most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any, cast, get_args
from weakref import WeakValueDictionary

from hybridge.arguments import check_count, shown
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction, RerankScale
from hybridge.records import RerankResult
from hybridge.retrieval.numbers import finite_number
from hybridge.retrieval.relevance import Scale, clipped, logistic
from hybridge.texts import check_text, parse_texts

_SMALLEST_POOL = 20
_POOL_FACTOR = 4

# By id, since a function need be neither hashable nor unlike another; they go with the function.
_logits: WeakValueDictionary[int, Any] = WeakValueDictionary()


def pool_size(k: int) -> int:
    """Return how many hits a reranker or MMR chooses k from.

    Raises:
        InvalidInputError: k is not a whole number of at least 1.
    """
    check_count(k, "k")
    return max(_SMALLEST_POOL, _POOL_FACTOR * k)


def reranked(
    reranker: RerankFunction,
    query: str,
    texts: Sequence[str],
    k: int,
    min_relevance: float | None = None,
) -> list[RerankResult]:
    """Return what the reranker makes of the texts, at most k, best first.

    Args:
        reranker: The function; it is not called for an empty list.
        query: What is asked.
        texts: What may answer it.
        k: How many to return.
        min_relevance: The least relevance, in [0, 1], of what is returned.

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
    settled = _settled_scale(reranker) is not None
    results = _parse_results(
        reranker(query, listed, top_k=min(k, len(listed)) if settled else len(listed))
    )
    if not settled:
        _note_scale(reranker, results)
    places = [result.index for result in results]
    if len(set(places)) < len(places) or not all(0 <= place < len(listed) for place in places):
        msg = f"the reranker returned the places {shown(places)} for {len(listed)} documents"
        raise InvalidInputError(msg)
    if min_relevance is not None:
        scale = rerank_scale(reranker)
        results = [result for result in results if scale(result.score) >= min_relevance]
    return results[:k]


def rerank_scale(reranker: RerankFunction) -> Scale:
    """Return what brings the scores of a reranker to [0, 1], as far as its answers have told.

    Raises:
        InvalidInputError: It declares a `scale` that there is not.
    """
    return logistic if _settled_scale(reranker) == "logit" else clipped


def _settled_scale(reranker: RerankFunction) -> RerankScale | None:
    declared: Any = getattr(reranker, "scale", None)
    if not isinstance(declared, str):  # none, or an attribute that means something else
        return "logit" if id(_lasting(reranker)) in _logits else None
    if declared not in get_args(RerankScale):
        msg = f"the reranker's scale is {shown(declared)}: choose one of {get_args(RerankScale)}"
        raise InvalidInputError(msg)
    return cast("RerankScale", declared)


def _note_scale(reranker: RerankFunction, results: Sequence[RerankResult]) -> None:
    if not all(0 <= result.score <= 1 for result in results):
        with suppress(TypeError):  # what cannot be referred to weakly is looked at each time
            _logits[id(_lasting(reranker))] = _lasting(reranker)


def _lasting(reranker: RerankFunction) -> Any:
    """Return the object that a method is of: the method itself is another one at each use."""
    return getattr(reranker, "__self__", reranker)


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
