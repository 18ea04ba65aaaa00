"""From scores to results: what every reranker does last."""

from __future__ import annotations

from collections.abc import Sequence

from hybridge.errors import InvalidInputError
from hybridge.records import RerankResult
from hybridge.texts import check_text, checked_texts


def checked_request(query: str, documents: Sequence[str], top_k: int) -> list[str]:
    """Return the documents as a list of strings, once the whole request makes sense.

    Raises:
        InvalidInputError: The query is empty or no string, the documents are no list of strings,
            or `top_k` is less than 1.
    """
    check_text(query, "query")
    if not query.strip():
        raise InvalidInputError("query is empty: there is nothing to rank by")
    if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
        raise InvalidInputError(f"top_k must be a whole number of at least 1, not {top_k!r}")
    return checked_texts(documents, "documents")


def best(documents: Sequence[str], scores: Sequence[float], top_k: int) -> list[RerankResult]:
    """Return the `top_k` best documents, best first; equal scores in the documents' order."""
    order = sorted(range(len(documents)), key=lambda index: (-scores[index], index))
    return [RerankResult(documents[index], scores[index], index) for index in order[:top_k]]
