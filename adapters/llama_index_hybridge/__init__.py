"""Hybridge for LlamaIndex: a vector store, a retriever, embeddings and rerankers over Milvus.

The same pieces as in `langchain_hybridge`, over the same collections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridge.errors import MissingExtraError
from hybridge.lazy import lazy_names

try:
    import llama_index.core  # noqa: F401
except ModuleNotFoundError:
    msg = "llama_index_hybridge"
    raise MissingExtraError(msg, "llama-index-core", "llama-index") from None

if TYPE_CHECKING:
    from llama_index_hybridge.convert import ContentIds
    from llama_index_hybridge.embeddings import DenseEmbedding, SparseEmbedding
    from llama_index_hybridge.reranker import JinaRerank, Rerank
    from llama_index_hybridge.retriever import MilvusRetriever
    from llama_index_hybridge.vector_store import MilvusVectorStore

_HOMES = {
    "ContentIds": "llama_index_hybridge.convert",
    "DenseEmbedding": "llama_index_hybridge.embeddings",
    "JinaRerank": "llama_index_hybridge.reranker",
    "MilvusRetriever": "llama_index_hybridge.retriever",
    "MilvusVectorStore": "llama_index_hybridge.vector_store",
    "Rerank": "llama_index_hybridge.reranker",
    "SparseEmbedding": "llama_index_hybridge.embeddings",
}

__all__ = [
    "ContentIds",
    "DenseEmbedding",
    "JinaRerank",
    "MilvusRetriever",
    "MilvusVectorStore",
    "Rerank",
    "SparseEmbedding",
]

__getattr__ = lazy_names(__name__, _HOMES)
