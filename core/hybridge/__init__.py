"""Milvus retrieval for LangChain and LlamaIndex from one core.

Public names are loaded when they are first used (PEP 562), so importing this package loads neither
models, nor pymilvus, nor a framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.dense import DefaultEmbeddingFunction as DefaultEmbeddingFunction
    from hybridge.dense import JinaEmbeddingFunction as JinaEmbeddingFunction
    from hybridge.dense import OnnxEmbeddingFunction as OnnxEmbeddingFunction
    from hybridge.dense import OpenAIEmbeddingFunction as OpenAIEmbeddingFunction
    from hybridge.dense import (
        SentenceTransformerEmbeddingFunction as SentenceTransformerEmbeddingFunction,
    )
    from hybridge.errors import HybridgeError as HybridgeError
    from hybridge.filters import DOCUMENT_ID as DOCUMENT_ID
    from hybridge.filters import ROW_ID as ROW_ID
    from hybridge.filters import F as F
    from hybridge.hybrid import BGEM3EmbeddingFunction as BGEM3EmbeddingFunction
    from hybridge.records import Hit as Hit
    from hybridge.records import Record as Record
    from hybridge.records import RerankResult as RerankResult
    from hybridge.registry import dense_function as dense_function
    from hybridge.registry import rerank_function as rerank_function
    from hybridge.registry import sparse_function as sparse_function
    from hybridge.reranker import CrossEncoderRerankFunction as CrossEncoderRerankFunction
    from hybridge.reranker import JinaRerankFunction as JinaRerankFunction
    from hybridge.retrieval.fusion import ConfidenceWeighted as ConfidenceWeighted
    from hybridge.retrieval.fusion import ReciprocalRank as ReciprocalRank
    from hybridge.retrieval.fusion import Weighted as Weighted
    from hybridge.sparse import BM25EmbeddingFunction as BM25EmbeddingFunction
    from hybridge.sparse import SpladeEmbeddingFunction as SpladeEmbeddingFunction
    from hybridge.sparse import build_default_analyzer as build_default_analyzer
    from hybridge.store.sparse_choice import AUTO as AUTO
    from hybridge.store.store import MilvusStore as MilvusStore

_HOMES = {
    "AUTO": "hybridge.store.sparse_choice",
    "BGEM3EmbeddingFunction": "hybridge.hybrid",
    "BM25EmbeddingFunction": "hybridge.sparse",
    "ConfidenceWeighted": "hybridge.retrieval.fusion",
    "CrossEncoderRerankFunction": "hybridge.reranker",
    "DOCUMENT_ID": "hybridge.filters",
    "DefaultEmbeddingFunction": "hybridge.dense",
    "F": "hybridge.filters",
    "Hit": "hybridge.records",
    "HybridgeError": "hybridge.errors",
    "JinaEmbeddingFunction": "hybridge.dense",
    "JinaRerankFunction": "hybridge.reranker",
    "MilvusStore": "hybridge.store.store",
    "OnnxEmbeddingFunction": "hybridge.dense",
    "OpenAIEmbeddingFunction": "hybridge.dense",
    "ROW_ID": "hybridge.filters",
    "ReciprocalRank": "hybridge.retrieval.fusion",
    "Record": "hybridge.records",
    "RerankResult": "hybridge.records",
    "SentenceTransformerEmbeddingFunction": "hybridge.dense",
    "SpladeEmbeddingFunction": "hybridge.sparse",
    "Weighted": "hybridge.retrieval.fusion",
    "build_default_analyzer": "hybridge.sparse",
    "dense_function": "hybridge.registry",
    "rerank_function": "hybridge.registry",
    "sparse_function": "hybridge.registry",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
