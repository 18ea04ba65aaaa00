"""Jina's two endpoints: requests within the API's limits, answers checked before they are used.

    POST /rerank      model, query, documents, top_n, return_documents
                      -> results: [{index, relevance_score}]
    POST /embeddings  model, input, task, dimensions, late_chunking
                      -> data: [{index, embedding}]

Both answers carry `usage.total_tokens`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from hybridge.errors import InvalidInputError
from hybridge.web_api.client import Answer, Usage, WebApi
from hybridge.web_api.key import ApiKey, KeySource
from hybridge.web_api.patience import Patience

BASE_URL = "https://api.jina.ai/v1"
JINA = KeySource("Jina", ("JINA_API_KEY", "JINAAI_API_KEY"), "https://jina.ai/api-dashboard")

# The API refuses more: 2,048 documents to rerank, 512 texts to embed (jina-embeddings-v4).
MOST_DOCUMENTS = 2_048
MOST_TEXTS = 512


class JinaApi:
    """Both endpoints over one session. Safe to use from several threads; pickles hold no key.

    Args:
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        base_url: Where the API is.
        patience: Timeouts and retries.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: The key or `base_url` is no such thing.
    """

    def __init__(self, api_key: str | None, base_url: str, patience: Patience) -> None:
        self._api = WebApi(ApiKey.find(JINA, api_key), base_url, patience)

    @property
    def usage(self) -> Usage:
        """Requests and tokens used so far."""
        return self._api.usage

    def rerank(
        self, model: str, query: str, documents: Sequence[str], batch_size: int
    ) -> list[float]:
        """Return one score per document, in the documents' order.

        Every score is asked for, whatever the caller keeps, so that a missing one is seen.

        Raises:
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        scores: list[float] = []
        for batch in _batches(documents, batch_size):
            payload = {
                "model": model,
                "query": query,
                "documents": batch,
                "top_n": len(batch),
                "return_documents": False,
            }
            answer = self._api.post("/rerank", payload)
            scores += self._scores(answer, len(batch))
        return scores

    def embed(
        self,
        model: str,
        texts: Sequence[str],
        batch_size: int,
        *,
        options: dict[str, object],
        progress: bool = False,
    ) -> NDArray[np.float32]:
        """Return one vector per text: float32 of shape `(len(texts), dim)`, for at least one text.

        Args:
            model: The model's name.
            texts: What to embed.
            batch_size: Texts in one request, at most.
            options: Further fields of the request: task, dimensions, late_chunking.
            progress: Whether to show a progress bar.

        Raises:
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        parts = []
        with tqdm(total=len(texts), desc=model, unit="text", disable=not progress) as bar:
            for batch in _batches(texts, batch_size):
                answer = self._api.post("/embeddings", {"model": model, "input": batch, **options})
                parts.append(self._vectors(answer, len(batch)))
                self._check_same_width(parts, answer)
                bar.update(len(batch))
        return np.concatenate(parts)

    def _scores(self, answer: Answer, count: int) -> list[float]:
        items = self._in_order(answer, "results", count)
        scores: list[Any] = [item.get("relevance_score") for item in items]
        for score in scores:
            if not _is_finite_number(score):
                raise self._api.malformed(f"a score is {score!r}", answer.request_id)
        return [float(score) for score in scores]

    def _vectors(self, answer: Answer, count: int) -> NDArray[np.float32]:
        items = self._in_order(answer, "data", count)
        try:
            vectors = np.array([item.get("embedding") for item in items])
        except ValueError:
            raise self._api.malformed("vectors differ in length", answer.request_id) from None
        if vectors.ndim != 2 or vectors.dtype.kind not in "fi" or not vectors.size:
            raise self._api.malformed("an embedding is no list of numbers", answer.request_id)
        with np.errstate(over="ignore"):
            vectors = vectors.astype(np.float32)
        if not np.isfinite(vectors).all():
            raise self._api.malformed("a vector is not finite", answer.request_id)
        return vectors

    def _check_same_width(self, parts: Sequence[NDArray[np.float32]], answer: Answer) -> None:
        if parts[-1].shape[1] != parts[0].shape[1]:
            raise self._api.malformed("vectors differ in length", answer.request_id)

    def _in_order(self, answer: Answer, name: str, count: int) -> list[dict[str, Any]]:
        """Return the items of an answer by their index, which must be 0 to count - 1, each once."""
        items = answer.json.get(name)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._api.malformed(f"it holds no list {name!r}", answer.request_id)
        placed: list[dict[str, Any] | None] = [None] * count
        for item in items:
            index = item.get("index")
            if type(index) is not int or not 0 <= index < count:
                raise self._api.malformed(f"it holds index {index!r}", answer.request_id)
            if placed[index] is not None:
                raise self._api.malformed(f"it holds index {index} twice", answer.request_id)
            placed[index] = item
        found = [item for item in placed if item is not None]
        if len(found) < count:
            what = f"it holds {len(found)} results for {count} texts"
            raise self._api.malformed(what, answer.request_id)
        return found


def check_batch_size(batch_size: int, most: int) -> None:
    """Refuse a batch that the API would refuse.

    Raises:
        InvalidInputError: It is no whole number from 1 to `most`.
    """
    if type(batch_size) is not int or not 1 <= batch_size <= most:
        raise InvalidInputError(f"batch_size must be from 1 to {most}, not {batch_size!r}")


def _is_finite_number(value: object) -> bool:
    # A bool is an int to Python, and JSON may hold an int that no float can.
    try:
        return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:
        return False


def _batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))
