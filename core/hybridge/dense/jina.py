"""Dense vectors from Jina's API."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hybridge.errors import InvalidInputError
from hybridge.jina_api import BASE_URL, MOST_TEXTS, JinaApi
from hybridge.texts import checked_texts
from hybridge.web_api.batches import batches, check_batch_size
from hybridge.web_api.embedding import embed_batches
from hybridge.web_api.patience import Patience
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
    """Embeds texts with one of Jina's models; queries and documents each for their own task.

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
        deadline: Seconds that one request may take in all, its retries and waits included.
        max_retries: How often a request is sent again after 429, 5xx or a failed connection.
        backoff: Seconds of the first wait between retries; each further one is twice as long.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "jina-embeddings-v3",
        api_key: str | None = None,
        task: str = "retrieval.passage",
        dimensions: int | None = None,
        late_chunking: bool = False,
        *,
        base_url: str = BASE_URL,
        batch_size: int = MOST_TEXTS,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        deadline: float = 120.0,
        max_retries: int = 3,
        backoff: float = 1.0,
    ) -> None:
        check_batch_size(batch_size, MOST_TEXTS)
        self.model_name = model_name
        self._task = task
        self._dimensions = dimensions
        self._late_chunking = late_chunking
        self._batch_size = batch_size
        self._dim = dimensions or _DIMS.get(model_name)
        self._api = JinaApi(api_key, base_url, Patience(timeout, deadline, max_retries, backoff))

    @property
    def dim(self) -> int:
        """The length of every vector; of an unknown model, by embedding one word."""
        if self._dim is None:
            self._dim = self(["dim"]).shape[1]
        return self._dim

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._api.usage

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts for the constructor's `task`; the shape is `(len(texts), dim)`."""
        return self._encode(checked_texts(texts, "texts"), self._task)

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; nothing is sent for an empty list.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is no list of strings, or too long for late chunking.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        texts = checked_texts(documents, "documents")
        if self._late_chunking and len(texts) > self._batch_size:
            raise InvalidInputError(
                "Late chunking takes the texts of one call for one document, which must fit into "
                f"one request of {self._batch_size} texts: {len(texts)} are too many"
            )
        return self._encode(texts, "retrieval.passage", progress, late=self._late_chunking)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is no list of strings.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(checked_texts(queries, "queries"), "retrieval.query")

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
