"""Hybridge's model functions as LlamaIndex embeddings."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.storage.kvstore.types import BaseKVStore

from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.registry import as_dense_function, as_sparse_function
from hybridge.store.legs import sparse_rows
from llama_index_hybridge.functions import FunctionField, check_given, name_of

_COLLECTION = "embeddings"


class DenseEmbedding(BaseEmbedding):
    """A LlamaIndex embedding from any dense function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on. A cache tells
    queries from texts, and one model from another; that of the base class knows the text alone.

    Args:
        function: The dense function, such as `hybridge.DefaultEmbeddingFunction()`, or its name,
            such as "openai/text-embedding-3-small" (see `hybridge.registry.dense_function`). Only
            a name is part of `to_dict()`.
        **settings: Those of `BaseEmbedding`: `embed_batch_size`, `embeddings_cache`, ...

    Raises:
        InvalidInputError: If `function` is neither.
    """

    function: FunctionField = Field(repr=False, description="The dense function, or its name.")

    _function: DenseEmbeddingFunction = PrivateAttr()
    _cache: BaseKVStore | None = PrivateAttr(default=None)

    def __init__(self, function: DenseEmbeddingFunction | str, **settings: Any) -> None:
        check_given(function)
        resolved = as_dense_function(function)
        super().__init__(**{"model_name": name_of(resolved), **settings, "function": function})
        self._function = resolved
        self._cache, self.embeddings_cache = self.embeddings_cache, None

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeDenseEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([query], "query")[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "text")

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed([text], "text")[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    def _embed(self, texts: list[str], role: str) -> list[list[float]]:
        if self._cache is None:
            return self._encode(texts, role)
        keys = {text: f"{self.model_name}/{role}/{text}" for text in texts}
        known = {
            text: value["embedding"]
            for text, key in keys.items()
            if (value := self._cache.get(key, collection=_COLLECTION)) is not None
        }
        missing = [text for text in keys if text not in known]
        made = zip(missing, self._encode(missing, role), strict=True) if missing else ()
        for text, vector in made:
            known[text] = vector
            self._cache.put(keys[text], {"embedding": vector}, collection=_COLLECTION)
        return [known[text] for text in texts]

    def _encode(self, texts: list[str], role: str) -> list[list[float]]:
        encode = (
            self._function.encode_queries if role == "query" else self._function.encode_documents
        )
        vectors: list[list[float]] = encode(texts).tolist()
        return vectors


class SparseEmbedding(BaseSparseEmbedding):
    """A LlamaIndex sparse embedding from any sparse function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The sparse function, such as a fitted `hybridge.BM25EmbeddingFunction`, or its
            name (see `hybridge.registry.sparse_function`). Only a name is part of `model_dump()`.
        **settings: Those of `BaseSparseEmbedding`: `embed_batch_size`, `num_workers`, ...

    Raises:
        InvalidInputError: If `function` is neither.
    """

    function: FunctionField = Field(repr=False, description="The sparse function, or its name.")

    _function: SparseEmbeddingFunction = PrivateAttr()

    def __init__(self, function: SparseEmbeddingFunction | str, **settings: Any) -> None:
        check_given(function)
        resolved = as_sparse_function(function)
        super().__init__(**{"model_name": name_of(resolved), **settings, "function": function})
        self._function = resolved

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeSparseEmbedding"

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
