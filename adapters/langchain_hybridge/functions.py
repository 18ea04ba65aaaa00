"""Embeddings in LangChain's shape as functions of Hybridge, and what functions answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, cast, runtime_checkable

from hybridge.errors import InvalidInputError
from hybridge.texts import parse_texts
from hybridge.wrapped import WrappedFunction


@runtime_checkable
class DenseLike(Protocol):
    """Dense embeddings in LangChain's shape, whatever their class."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text."""
        ...

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query."""
        ...


class WeightsLike(Protocol):
    """A sparse vector in the shape of `langchain-qdrant`."""

    @property
    def indices(self) -> Sequence[int]:
        """The indices that are not zero."""
        ...

    @property
    def values(self) -> Sequence[float]:
        """Their weights, in the same order."""
        ...


@runtime_checkable
class SparseLike(Protocol):
    """Sparse embeddings in the shape of `langchain-qdrant`, whatever their class."""

    def embed_documents(self, texts: list[str]) -> Sequence[WeightsLike]:
        """Return one vector per text."""
        ...

    def embed_query(self, text: str) -> WeightsLike:
        """Return the vector of a query."""
        ...


class EmbeddingsFunction(WrappedFunction[DenseLike]):
    """A dense function from LangChain embeddings, or from an object with their methods.

    Awaited, it awaits the object's own async methods, where there are some.
    """

    def encode_documents(self, documents: Sequence[str]) -> list[list[float]]:
        """Return one vector per document."""
        return self.embedding.embed_documents(parse_texts(documents, "documents"))

    def encode_queries(self, queries: Sequence[str]) -> list[list[float]]:
        """Return one vector per query."""
        return [self.embedding.embed_query(query) for query in parse_texts(queries, "queries")]

    async def aencode_documents(self, documents: Sequence[str]) -> list[list[float]]:
        """Async twin of `encode_documents`."""
        texts = parse_texts(documents, "documents")
        return cast("list[list[float]]", await _embed_documents(self.embedding, texts))

    async def aencode_queries(self, queries: Sequence[str]) -> list[list[float]]:
        """Async twin of `encode_queries`; all queries are embedded at the same time."""
        return await _embed_queries(self.embedding, parse_texts(queries, "queries"))


class SparseEmbeddingsFunction(WrappedFunction[SparseLike]):
    """A sparse function from sparse embeddings in the shape of `langchain-qdrant`.

    Awaited, it awaits the object's own async methods, where there are some.

    Raises:
        InvalidInputError: On use: if the object gives something else than indices and values.
    """

    def encode_documents(self, documents: Sequence[str]) -> list[dict[int, float]]:
        """Return the weights of each document by index."""
        return self._rows(self.embedding.embed_documents(parse_texts(documents, "documents")))

    def encode_queries(self, queries: Sequence[str]) -> list[dict[int, float]]:
        """Return the weights of each query by index."""
        texts = parse_texts(queries, "queries")
        return self._rows([self.embedding.embed_query(text) for text in texts])

    async def aencode_documents(self, documents: Sequence[str]) -> list[dict[int, float]]:
        """Async twin of `encode_documents`."""
        texts = parse_texts(documents, "documents")
        return self._rows(await _embed_documents(self.embedding, texts))

    async def aencode_queries(self, queries: Sequence[str]) -> list[dict[int, float]]:
        """Async twin of `encode_queries`; all queries are embedded at the same time."""
        return self._rows(await _embed_queries(self.embedding, parse_texts(queries, "queries")))

    def _rows(self, vectors: Sequence[WeightsLike]) -> list[dict[int, float]]:
        try:
            return [
                {int(i): float(weight) for i, weight in zip(one.indices, one.values, strict=True)}
                for one in vectors
            ]
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            name = type(self.embedding).__name__
            msg = f"{name} gave no sparse vectors, which have indices and values: {error}"
            raise InvalidInputError(msg) from error


async def _embed_documents(embedding: Any, texts: list[str]) -> Any:
    if hasattr(embedding, "aembed_documents"):
        return await embedding.aembed_documents(texts)
    return await asyncio.to_thread(embedding.embed_documents, texts)


async def _embed_queries(embedding: Any, texts: list[str]) -> list[Any]:
    if hasattr(embedding, "aembed_query"):
        return await asyncio.gather(*(embedding.aembed_query(text) for text in texts))
    return await asyncio.to_thread(lambda: [embedding.embed_query(text) for text in texts])
