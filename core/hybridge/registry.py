"""Model functions by name, such as "openai/text-embedding-3-small" or "bm25:ru".

A name is a provider, a slash and what the provider calls the model; further slashes belong to the
model ("sentence-transformers/BAAI/bge-small-en-v1.5", "cross-encoder/BAAI/bge-reranker-v2-m3").
Only the provider's own libraries are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction, RerankFunction, SparseEmbeddingFunction

T = TypeVar("T")


@dataclass(frozen=True)
class _Provider:
    """Where a provider's function is, a model that it has, and the view of it that is wanted."""

    module: str
    function: str
    example: str
    view: str | None = None

    def make(self, model: str, options: Mapping[str, Any]) -> Any:
        function = getattr(import_module(self.module), self.function)
        if self.view is None:
            return function(model, **options)
        return getattr(_shared(function, model, options), self.view)


_BGE_M3 = ("hybridge.hybrid.bge_m3", "BGEM3EmbeddingFunction", "BAAI/bge-m3")
_DENSE = {
    "bge-m3": _Provider(*_BGE_M3, view="dense"),
    "jina": _Provider("hybridge.dense.jina", "JinaEmbeddingFunction", "jina-embeddings-v3"),
    "onnx": _Provider(
        "hybridge.dense.onnx", "OnnxEmbeddingFunction", "sentence-transformers/all-MiniLM-L6-v2"
    ),
    "openai": _Provider(
        "hybridge.dense.openai", "OpenAIEmbeddingFunction", "text-embedding-3-small"
    ),
    "sentence-transformers": _Provider(
        "hybridge.dense.sentence_transformer",
        "SentenceTransformerEmbeddingFunction",
        "all-MiniLM-L6-v2",
    ),
}
_SPARSE = {
    "bge-m3": _Provider(*_BGE_M3, view="sparse"),
    "splade": _Provider(
        "hybridge.sparse.splade",
        "SpladeEmbeddingFunction",
        "naver/splade-cocondenser-ensembledistil",
    ),
}
_RERANK = {
    "cross-encoder": _Provider(
        "hybridge.reranker.cross_encoder", "CrossEncoderRerankFunction", "ms-marco-MiniLM-L6-v2"
    ),
    "jina": _Provider(
        "hybridge.reranker.jina", "JinaRerankFunction", "jina-reranker-v2-base-multilingual"
    ),
}

# Both views of a hybrid model, asked for by name one after the other, come from one object.
_hybrids: WeakValueDictionary[str, Any] = WeakValueDictionary()


def dense_function(name: str, **options: Any) -> DenseEmbeddingFunction:
    """Return the dense function of that name.

    Args:
        name: For instance "sentence-transformers/all-MiniLM-L6-v2", "onnx/./minilm",
            "openai/text-embedding-3-small", "jina/jina-embeddings-v3" or "bge-m3/BAAI/bge-m3".
        **options: Further arguments of the function.

    Raises:
        InvalidInputError: There is no such name; the error lists what there is.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance for want of a key or of weights.
    """
    function: DenseEmbeddingFunction = _make(name, _DENSE, [], options)
    return function


def sparse_function(name: str, **options: Any) -> SparseEmbeddingFunction:
    """Return the sparse function of that name.

    Args:
        name: "bm25" (English), "bm25:ru" and so on (not fitted), "splade/<model>" or
            "bge-m3/BAAI/bge-m3".
        **options: Further arguments of the function.

    Raises:
        InvalidInputError: There is no such name; the error lists what there is.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance for want of weights.
    """
    function: SparseEmbeddingFunction
    kind, _, language = name.partition(":") if isinstance(name, str) else ("", "", "")
    if kind == "bm25" and (language or name == "bm25"):
        function = _bm25(language or "en", options)
    else:
        function = _make(name, _SPARSE, ["bm25", "bm25:<language>"], options)
    return function


def rerank_function(name: str, **options: Any) -> RerankFunction:
    """Return the reranker of that name.

    Args:
        name: For instance "jina/jina-reranker-v2-base-multilingual" or
            "cross-encoder/BAAI/bge-reranker-v2-m3".
        **options: Further arguments of the function.

    Raises:
        InvalidInputError: There is no such name; the error lists what there is.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance for want of a key or of weights.
    """
    function: RerankFunction = _make(name, _RERANK, [], options)
    return function


def as_dense_function(function: DenseEmbeddingFunction | str) -> DenseEmbeddingFunction:
    """Return the dense function that was given, or that bears the name given.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, DenseEmbeddingFunction, dense_function)


def as_sparse_function(function: SparseEmbeddingFunction | str) -> SparseEmbeddingFunction:
    """Return the sparse function that was given, or that bears the name given.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, SparseEmbeddingFunction, sparse_function)


def as_rerank_function(function: RerankFunction | str) -> RerankFunction:
    """Return the reranker that was given, or that bears the name given.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, RerankFunction, rerank_function)


def _resolved(function: T | str, kind: type[Any], by_name: Callable[[str], T]) -> T:
    if isinstance(function, str):
        return by_name(function)
    # A class has the methods too, and would pass for an instance.
    if isinstance(function, kind) and not isinstance(function, type):
        return cast("T", function)
    name = getattr(function, "__name__", type(function).__name__)
    msg = (
        f"{name!r} is neither a {kind.__name__} nor the name of one: give an object that has the "
        f"methods of hybridge.protocols.{kind.__name__}, or its name"
    )
    raise InvalidInputError(msg)


def _make(
    name: str, providers: Mapping[str, _Provider], others: list[str], options: Mapping[str, Any]
) -> Any:
    provider, _, model = name.partition("/") if isinstance(name, str) else ("", "", "")
    if provider in providers and model:
        return providers[provider].make(model, options)
    known = [f"{prefix}/<model> (such as {each.example})" for prefix, each in providers.items()]
    raise InvalidInputError(f"There is no function {name!r}; known are {', '.join(others + known)}")


def _bm25(language: str, options: Mapping[str, Any]) -> SparseEmbeddingFunction:
    from hybridge.sparse.analyzer import build_default_analyzer
    from hybridge.sparse.bm25 import BM25EmbeddingFunction

    return BM25EmbeddingFunction(build_default_analyzer(language=language), **options)


def _shared(function: Any, model: str, options: Mapping[str, Any]) -> Any:
    key = f"{model} {sorted(options.items())!r}"
    made = _hybrids.get(key)
    if made is None:
        made = _hybrids[key] = function(model, **options)
    return made
