"""`sparse="milvus"` through LlamaIndex: the server ranks, and its scores have no similarity."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever

from hybridge import SparseField
from hybridge.errors import InvalidInputError
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.engines import functions_over_lite
from support.llama_embedding import WordEmbedding

TEXTS = {"cat": "The cat sleeps on the sofa", "dog": "The dog runs in the park"}


def test_the_server_ranks(
    make_vector_store: Callable[..., MilvusVectorStore], lite_server: str, collection_name: str
) -> None:
    """By text, alone and beside dense vectors; a threshold says that there is no similarity."""
    with functions_over_lite():
        vector_store = make_vector_store(
            uri=lite_server,
            collection_name=collection_name,
            sparse="milvus",
            fields={"breed": SparseField("milvus:de", source="breed")},
        )
        index = VectorStoreIndex.from_documents(
            [Document(id_=name, text=text) for name, text in TEXTS.items()],
            storage_context=StorageContext.from_defaults(vector_store=vector_store),
            embed_model=WordEmbedding(),
        )
        sparse = index.as_retriever(vector_store_query_mode="sparse")
        [found] = sparse.retrieve("dog")
        assert (found.node.ref_doc_id, found.score) == ("dog", None)
        hybrid = index.as_retriever(vector_store_query_mode="hybrid", similarity_top_k=1)
        assert [one.node.ref_doc_id for one in hybrid.retrieve("cat")] == ["cat"]
        retrievers = [sparse, hybrid]
        fused = QueryFusionRetriever(retrievers, llm=MockLLM(), num_queries=1, use_async=False)
        assert fused.retrieve("dog")[0].node.ref_doc_id == "dog"
        ours = MilvusRetriever(vector_store, mode="sparse", score_threshold=0.1)
        with pytest.raises(InvalidInputError, match="no scale"):
            ours.retrieve("dog")


def test_it_is_refused_on_a_path(make_vector_store: Callable[..., MilvusVectorStore]) -> None:
    """As the store itself does."""
    with pytest.raises(InvalidInputError, match="take 'bm25'"):
        make_vector_store(sparse="milvus")
