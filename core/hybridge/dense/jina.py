"""Dense vectors from Jina's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hybridge.arguments import check_count, check_flag, check_label
from hybridge.errors import InvalidInputError
from hybridge.function_settings import given_settings
from hybridge.jina_api import BASE_URL, MAX_TEXTS, JinaApi
from hybridge.texts import parse_texts
from hybridge.web_api.batches import batches
from hybridge.web_api.embedding import embed_batches
from hybridge.web_api.retry import RetryPolicy
from hybridge.web_api.usage import Usage

_DIMS = {
    "jina-clip-v2": 1024,
    "jina-embeddings-v2-base-code": 768,
    "jina-embeddings-v2-base-de": 768,
    "jina-embeddings-v2-base-en": 768,
    "jina-embeddings-v2-base-es": 768,
    "jina-embeddings-v2-base-zh": 768,
    "jina-embeddings-v3": 1024,
    "jina-embeddings-v4": 2048,
}


class JinaEmbeddingFunction:
    """Embeds texts with one of Jina's models; queries and documents each with a task of their own.

    Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is loaded,
    the environment is read again.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        task: The task of a plain call, `function(texts)`. Queries always go as
            "retrieval.query" and documents as "retrieval.passage".
        dimensions: The length of the vectors, for models that can shorten them.
        late_chunking: Whether the documents of one call are chunks of one text, embedded in each
            other's context; they must then fit into one request, and the model sees 8,192 tokens.
        base_url: Where the API is.
        batch_size: Texts in one request, at most 512.
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        deadline: Seconds that one request may take in total, including retries and waits.
        max_retries: How often a request is sent again after 429, 5xx or a failed connection.
        backoff: Seconds of the first wait between retries; each further one is twice as long.

    Attributes:
        model_name: The model.
        settings: What the vectors depend on beside it; see `hybridge.function_settings`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    is_billed: Final = True

    def __init__(
        self,
        model_name: str = "jina-embeddings-v3",
        api_key: str | None = None,
        task: str = "retrieval.passage",
        dimensions: int | None = None,
        late_chunking: bool = False,
        *,
        base_url: str = BASE_URL,
        batch_size: int = MAX_TEXTS,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        deadline: float = 120.0,
        max_retries: int = 3,
        backoff: float = 1.0,
    ) -> None:
        check_label(model_name, "model_name")
        check_label(task, "task")
        check_flag(late_chunking, "late_chunking")
        if dimensions is not None:
            check_count(dimensions, "dimensions")
        check_count(batch_size, "batch_size", largest=MAX_TEXTS)
        self.model_name = model_name
        self.settings = given_settings(
            type(self),
            task=task,
            dimensions=dimensions,
            late_chunking=late_chunking,
            base_url=base_url,
        )
        self._task = task
        self._dimensions = dimensions
        self._late_chunking = late_chunking
        self._batch_size = batch_size
        self._dim = dimensions or _DIMS.get(model_name)
        policy = RetryPolicy(timeout, deadline, max_retries, backoff)
        self._api = JinaApi(api_key, base_url, policy)

    @property
    def dim(self) -> int:
        """The length of every vector; for an unknown model, found by embedding one word."""
        if self._dim is None:
            self._dim = self(["dim"]).shape[1]
        return self._dim

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._api.usage

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts for the constructor's `task`; the shape is `(len(texts), dim)`."""
        return self._encode(parse_texts(texts, "texts"), self._task)

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; nothing is sent for an empty list.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings, or too long for late chunking.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        texts = parse_texts(documents, "documents")
        if self._late_chunking and len(texts) > self._batch_size:
            msg = (
                "Late chunking takes the texts of one call as the chunks of one document, which "
                f"must fit into one request of {self._batch_size} texts: {len(texts)} are too many"
            )
            raise InvalidInputError(msg)
        return self._encode(texts, "retrieval.passage", progress, late=self._late_chunking)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(parse_texts(queries, "queries"), "retrieval.query")

    def __repr__(self) -> str:
        return f"JinaEmbeddingFunction({self.model_name!r})"

    def _encode(
        self, texts: list[str], task: str, progress: bool = False, late: bool = False
    ) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        options: dict[str, object] = {"task": task}
        if self._dimensions is not None:
            options["dimensions"] = self._dimensions
        if late:
            options["late_chunking"] = True
        return embed_batches(
            batches(texts, self._batch_size),
            lambda batch: self._api.embed(self.model_name, batch, options),
            dim=self._dim,
            total=len(texts),
            progress=progress,
        )
