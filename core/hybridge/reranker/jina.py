"""Reranking by Jina's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hybridge.arguments import check_count, check_label
from hybridge.function_settings import given_settings
from hybridge.jina_api import BASE_URL, MAX_DOCUMENTS, JinaApi
from hybridge.records import RerankResult
from hybridge.reranker.ranking import best, parse_request
from hybridge.web_api.retry import RetryPolicy
from hybridge.web_api.usage import Usage


class JinaRerankFunction:
    """Scores documents against a query with one of Jina's rerankers.

    The scores of models up to v2 do not depend on a document's neighbours, so lists of any length
    are split and merged exactly; jina-reranker-v3 compares the documents of a request with each
    other. Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is
    loaded, the environment is read again.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        base_url: Where the API is.
        batch_size: Documents in one request, at most 2,048.
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        deadline: Seconds that one request may take in total, including retries and waits.
        max_retries: How often a request is sent again after 429, 5xx or a failed connection.
        backoff: Seconds of the first wait between retries; each further one is twice as long.

    Attributes:
        model_name: The model.
        settings: What the scores depend on beside it; see `hybridge.function_settings`.
        scale: What the scores are.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    scale: Final = "probability"

    def __init__(
        self,
        model_name: str = "jina-reranker-v2-base-multilingual",
        api_key: str | None = None,
        *,
        base_url: str = BASE_URL,
        batch_size: int = MAX_DOCUMENTS,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        deadline: float = 120.0,
        max_retries: int = 3,
        backoff: float = 1.0,
    ) -> None:
        check_label(model_name, "model_name")
        check_count(batch_size, "batch_size", largest=MAX_DOCUMENTS)
        self.model_name = model_name
        self.settings = given_settings(type(self), base_url=base_url)
        self._batch_size = batch_size
        policy = RetryPolicy(timeout, deadline, max_retries, backoff)
        self._api = JinaApi(api_key, base_url, policy)

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._api.usage

    def __call__(self, query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        """Return the `top_k` best documents, best first; equal scores in the documents' order.

        Args:
            query: What is asked.
            documents: What may answer it; nothing is sent for an empty list.
            top_k: How many to return, at least 1.

        Raises:
            InvalidInputError: An argument is wrong; nothing was sent.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        texts = parse_request(query, documents, top_k)
        scores = self._api.rerank(self.model_name, query, texts, self._batch_size)
        return best(texts, scores, top_k)

    def __repr__(self) -> str:
        return f"JinaRerankFunction({self.model_name!r})"
