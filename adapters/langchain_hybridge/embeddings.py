"""Hybridge's model functions as LangChain embeddings, and embeddings as functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from langchain_core.embeddings import Embeddings
from langchain_core.runnables import run_in_executor

from hybridge import registry
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.store import parse_vectors, parse_weights
from hybridge.texts import check_text, parse_texts
from langchain_hybridge.functions import (
    DenseLike,
    EmbeddingsFunction,
    SparseEmbeddingsFunction,
    SparseLike,
)

T = TypeVar("T")


class DenseEmbeddings(Embeddings):
    """LangChain embeddings from any dense function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The dense function, such as `hybridge.DefaultEmbeddingFunction()`, or its name,
            such as "openai/text-embedding-3-small" (see `hybridge.registry.dense_function`).

    Raises:
        InvalidInputError: If `function` is neither; on use, if a text is no string, or the function
            gives an answer that makes no sense.
    """

    def __init__(self, function: DenseEmbeddingFunction | str) -> None:
        self.function = registry.as_dense_function(function)

    def __repr__(self) -> str:
        return f"DenseEmbeddings({self.function!r})"

    @property
    def model_name(self) -> str:
        """The name of the function's model, or of its class."""
        return str(getattr(self.function, "model_name", None) or type(self.function).__name__)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, each of `function.dim` numbers."""
        given = parse_texts(texts, "texts")
        return parse_vectors(self.function.encode_documents(given), len(given))

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query, of `function.dim` numbers."""
        check_text(text, "text")
        return parse_vectors(self.function.encode_queries([text]), 1)[0]


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
        InvalidInputError: If `function` is neither; on use, if a text is no string, or the function
            gives an answer that makes no sense.
    """

    def __init__(self, function: SparseEmbeddingFunction | str) -> None:
        self.function = registry.as_sparse_function(function)

    def __repr__(self) -> str:
        return f"SparseEmbeddings({self.function!r})"

    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Return one vector per text."""
        given = parse_texts(texts, "texts")
        rows = parse_weights(self.function.encode_documents(given), len(given))
        return [SparseVector(list(row), list(row.values())) for row in rows]

    def embed_query(self, text: str) -> SparseVector:
        """Return the vector of a query."""
        check_text(text, "text")
        [row] = parse_weights(self.function.encode_queries([text]), 1)
        return SparseVector(list(row), list(row.values()))

    async def aembed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Async twin of `embed_documents`."""
        return await run_in_executor(None, self.embed_documents, texts)

    async def aembed_query(self, text: str) -> SparseVector:
        """Async twin of `embed_query`."""
        return await run_in_executor(None, self.embed_query, text)


# --- embeddings as functions ---------------------------------------------------------------------


def as_dense_function(
    embedding: Embeddings | DenseLike | DenseEmbeddingFunction | str | None,
) -> DenseEmbeddingFunction | None:
    """Return the dense function that stands for what was given, or None for None.

    Args:
        embedding: LangChain embeddings, an object with their methods, a dense function of
            Hybridge, or the name of one (see `hybridge.registry.dense_function`).

    Raises:
        InvalidInputError: If it is nothing of this kind.
    """
    if embedding is None:
        return None
    if type(embedding) is DenseEmbeddings:  # a subclass may embed in a way of its own
        return embedding.function
    if isinstance(embedding, (SparseEmbeddings, SparseEmbeddingsFunction)):
        msg = f"embedding= takes dense embeddings, and {type(embedding).__name__} makes sparse ones"
        raise InvalidInputError(msg)
    if isinstance(embedding, Embeddings) or _is_like(embedding, DenseLike, DenseEmbeddingFunction):
        return cast("DenseEmbeddingFunction", EmbeddingsFunction(cast("DenseLike", embedding)))
    try:
        return registry.as_dense_function(cast("DenseEmbeddingFunction | str", embedding))
    except InvalidInputError as error:
        msg = f"embedding= takes LangChain's Embeddings as well, or None for BM25 alone: {error}"
        raise InvalidInputError(msg) from error


def as_sparse_function(sparse: T | SparseLike) -> T | SparseEmbeddingFunction:
    """Return the sparse function that stands for sparse embeddings, and all else as it is.

    Args:
        sparse: Sparse embeddings in the shape of `langchain-qdrant`, or anything that
            `hybridge.MilvusStore` takes, which knows what its own names mean.

    Raises:
        InvalidInputError: If it is dense embeddings.
    """
    if type(sparse) is SparseEmbeddings:
        return sparse.function
    if isinstance(sparse, (Embeddings, EmbeddingsFunction)):
        msg = f"sparse= takes sparse embeddings, and {type(sparse).__name__} makes dense ones"
        raise InvalidInputError(msg)
    if _is_like(sparse, SparseLike, SparseEmbeddingFunction):
        function = SparseEmbeddingsFunction(cast("SparseLike", sparse))
        return cast("SparseEmbeddingFunction", function)
    return cast("T", sparse)


def as_embeddings(
    embedding: Embeddings | DenseLike | DenseEmbeddingFunction | str | None,
) -> Embeddings | None:
    """Return LangChain embeddings for what was given, or None for None.

    What `as_dense_function` made of embeddings gives the very object back.

    Args:
        embedding: See `as_dense_function`.

    Raises:
        InvalidInputError: If it is nothing of this kind.
    """
    if isinstance(embedding, Embeddings):
        return embedding
    function = as_dense_function(embedding)
    if isinstance(function, EmbeddingsFunction):
        return cast("Embeddings", function.embedding)
    return None if function is None else DenseEmbeddings(function)


def _is_like(given: object, like: type[Any], own: type[Any]) -> bool:
    """Whether it is an object of that shape, and no function of Hybridge itself."""
    # A class has the methods too, and would pass for an instance.
    return isinstance(given, like) and not isinstance(given, (type, own))
