"""Milvus retrieval for LangChain and LlamaIndex from one core.

Public names are loaded when they are first used (PEP 562), so importing this package loads neither
models, nor pymilvus, nor a framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybridge.dense import DefaultEmbeddingFunction as DefaultEmbeddingFunction
    from hybridge.dense import (
        SentenceTransformerEmbeddingFunction as SentenceTransformerEmbeddingFunction,
    )
    from hybridge.errors import HybridgeError as HybridgeError
    from hybridge.filters import DOCUMENT_ID as DOCUMENT_ID
    from hybridge.filters import ROW_ID as ROW_ID
    from hybridge.filters import F as F
    from hybridge.records import Hit as Hit
    from hybridge.records import Record as Record
    from hybridge.records import RerankResult as RerankResult
    from hybridge.reranker import JinaRerankFunction as JinaRerankFunction
    from hybridge.retrieval.fusion import ConfidenceWeighted as ConfidenceWeighted
    from hybridge.retrieval.fusion import ReciprocalRank as ReciprocalRank
    from hybridge.retrieval.fusion import Weighted as Weighted
    from hybridge.sparse.analyzer import build_default_analyzer as build_default_analyzer
    from hybridge.sparse.bm25 import BM25EmbeddingFunction as BM25EmbeddingFunction
    from hybridge.store.sparse_choice import AUTO as AUTO
    from hybridge.store.store import MilvusStore as MilvusStore

_HOMES = {
    "AUTO": "hybridge.store.sparse_choice",
    "BM25EmbeddingFunction": "hybridge.sparse.bm25",
    "ConfidenceWeighted": "hybridge.retrieval.fusion",
    "DOCUMENT_ID": "hybridge.filters",
    "DefaultEmbeddingFunction": "hybridge.dense",
    "F": "hybridge.filters",
    "Hit": "hybridge.records",
    "HybridgeError": "hybridge.errors",
    "JinaRerankFunction": "hybridge.reranker",
    "MilvusStore": "hybridge.store.store",
    "ROW_ID": "hybridge.filters",
    "ReciprocalRank": "hybridge.retrieval.fusion",
    "Record": "hybridge.records",
    "RerankResult": "hybridge.records",
    "SentenceTransformerEmbeddingFunction": "hybridge.dense",
    "Weighted": "hybridge.retrieval.fusion",
    "build_default_analyzer": "hybridge.sparse.analyzer",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module 'hybridge' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
