"""Milvus retrieval for LangChain and LlamaIndex from one core.

Public names are loaded when they are first used (PEP 562), so importing this package loads neither
models, nor pymilvus, nor a framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.dense import (
        CohereEmbeddingFunction,
        DefaultEmbeddingFunction,
        GeminiEmbeddingFunction,
        JinaEmbeddingFunction,
        MistralAIEmbeddingFunction,
        Model2VecEmbeddingFunction,
        NomicEmbeddingFunction,
        OnnxEmbeddingFunction,
        OpenAIEmbeddingFunction,
        SentenceTransformerEmbeddingFunction,
        TEIEmbeddingFunction,
        VoyageEmbeddingFunction,
    )
    from hybridge.errors import HybridgeError
    from hybridge.filters import DOCUMENT_ID, ROW_ID, TEXT, F
    from hybridge.hybrid import BGEM3EmbeddingFunction
    from hybridge.records import Hit, Record, RerankResult
    from hybridge.registry import dense_function, rerank_function, sparse_function
    from hybridge.reranker import (
        BGERerankFunction,
        CohereRerankFunction,
        CrossEncoderRerankFunction,
        JinaRerankFunction,
        TEIRerankFunction,
        VoyageRerankFunction,
    )
    from hybridge.retrieval.fusion import ConfidenceWeighted, ReciprocalRank, Weighted
    from hybridge.retrieval.relevance import propose_threshold
    from hybridge.sparse import (
        BM25EmbeddingFunction,
        SpladeEmbeddingFunction,
        build_default_analyzer,
    )
    from hybridge.store import (
        AUTO,
        TLS,
        DenseField,
        MilvusStore,
        SearchConfig,
        ServerOptions,
        SparseField,
        plain_value,
    )

_HOMES = {
    "AUTO": "hybridge.store",
    "BGEM3EmbeddingFunction": "hybridge.hybrid",
    "BGERerankFunction": "hybridge.reranker",
    "BM25EmbeddingFunction": "hybridge.sparse",
    "CohereEmbeddingFunction": "hybridge.dense",
    "CohereRerankFunction": "hybridge.reranker",
    "ConfidenceWeighted": "hybridge.retrieval.fusion",
    "CrossEncoderRerankFunction": "hybridge.reranker",
    "DOCUMENT_ID": "hybridge.filters",
    "DefaultEmbeddingFunction": "hybridge.dense",
    "DenseField": "hybridge.store",
    "F": "hybridge.filters",
    "GeminiEmbeddingFunction": "hybridge.dense",
    "Hit": "hybridge.records",
    "HybridgeError": "hybridge.errors",
    "JinaEmbeddingFunction": "hybridge.dense",
    "JinaRerankFunction": "hybridge.reranker",
    "MilvusStore": "hybridge.store",
    "MistralAIEmbeddingFunction": "hybridge.dense",
    "Model2VecEmbeddingFunction": "hybridge.dense",
    "NomicEmbeddingFunction": "hybridge.dense",
    "OnnxEmbeddingFunction": "hybridge.dense",
    "OpenAIEmbeddingFunction": "hybridge.dense",
    "ROW_ID": "hybridge.filters",
    "ReciprocalRank": "hybridge.retrieval.fusion",
    "Record": "hybridge.records",
    "RerankResult": "hybridge.records",
    "SearchConfig": "hybridge.store",
    "SentenceTransformerEmbeddingFunction": "hybridge.dense",
    "ServerOptions": "hybridge.store",
    "SparseField": "hybridge.store",
    "SpladeEmbeddingFunction": "hybridge.sparse",
    "TEIEmbeddingFunction": "hybridge.dense",
    "TEIRerankFunction": "hybridge.reranker",
    "TEXT": "hybridge.filters",
    "TLS": "hybridge.store",
    "VoyageEmbeddingFunction": "hybridge.dense",
    "VoyageRerankFunction": "hybridge.reranker",
    "Weighted": "hybridge.retrieval.fusion",
    "build_default_analyzer": "hybridge.sparse",
    "dense_function": "hybridge.registry",
    "plain_value": "hybridge.store",
    "propose_threshold": "hybridge.retrieval.relevance",
    "rerank_function": "hybridge.registry",
    "sparse_function": "hybridge.registry",
}

__all__ = [
    "AUTO",
    "DOCUMENT_ID",
    "ROW_ID",
    "TEXT",
    "TLS",
    "BGEM3EmbeddingFunction",
    "BGERerankFunction",
    "BM25EmbeddingFunction",
    "CohereEmbeddingFunction",
    "CohereRerankFunction",
    "ConfidenceWeighted",
    "CrossEncoderRerankFunction",
    "DefaultEmbeddingFunction",
    "DenseField",
    "F",
    "GeminiEmbeddingFunction",
    "Hit",
    "HybridgeError",
    "JinaEmbeddingFunction",
    "JinaRerankFunction",
    "MilvusStore",
    "MistralAIEmbeddingFunction",
    "Model2VecEmbeddingFunction",
    "NomicEmbeddingFunction",
    "OnnxEmbeddingFunction",
    "OpenAIEmbeddingFunction",
    "ReciprocalRank",
    "Record",
    "RerankResult",
    "SearchConfig",
    "SentenceTransformerEmbeddingFunction",
    "ServerOptions",
    "SparseField",
    "SpladeEmbeddingFunction",
    "TEIEmbeddingFunction",
    "TEIRerankFunction",
    "VoyageEmbeddingFunction",
    "VoyageRerankFunction",
    "Weighted",
    "build_default_analyzer",
    "dense_function",
    "plain_value",
    "propose_threshold",
    "rerank_function",
    "sparse_function",
]
__version__ = "0.1.0"

__getattr__ = lazy_names(__name__, _HOMES, ("dense", "hybrid", "reranker", "sparse"))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
