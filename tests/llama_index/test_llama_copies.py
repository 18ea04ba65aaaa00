"""Copies of the adapter's objects share the store; pickles hold no secret of anybody."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from llama_index.core.bridge.pydantic import SecretStr
from llama_index.core.schema import TextNode

from hybridge.errors import InvalidInputError
from llama_index_hybridge import DenseEmbedding, MilvusRetriever, MilvusVectorStore, Rerank
from support.letters import Letters
from support.llama_embedding import WordEmbedding, embed

MakeVectorStore = Callable[..., MilvusVectorStore]
SECRET = "a-key-that-nobody-may-see"
APPLE = TextNode(id_="a", text="apple", embedding=embed("apple"))


class SecretEmbedding(WordEmbedding):
    """An embedding that holds a key as those of providers do: a pickle shows it."""

    key: SecretStr = SecretStr(SECRET)


def test_deep_copies_share_the_store(make_vector_store: MakeVectorStore) -> None:
    """Whatever the embedding is: nothing is opened again, and nothing is embedded again."""
    vector_store = make_vector_store(embed_model=SecretEmbedding())
    vector_store.add([APPLE])
    retriever = MilvusRetriever(vector_store, SecretEmbedding())
    for copied in (copy.deepcopy(vector_store), vector_store.model_copy(deep=True)):
        assert copied.client is vector_store.client
    for again in (copy.deepcopy(retriever), copy.copy(retriever)):
        again.similarity_top_k = 1
        assert [one.node_id for one in again.retrieve("apple")] == ["a"]
    assert retriever.similarity_top_k == 4


def test_foreign_embeddings_are_not_pickled(make_vector_store: MakeVectorStore) -> None:
    """They may hold a key in clear; the error says what to do."""
    vector_store = make_vector_store()
    embedding = SecretEmbedding()
    assert SECRET.encode() in pickle.dumps(embedding)
    for one in (
        make_vector_store(embed_model=embedding),
        MilvusRetriever(vector_store, embedding),
        make_vector_store(embed_model=DenseEmbedding(Letters())),
    ):
        with pytest.raises(InvalidInputError, match="may hold a key"):
            pickle.dumps(one)


def test_a_reranker_of_somebody_else_is_not_pickled() -> None:
    """It may hold a key, and LlamaIndex would leave it out of the pickle without an error."""
    with pytest.raises(InvalidInputError, match="may hold a key"):
        pickle.dumps(Rerank(lambda query, documents, top_k=5: []))


def test_a_pickled_retriever_finds(make_vector_store: MakeVectorStore) -> None:
    """Where it is loaded, it opens the collection again."""
    vector_store = make_vector_store()
    vector_store.add([APPLE])
    retriever = MilvusRetriever(vector_store, mode="sparse", similarity_top_k=1)
    again = pickle.loads(pickle.dumps(retriever))
    assert [one.node_id for one in again.retrieve("apple")] == ["a"]
    assert again.mode == "sparse"
    again.vector_store.close()
