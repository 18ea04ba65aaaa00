"""Hybridge's model functions as LlamaIndex embeddings, and embeddings as functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.storage.kvstore.types import BaseKVStore
from typing_extensions import Unpack

from hybridge import registry
from hybridge.arguments import parse_items
from hybridge.errors import InvalidInputError
from hybridge.function_settings import settings_of
from hybridge.narrowing import is_mapping
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.store import parse_vectors, parse_weights
from hybridge.texts import check_text, parse_texts
from llama_index_hybridge.arguments import (
    DenseSettings,
    FunctionField,
    SparseSettings,
    check_dense_settings,
    check_given,
    name_of,
    parse_queries,
    parse_settings,
)
from llama_index_hybridge.functions import (
    EmbeddingsFunction,
    SparseEmbeddingsFunction,
    Vector,
    Weights,
)

T = TypeVar("T")

_COLLECTION = "embeddings"


class _Checked:
    """What both embeddings have in common: texts are checked, and the event loop goes on."""

    def get_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **kwargs: Any
    ) -> list[Any]:
        """Return one vector per text, in batches of `embed_batch_size`."""
        base: Any = super()
        given = parse_texts(texts, "texts")
        return list(base.get_text_embedding_batch(given, show_progress, **kwargs))

    async def aget_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **kwargs: Any
    ) -> list[Any]:
        """Async twin of `get_text_embedding_batch`."""
        base: Any = super()
        given = parse_texts(texts, "texts")
        return list(await base.aget_text_embedding_batch(given, show_progress, **kwargs))

    def get_agg_embedding_from_queries(
        self, queries: list[str], agg_fn: Callable[..., Any] | None = None
    ) -> Any:
        """Return one vector for several queries: their mean, or what `agg_fn` makes of them."""
        base: Any = super()
        return base.get_agg_embedding_from_queries(parse_queries(queries), agg_fn)

    async def aget_agg_embedding_from_queries(
        self, queries: list[str], agg_fn: Callable[..., Any] | None = None
    ) -> Any:
        """Async twin of `get_agg_embedding_from_queries`."""
        base: Any = super()
        return await base.aget_agg_embedding_from_queries(parse_queries(queries), agg_fn)

    async def _aget_query_embedding(self: Any, query: str) -> Any:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embeddings(self: Any, texts: list[str]) -> Any:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_text_embedding(self: Any, text: str) -> Any:
        return await asyncio.to_thread(self._get_text_embedding, text)


class DenseEmbedding(_Checked, BaseEmbedding):
    """A LlamaIndex embedding from any dense function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on. A cache tells
    queries from texts, and one model from another; that of the base class knows the text alone.

    Args:
        function: The dense function, such as `hybridge.DefaultEmbeddingFunction()`, or its name,
            such as "openai/text-embedding-3-small" (see `hybridge.registry.dense_function`). Only
            a name is part of `to_dict()`.
        options: Arguments of a function that is given by name, such as `{"dimensions": 256}`;
            `to_dict()` holds those of an object too, so that no cache takes one for another.
        **settings: Those of `BaseEmbedding`; see `DenseSettings`.

    Raises:
        InvalidInputError: If `function` is neither, or there is no such setting; on use, if a text
            is no string, or the function gives an answer that makes no sense.
    """

    function: FunctionField = Field(repr=False, description="The dense function, or its name.")
    options: dict[str, Any] = Field(description="What its vectors depend on beside the model.")
    identity: str = Field(description="What tells its vectors from others'.", repr=False)

    _function: DenseEmbeddingFunction = PrivateAttr()
    _cache: BaseKVStore | None = PrivateAttr(default=None)

    def __init__(
        self,
        function: DenseEmbeddingFunction | str,
        options: Mapping[str, Any] | None = None,
        **settings: Unpack[DenseSettings],
    ) -> None:
        check_given(function)
        given = parse_settings(settings, type(self).model_fields, type(self).__name__)
        check_dense_settings(given)
        resolved = _resolved(function, options)
        fields: dict[str, Any] = {
            "model_name": name_of(resolved),
            **given,
            "function": function,
            "options": options or settings_of(resolved),
            "identity": registry.function_identity(resolved),
        }
        super().__init__(**fields)
        self._function = resolved
        self._cache, self.embeddings_cache = self.embeddings_cache, None

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeDenseEmbedding"

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Return the nodes, each with the vector of its text and its metadata."""
        return super().__call__(parse_items(nodes, BaseNode, "nodes"), **kwargs)

    async def acall(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Async twin of calling it."""
        return await super().acall(parse_items(nodes, BaseNode, "nodes"), **kwargs)

    def _get_query_embedding(self, query: str) -> Vector:
        check_text(query, "query")
        return self._embed([query], "query")[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Vector]:
        return self._embed(texts, "text")

    def _get_text_embedding(self, text: str) -> Vector:
        check_text(text, "text")
        return self._embed([text], "text")[0]

    def _embed(self, texts: list[str], role: str) -> list[Vector]:
        cache: Any = self._cache
        if cache is None:
            return self._encode(texts, role)
        keys = {text: f"{self.identity}/{role}/{text}" for text in texts}
        known: dict[str, Vector] = {
            text: value["embedding"]
            for text, key in keys.items()
            if (value := cache.get(key, collection=_COLLECTION)) is not None
        }
        missing = [text for text in keys if text not in known]
        made = zip(missing, self._encode(missing, role), strict=True) if missing else ()
        for text, vector in made:
            known[text] = vector
            cache.put(keys[text], {"embedding": vector}, collection=_COLLECTION)
        return [known[text] for text in texts]

    def _encode(self, texts: list[str], role: str) -> list[Vector]:
        encode = (
            self._function.encode_queries if role == "query" else self._function.encode_documents
        )
        return parse_vectors(encode(texts), len(texts))


class SparseEmbedding(_Checked, BaseSparseEmbedding):
    """A LlamaIndex sparse embedding from any sparse function of Hybridge.

    The async methods run the function on a thread, so the event loop goes on.

    Args:
        function: The sparse function, such as a fitted `hybridge.BM25EmbeddingFunction`, or its
            name (see `hybridge.registry.sparse_function`). Only a name is part of `model_dump()`.
        **settings: Those of `BaseSparseEmbedding`; see `SparseSettings`.

    Raises:
        InvalidInputError: If `function` is neither, or there is no such setting; on use, if a text
            is no string, or the function gives an answer that makes no sense.
    """

    function: FunctionField = Field(repr=False, description="The sparse function, or its name.")

    _function: SparseEmbeddingFunction = PrivateAttr()

    def __init__(
        self, function: SparseEmbeddingFunction | str, **settings: Unpack[SparseSettings]
    ) -> None:
        check_given(function)
        given = parse_settings(settings, type(self).model_fields, type(self).__name__)
        resolved = registry.as_sparse_function(function)
        fields: dict[str, Any] = {"model_name": name_of(resolved), **given, "function": function}
        super().__init__(**fields)
        self._function = resolved

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeSparseEmbedding"

    def _get_query_embedding(self, query: str) -> Weights:
        check_text(query, "query")
        return parse_weights(self._function.encode_queries([query]), 1)[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Weights]:
        return parse_weights(self._function.encode_documents(texts), len(texts))

    def _get_text_embedding(self, text: str) -> Weights:
        check_text(text, "text")
        return self._get_text_embeddings([text])[0]


# --- embeddings as functions ---------------------------------------------------------------------


def as_dense_function(
    embedding: BaseEmbedding | DenseEmbeddingFunction | str | None,
) -> DenseEmbeddingFunction | None:
    """Return the dense function that stands for what was given, or None for None.

    Args:
        embedding: A LlamaIndex embedding, a dense function of Hybridge, or the name of one (see
            `hybridge.registry.dense_function`).

    Raises:
        InvalidInputError: If it is nothing of this kind.
    """
    if embedding is None:
        return None
    # A subclass may embed in a way of its own, and a cache or a limiter adds to the function.
    if type(embedding) is DenseEmbedding and embedding._cache is embedding.rate_limiter is None:
        return embedding._function
    if isinstance(embedding, BaseEmbedding):
        return cast("DenseEmbeddingFunction", EmbeddingsFunction(embedding))
    try:
        return registry.as_dense_function(embedding)
    except InvalidInputError as error:
        msg = f"LlamaIndex's BaseEmbedding will do as well, or None for BM25 alone: {error}"
        if isinstance(embedding, str) and ("://" in embedding or embedding.endswith(".db")):
            msg = f"embed_model is {embedding.rpartition('@')[2]!r:.80}: write uri= for an address"
        raise InvalidInputError(msg) from error


def as_sparse_function(sparse: T | BaseSparseEmbedding) -> T | SparseEmbeddingFunction:
    """Return the sparse function that stands for a sparse embedding, and all else as it is.

    Args:
        sparse: A LlamaIndex sparse embedding, or anything that `hybridge.MilvusStore` takes, which
            knows what its own names mean.

    Raises:
        InvalidInputError: If it is a dense embedding.
    """
    if type(sparse) is SparseEmbedding:  # a subclass may embed in a way of its own
        return sparse._function
    if isinstance(sparse, BaseSparseEmbedding):
        return cast("SparseEmbeddingFunction", SparseEmbeddingsFunction(sparse))
    if isinstance(sparse, (BaseEmbedding, EmbeddingsFunction)):
        msg = f"sparse= takes sparse embeddings, and {type(sparse).__name__} makes dense ones"
        raise InvalidInputError(msg)
    return sparse


def _resolved(
    function: DenseEmbeddingFunction | str, options: Mapping[str, Any] | None
) -> DenseEmbeddingFunction:
    """Return the function, made with the options where it is a name."""
    if options is not None and not is_mapping(options):
        msg = f"options is a {type(options).__name__}: give a dictionary of arguments"
        raise InvalidInputError(msg)
    if options and isinstance(function, str):
        return registry.dense_function(function, **options)
    resolved = registry.as_dense_function(function)
    if options and dict(options) != settings_of(resolved):
        msg = (
            f"the function was made with {settings_of(resolved)}, and options says {dict(options)}"
            ": give options beside a name only, or the function that the dictionary describes"
        )
        raise InvalidInputError(msg)
    return resolved
