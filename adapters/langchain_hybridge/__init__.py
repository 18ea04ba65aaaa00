"""Hybridge for LangChain: a vector store, a retriever, embeddings and rerankers over Milvus.

The same pieces as in `llama_index_hybridge`, over the same collections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridge.errors import MissingExtraError
from hybridge.lazy import lazy_names

try:
    import langchain_core  # noqa: F401
except ModuleNotFoundError:
    msg = "langchain_hybridge"
    raise MissingExtraError(msg, "langchain-core", "langchain") from None

if TYPE_CHECKING:
    from langchain_hybridge.document_index import MilvusDocumentIndex
    from langchain_hybridge.embeddings import DenseEmbeddings, SparseEmbeddings
    from langchain_hybridge.filters import MilvusTranslator
    from langchain_hybridge.reranker import JinaRerank, Rerank
    from langchain_hybridge.retriever import MilvusRetriever
    from langchain_hybridge.vector_store import MilvusVectorStore

_HOMES = {
    "DenseEmbeddings": "langchain_hybridge.embeddings",
    "JinaRerank": "langchain_hybridge.reranker",
    "MilvusDocumentIndex": "langchain_hybridge.document_index",
    "MilvusRetriever": "langchain_hybridge.retriever",
    "MilvusTranslator": "langchain_hybridge.filters",
    "MilvusVectorStore": "langchain_hybridge.vector_store",
    "Rerank": "langchain_hybridge.reranker",
    "SparseEmbeddings": "langchain_hybridge.embeddings",
}

__all__ = [
    "DenseEmbeddings",
    "JinaRerank",
    "MilvusDocumentIndex",
    "MilvusRetriever",
    "MilvusTranslator",
    "MilvusVectorStore",
    "Rerank",
    "SparseEmbeddings",
]

__getattr__ = lazy_names(__name__, _HOMES)
