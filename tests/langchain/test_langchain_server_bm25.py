"""`sparse="milvus"` through LangChain: the server ranks, and its scores have no relevance."""

from __future__ import annotations

import pytest

from hybridge import SparseField
from hybridge.errors import InvalidInputError
from langchain_hybridge import MilvusRetriever
from support.engines import functions_over_lite
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids


def test_the_server_ranks(
    make_vector_store: MakeVectorStore, lite_server: str, collection_name: str
) -> None:
    """By text, alone and beside dense vectors; what needs a relevance says that there is none."""
    with functions_over_lite():
        store = make_vector_store(
            WordEmbeddings(),
            uri=lite_server,
            collection_name=collection_name,
            sparse="milvus",
            fields={"legs": SparseField("milvus:de", source="species")},
        )
        store.add_documents(ANIMALS)
        assert ids(store.similarity_search("bird", mode="sparse")) == ["bird"]
        assert ids(store.similarity_search("bird", k=1)) == ["bird"]
        [(found, score)] = store.similarity_search_with_score("dog", mode="sparse")
        assert found.id == "dog"
        assert score > 0
        with pytest.raises(InvalidInputError, match="call similarity_search_with_score"):
            store.similarity_search_with_relevance_scores("dog", mode="sparse")
        retriever = MilvusRetriever(vectorstore=store, mode="sparse", with_scores=True)
        [document] = retriever.invoke("dog")
        assert document.metadata["relevance_score"] is None
        with pytest.raises(InvalidInputError, match="no scale"):
            retriever.invoke("dog", score_threshold=0.1)
        assert len(retriever.invoke("dog", mode="hybrid", score_threshold=0.1)) >= 1


def test_it_is_refused_on_a_path(make_vector_store: MakeVectorStore) -> None:
    """As the store itself does."""
    with pytest.raises(InvalidInputError, match="take 'bm25'"):
        make_vector_store(sparse="milvus")
