"""LlamaIndex embeddings as functions of Hybridge, and what functions answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar, cast

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding

from hybridge.texts import parse_texts
from hybridge.wrapped import WrappedFunction

E = TypeVar("E", bound="BaseEmbedding | BaseSparseEmbedding")
V = TypeVar("V")
Vector = list[float]
Weights = dict[int, float]


class _OfEmbedding(WrappedFunction[E], Generic[E, V]):
    """A function that asks the methods of a LlamaIndex embedding."""

    def encode_documents(self, documents: Sequence[str]) -> list[V]:
        """Return one vector per document."""
        texts = parse_texts(documents, "documents")
        return cast("list[V]", self.embedding.get_text_embedding_batch(texts))

    def encode_queries(self, queries: Sequence[str]) -> list[V]:
        """Return one vector per query."""
        texts = parse_texts(queries, "queries")
        return cast("list[V]", [self.embedding.get_query_embedding(text) for text in texts])

    async def aencode_documents(self, documents: Sequence[str]) -> list[V]:
        """Async twin of `encode_documents`."""
        texts = parse_texts(documents, "documents")
        return cast("list[V]", await self.embedding.aget_text_embedding_batch(texts))

    async def aencode_queries(self, queries: Sequence[str]) -> list[V]:
        """Async twin of `encode_queries`; all queries are embedded at the same time."""
        texts = parse_texts(queries, "queries")
        made = await asyncio.gather(*(self.embedding.aget_query_embedding(text) for text in texts))
        return cast("list[V]", made)


class EmbeddingsFunction(_OfEmbedding[BaseEmbedding, Vector]):
    """A dense function from a LlamaIndex embedding; awaited, it awaits the embedding's methods."""


class SparseEmbeddingsFunction(_OfEmbedding[BaseSparseEmbedding, Weights]):
    """A sparse function from a LlamaIndex sparse embedding; awaited, it awaits its methods."""
