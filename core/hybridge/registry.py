"""Model functions by name, such as "openai/text-embedding-3-small" or "bm25:ru".

A name is a provider, a slash and what the provider calls the model; further slashes belong to the
model ("sentence-transformers/BAAI/bge-small-en-v1.5", "cross-encoder/BAAI/bge-reranker-v2-m3").
Only the provider's own libraries are loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.function_settings import settings_of
from hybridge.protocols import DenseEmbeddingFunction, RerankFunction, SparseEmbeddingFunction

T = TypeVar("T")


@dataclass(frozen=True)
class _Provider:
    """Where a provider's function is, and an example of its models.

    Attributes:
        module: The module.
        function: The class in it that is called.
        example: The name of a model.
        view: The attribute of the function that is wanted; None for the function itself.
        view_class: The class of that view.
        preset: The `provider=` that the function is called with, where it serves several.
        argument: What the function calls the model.
    """

    module: str
    function: str
    example: str
    view: str | None = None
    view_class: str | None = None
    preset: str | None = None
    argument: str = "model_name"

    def make(self, name: str, model: str, options: Mapping[str, Any]) -> Any:
        function = getattr(import_module(self.module), self.function)
        own = {self.argument: model, **({} if self.preset is None else {"provider": self.preset})}
        try:
            given = signature(function).bind(**own, **options)
        except TypeError as error:
            why = str(error).removeprefix("inspect.Signature.bind() ")
            msg = f"{name!r} cannot be made with {', '.join(options)}: {why}"
            raise InvalidInputError(msg) from None
        if self.view is None:
            return function(*given.args, **given.kwargs)
        return getattr(_shared(function, model, options), self.view)

    def model_of(self, function: Any) -> str | None:
        """Return the model of a function that this provider made, or None for any other object."""
        wanted = (self.module, self.view_class or self.function)
        if _class_name(function) != wanted:
            return None
        if self.preset is not None and function.provider != self.preset:
            return None
        return cast("str", function.model_name)


def _class_name(value: object) -> tuple[str, str]:
    """Return the name of an object's class: to compare names, no provider's module is imported."""
    kind = type(value)
    return kind.__module__, kind.__qualname__


_BGE_M3 = ("hybridge.hybrid.bge_m3", "BGEM3EmbeddingFunction", "BAAI/bge-m3")
_OPENAI = ("hybridge.dense.openai", "OpenAIEmbeddingFunction")
_DENSE_PROVIDERS = "hybridge.dense.providers"
_RERANK_API = ("hybridge.reranker.api", "ApiRerankFunction")
_RERANK_PROVIDERS = "hybridge.reranker.providers"
_BGE_RERANKER = "BAAI/bge-reranker-v2-m3"
_DENSE = {
    "azure": _Provider(*_OPENAI, "my-deployment", preset="azure"),
    "bge-m3": _Provider(*_BGE_M3, view="dense", view_class="DenseView"),
    "cohere": _Provider(_DENSE_PROVIDERS, "CohereEmbeddingFunction", "embed-v4.0"),
    "gemini": _Provider(_DENSE_PROVIDERS, "GeminiEmbeddingFunction", "gemini-embedding-001"),
    "infinity": _Provider(*_OPENAI, "BAAI/bge-m3", preset="infinity"),
    "jina": _Provider("hybridge.dense.jina", "JinaEmbeddingFunction", "jina-embeddings-v3"),
    "litellm": _Provider(*_OPENAI, "my-model", preset="litellm"),
    "llama.cpp": _Provider(*_OPENAI, "nomic-embed-text-v1.5", preset="llama.cpp"),
    "lm-studio": _Provider(*_OPENAI, "nomic-embed-text-v1.5", preset="lm-studio"),
    "mistral": _Provider(_DENSE_PROVIDERS, "MistralAIEmbeddingFunction", "mistral-embed"),
    "model2vec": _Provider(
        "hybridge.dense.model2vec",
        "Model2VecEmbeddingFunction",
        "minishlab/potion-base-8M",
        argument="model_source",
    ),
    "nomic": _Provider(_DENSE_PROVIDERS, "NomicEmbeddingFunction", "nomic-embed-text-v1.5"),
    "ollama": _Provider(*_OPENAI, "nomic-embed-text", preset="ollama"),
    "onnx": _Provider(
        "hybridge.dense.onnx", "OnnxEmbeddingFunction", "sentence-transformers/all-MiniLM-L6-v2"
    ),
    "openai": _Provider(*_OPENAI, "text-embedding-3-small", preset="openai"),
    "sentence-transformers": _Provider(
        "hybridge.dense.sentence_transformer",
        "SentenceTransformerEmbeddingFunction",
        "all-MiniLM-L6-v2",
    ),
    "tei": _Provider(_DENSE_PROVIDERS, "TEIEmbeddingFunction", "BAAI/bge-m3"),
    "together": _Provider(*_OPENAI, "BAAI/bge-base-en-v1.5", preset="together"),
    "vllm": _Provider(*_OPENAI, "BAAI/bge-m3", preset="vllm"),
    "voyage": _Provider(_DENSE_PROVIDERS, "VoyageEmbeddingFunction", "voyage-3-large"),
}
_SPARSE = {
    "bge-m3": _Provider(*_BGE_M3, view="sparse", view_class="SparseView"),
    "splade": _Provider(
        "hybridge.sparse.splade",
        "SpladeEmbeddingFunction",
        "naver/splade-cocondenser-ensembledistil",
    ),
}
_RERANK = {
    "bge": _Provider("hybridge.reranker.bge", "BGERerankFunction", _BGE_RERANKER),
    "cohere": _Provider(_RERANK_PROVIDERS, "CohereRerankFunction", "rerank-v3.5"),
    "cross-encoder": _Provider(
        "hybridge.reranker.cross_encoder", "CrossEncoderRerankFunction", "ms-marco-MiniLM-L6-v2"
    ),
    "infinity": _Provider(*_RERANK_API, _BGE_RERANKER, preset="infinity"),
    "jina": _Provider(
        "hybridge.reranker.jina", "JinaRerankFunction", "jina-reranker-v2-base-multilingual"
    ),
    "litellm": _Provider(*_RERANK_API, "my-model", preset="litellm"),
    "llama.cpp": _Provider(*_RERANK_API, "bge-reranker-v2-m3", preset="llama.cpp"),
    "tei": _Provider(_RERANK_PROVIDERS, "TEIRerankFunction", _BGE_RERANKER),
    "together": _Provider(*_RERANK_API, "Salesforce/Llama-Rank-v1", preset="together"),
    "vllm": _Provider(*_RERANK_API, _BGE_RERANKER, preset="vllm"),
    "voyage": _Provider(_RERANK_PROVIDERS, "VoyageRerankFunction", "rerank-2.5"),
}

# The two views of a hybrid model, when both are looked up by name, come from one object.
_hybrids: WeakValueDictionary[str, Any] = WeakValueDictionary()


def dense_function(name: str, **options: Any) -> DenseEmbeddingFunction:
    """Return the dense function of that name.

    Args:
        name: For instance "sentence-transformers/all-MiniLM-L6-v2", "onnx/./minilm",
            "openai/text-embedding-3-small", "jina/jina-embeddings-v3" or "bge-m3/BAAI/bge-m3".
        **options: Further arguments of the function.

    Raises:
        InvalidInputError: The name is unknown, and the error lists the known ones; or an option is
            wrong.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance without a key or weights.
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
        InvalidInputError: The name is unknown, and the error lists the known ones; or an option is
            wrong.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance without weights.
    """
    function: SparseEmbeddingFunction
    kind, language = _parted(name, ":")
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
        InvalidInputError: The name is unknown, and the error lists the known ones; or an option is
            wrong.
        MissingExtraError: The provider's library is not installed.
        HybridgeError: The function cannot be made, for instance without a key or weights.
    """
    function: RerankFunction = _make(name, _RERANK, [], options)
    return function


def as_dense_function(function: DenseEmbeddingFunction | str) -> DenseEmbeddingFunction:
    """Return a dense function, given the function or its name.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, DenseEmbeddingFunction, dense_function)


def as_sparse_function(function: SparseEmbeddingFunction | str) -> SparseEmbeddingFunction:
    """Return a sparse function, given the function or its name.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, SparseEmbeddingFunction, sparse_function)


def as_rerank_function(function: RerankFunction | str) -> RerankFunction:
    """Return a reranker, given the function or its name.

    Raises:
        InvalidInputError: It is neither.
    """
    return _resolved(function, RerankFunction, rerank_function)


def function_name(function: object) -> str | None:
    """Return the name by which a function can be made again, from its class and its model.

    The name says nothing about other arguments of the constructor: a function that was made with
    `dimensions=` or another `base_url=` has the name of one that was made without. Nothing is
    imported.

    Args:
        function: Any object, such as a dense function, a view of a hybrid one, or a reranker.

    Returns:
        For instance "openai/text-embedding-3-small" or "bge-m3/BAAI/bge-m3"; None for an object of
        any other class, subclasses included, and for BM25.
    """
    for providers in (_DENSE, _SPARSE, _RERANK):
        for prefix, provider in providers.items():
            if (model := provider.model_of(function)) is not None:
                return f"{prefix}/{model}"
    return None


def function_identity(function: object) -> str:
    """Return what tells a function's results from those of all others, for the keys of caches.

    It is made of the function's name, else its class and model, and of its settings; of a function
    that says none, of the length of its vectors where that is a plain attribute.
    """
    attributes = getattr(function, "__dict__", {})
    dims = [value for name in ("dim", "_dim") if isinstance(value := attributes.get(name), int)]
    name = function_name(function)
    if name is None:
        name = f"{'.'.join(_class_name(function))}/{getattr(function, 'model_name', None)}"
    settings = settings_of(function) or ({"dim": dims[0]} if dims else {})
    return f"{name} {json.dumps(settings, sort_keys=True)}"


def _resolved(function: T | str, kind: type[Any], by_name: Callable[[str], T]) -> T:
    if isinstance(function, str):
        return by_name(function)
    # A class has the methods too, and would pass for an instance.
    if isinstance(function, kind) and not isinstance(function, type):
        return cast("T", function)
    name = getattr(function, "__name__", type(function).__name__)
    msg = (
        f"{shown(name)} is neither a {kind.__name__} nor the name of one: give an object that has "
        f"the methods of hybridge.protocols.{kind.__name__}, or its name"
    )
    raise InvalidInputError(msg)


def _make(
    name: str, providers: Mapping[str, _Provider], others: list[str], options: Mapping[str, Any]
) -> Any:
    provider, model = _parted(name, "/")
    if provider in providers and model:
        return providers[provider].make(name, model, options)
    known = [f"{prefix}/<model> (such as {each.example})" for prefix, each in providers.items()]
    msg = f"There is no function {shown(name)}; known are {', '.join(others + known)}"
    raise InvalidInputError(msg)


def _parted(name: object, separator: str) -> tuple[str, str]:
    """Return what stands before and behind a separator; nothing where it is no name."""
    before, _, behind = name.partition(separator) if isinstance(name, str) else ("", "", "")
    return before, behind


def _bm25(language: str, options: Mapping[str, Any]) -> SparseEmbeddingFunction:
    from hybridge.sparse.analyzer import build_default_analyzer
    from hybridge.sparse.bm25 import BM25EmbeddingFunction

    return BM25EmbeddingFunction(build_default_analyzer(language=language), **options)


def _shared(function: Any, model: str, options: Mapping[str, Any]) -> Any:
    try:
        key = f"{model} {sorted(options.items())!r}"
    except (RecursionError, ValueError):  # no valid option has a repr that fails
        return function(model, **options)
    made = _hybrids.get(key)
    if made is None:
        made = _hybrids[key] = function(model, **options)
    return made
