"""From scores to results: what every reranker does last."""

from __future__ import annotations

from collections.abc import Sequence

from hybridge.arguments import check_count
from hybridge.errors import InvalidInputError
from hybridge.records import RerankResult
from hybridge.texts import check_text, parse_texts


def parse_request(query: str, documents: Sequence[str], top_k: int) -> list[str]:
    """Check a whole request, and return its documents as a list of strings.

    Raises:
        InvalidInputError: The query is empty or not a string, the documents are not a list of
            strings, or `top_k` is less than 1.
    """
    check_text(query, "query")
    if not query.strip():
        msg = "query is empty: there is nothing to rank by"
        raise InvalidInputError(msg)
    check_count(top_k, "top_k")
    return parse_texts(documents, "documents")


def best(documents: Sequence[str], scores: Sequence[float], top_k: int) -> list[RerankResult]:
    """Return the `top_k` best documents, best first; equal scores in the documents' order."""
    order = sorted(range(len(documents)), key=lambda index: (-scores[index], index))
    return [RerankResult(documents[index], scores[index], index) for index in order[:top_k]]
