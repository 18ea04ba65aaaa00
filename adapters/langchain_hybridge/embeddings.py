"""Hybridge's model functions as LangChain embeddings."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.embeddings import Embeddings
from langchain_core.runnables import run_in_executor

from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.registry import as_dense_function, as_sparse_function
from hybridge.store.legs import sparse_rows


class DenseEmbeddings(Embeddings):
    """LangChain embeddings from any dense function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The dense function, such as `hybridge.DefaultEmbeddingFunction()`, or its name,
            such as "openai/text-embedding-3-small" (see `hybridge.registry.dense_function`).

    Raises:
        InvalidInputError: If `function` is neither.
    """

    def __init__(self, function: DenseEmbeddingFunction | str) -> None:
        self.function = as_dense_function(function)

    def __repr__(self) -> str:
        return f"DenseEmbeddings({self.function!r})"

    @property
    def model_name(self) -> str:
        """The name of the function's model, or of its class."""
        return str(getattr(self.function, "model_name", type(self.function).__name__))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, each of `function.dim` numbers."""
        vectors: list[list[float]] = self.function.encode_documents(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query, of `function.dim` numbers."""
        vector: list[float] = self.function.encode_queries([text])[0].tolist()
        return vector


def as_embeddings(
    embedding: Embeddings | DenseEmbeddingFunction | str | None,
) -> Embeddings | None:
    """Return LangChain embeddings, made from a dense function or its name where that is given.

    Raises:
        InvalidInputError: If it is nothing of this kind.
    """
    if embedding is None or isinstance(embedding, Embeddings):
        return embedding
    try:
        return DenseEmbeddings(embedding)
    except InvalidInputError as error:
        msg = f"embedding= takes LangChain's Embeddings as well, or None for BM25 alone: {error}"
        raise InvalidInputError(msg) from error


@dataclass(frozen=True)
class SparseVector:
    """One sparse vector.

    Attributes:
        indices: The indices that are not zero, ascending.
        values: Their weights, in the same order.
    """

    indices: list[int]
    values: list[float]


class SparseEmbeddings:
    """Sparse embeddings from any sparse function of Hybridge, in the shape of `langchain-qdrant`.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The sparse function, such as a fitted `hybridge.BM25EmbeddingFunction`, or its
            name (see `hybridge.registry.sparse_function`).

    Raises:
        InvalidInputError: If `function` is neither.
    """

    def __init__(self, function: SparseEmbeddingFunction | str) -> None:
        self.function = as_sparse_function(function)

    def __repr__(self) -> str:
        return f"SparseEmbeddings({self.function!r})"

    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Return one vector per text."""
        rows = sparse_rows(self.function.encode_documents(texts))
        return [SparseVector(list(row), list(row.values())) for row in rows]

    def embed_query(self, text: str) -> SparseVector:
        """Return the vector of a query."""
        [row] = sparse_rows(self.function.encode_queries([text]))
        return SparseVector(list(row), list(row.values()))

    async def aembed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Async twin of `embed_documents`."""
        return await run_in_executor(None, self.embed_documents, texts)

    async def aembed_query(self, text: str) -> SparseVector:
        """Async twin of `embed_query`."""
        return await run_in_executor(None, self.embed_query, text)
