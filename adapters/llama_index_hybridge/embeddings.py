"""Hybridge's model functions as LlamaIndex embeddings."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from numpy.typing import NDArray

from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.store.legs import sparse_rows


class DenseEmbedding(BaseEmbedding):
    """A LlamaIndex embedding from any dense function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The dense function, such as `hybridge.DefaultEmbeddingFunction()`.
        **settings: Those of `BaseEmbedding`: `embed_batch_size`, `callback_manager`, ...
    """

    _function: DenseEmbeddingFunction = PrivateAttr()

    def __init__(self, function: DenseEmbeddingFunction, **settings: Any) -> None:
        super().__init__(**{"model_name": _name(function), **settings})
        self._function = function

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeDenseEmbedding"

    @property
    def function(self) -> DenseEmbeddingFunction:
        """The dense function."""
        return self._function

    def _get_query_embedding(self, query: str) -> list[float]:
        return _floats(self._function.encode_queries([query]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return _floats(self._function.encode_documents(texts))

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)


class SparseEmbedding(BaseSparseEmbedding):
    """A LlamaIndex sparse embedding from any sparse function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The sparse function, such as a fitted `hybridge.BM25EmbeddingFunction`.
        **settings: Those of `BaseSparseEmbedding`: `embed_batch_size`, `num_workers`, ...
    """

    _function: SparseEmbeddingFunction = PrivateAttr()

    def __init__(self, function: SparseEmbeddingFunction, **settings: Any) -> None:
        super().__init__(**{"model_name": _name(function), **settings})
        self._function = function

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeSparseEmbedding"

    @property
    def function(self) -> SparseEmbeddingFunction:
        """The sparse function."""
        return self._function

    def _get_query_embedding(self, query: str) -> dict[int, float]:
        return dict(sparse_rows(self._function.encode_queries([query]))[0])

    def _get_text_embeddings(self, texts: list[str]) -> list[dict[int, float]]:
        return [dict(row) for row in sparse_rows(self._function.encode_documents(texts))]

    def _get_text_embedding(self, text: str) -> dict[int, float]:
        return self._get_text_embeddings([text])[0]

    async def _aget_query_embedding(self, query: str) -> dict[int, float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[dict[int, float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_text_embedding(self, text: str) -> dict[int, float]:
        return await asyncio.to_thread(self._get_text_embedding, text)


def _name(function: object) -> str:
    """Return what tells one function's vectors from another's, for LlamaIndex's caches."""
    return str(getattr(function, "model_name", type(function).__name__))


def _floats(vectors: NDArray[np.float32]) -> list[list[float]]:
    floats: list[list[float]] = vectors.tolist()
    return floats
