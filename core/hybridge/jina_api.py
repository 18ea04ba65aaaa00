"""Jina's two endpoints: requests within the API's limits, answers checked before they are used.

    POST /rerank      model, query, documents, top_n, return_documents
                      -> results: [{index, relevance_score}]
    POST /embeddings  model, input, task, dimensions, late_chunking
                      -> data: [{index, embedding}]

Both answers carry `usage.total_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybridge.web_api.answer import Answer
from hybridge.web_api.batches import batches
from hybridge.web_api.client import WebApi
from hybridge.web_api.key import ApiKey, KeySource
from hybridge.web_api.retry import RetryPolicy
from hybridge.web_api.usage import Usage

BASE_URL = "https://api.jina.ai/v1"
JINA = KeySource("Jina", ("JINA_API_KEY", "JINAAI_API_KEY"), "https://jina.ai/api-dashboard")

# The API's limits for one request: documents to rerank, texts to embed (jina-embeddings-v4).
MAX_DOCUMENTS = 2_048
MAX_TEXTS = 512


class JinaApi:
    """Both endpoints over one session. Safe to use from several threads; pickles hold no key.

    Args:
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        base_url: Where the API is.
        policy: Timeouts and retries.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: The key or `base_url` cannot be used.
    """

    def __init__(self, api_key: str | None, base_url: str, policy: RetryPolicy) -> None:
        self._api = WebApi(ApiKey.find(JINA, api_key), base_url, policy)

    @property
    def usage(self) -> Usage:
        """Requests and tokens used so far."""
        return self._api.usage

    def rerank(
        self, model: str, query: str, documents: Sequence[str], batch_size: int
    ) -> list[float]:
        """Return one score per document, in the documents' order.

        All scores are requested, however few the caller keeps, so that a missing one is noticed.

        Raises:
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        scores: list[float] = []
        for batch in batches(documents, batch_size):
            payload = {
                "model": model,
                "query": query,
                "documents": batch,
                "top_n": len(batch),
                "return_documents": False,
            }
            scores += self._api.post("/rerank", payload).scores(len(batch))
        return scores

    def embed(self, model: str, texts: Sequence[str], options: Mapping[str, object]) -> Answer:
        """Request the vectors of at most 512 texts.

        Args:
            model: The model's name.
            texts: What to embed.
            options: Further fields of the request: task, dimensions, late_chunking.

        Raises:
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._api.post("/embeddings", {"model": model, "input": list(texts), **options})
