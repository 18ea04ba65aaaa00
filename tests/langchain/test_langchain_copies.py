"""Copies of the adapter's objects share the store; pickles hold no secret of anybody."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from threading import Lock

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from pydantic import SecretStr

from hybridge import RerankResult
from hybridge.errors import InvalidInputError
from langchain_hybridge import MilvusRetriever, MilvusVectorStore, Rerank

SECRET = "a-key-that-nobody-may-see"


class SecretEmbeddings(DeterministicFakeEmbedding):
    """Embeddings that hold a key as those of providers do: a pickle shows it."""

    key: SecretStr = SecretStr(SECRET)


def test_deep_copies_share_the_store(tmp_path: Path) -> None:
    """Vector store and retrievers; the embeddings are the same object."""
    embeddings = SecretEmbeddings(size=8)
    with MilvusVectorStore(embeddings, uri=tmp_path / "milvus.db") as store:
        store.add_texts(["apple"], ids=["a"])
        copied = copy.deepcopy(store)
        assert copied.embeddings is embeddings
        assert [one.id for one in copied.similarity_search("apple")] == ["a"]
        own = MilvusRetriever(vectorstore=store, k=1)
        for retriever in (own, store.as_retriever()):
            for again in (copy.deepcopy(retriever), retriever.model_copy(deep=True)):
                assert [one.id for one in again.invoke("apple")] == ["a"]
        assert SECRET.encode() in pickle.dumps(embeddings)
        for one in (store, own, store.as_retriever()):
            with pytest.raises(InvalidInputError, match="may hold a key"):
                pickle.dumps(one)


def test_pickles_open_the_same_collection(tmp_path: Path) -> None:
    """Without embeddings of another library they can be pickled."""
    with MilvusVectorStore(uri=tmp_path / "milvus.db", k=1) as store:
        store.add_texts(["apple", "apple pie"], ids=["a", "b"])
        for one in (MilvusRetriever(vectorstore=store), store.as_retriever()):
            again = pickle.loads(pickle.dumps(one))
            assert [found.id for found in again.invoke("apple")] == ["a"]
            again.vectorstore.close()


class Locked:
    """A reranker that cannot be copied, and may hold a key."""

    def __init__(self) -> None:
        self.lock = Lock()

    def __call__(self, query: str, documents: list[str], top_k: int = 5) -> list[RerankResult]:
        """The documents as they are."""
        return [RerankResult(text, 0.5, place) for place, text in enumerate(documents[:top_k])]


def test_copies_share_what_a_retriever_holds_and_pickles_refuse_it(tmp_path: Path) -> None:
    """A reranker of somebody else, wherever it was given, and functions without a name."""
    with MilvusVectorStore(uri=tmp_path / "milvus.db", k=1) as store:
        store.add_texts(["apple"], ids=["a"])
        reranker = Locked()
        for retriever in (
            MilvusRetriever(vectorstore=store, reranker=reranker),
            MilvusRetriever(vectorstore=store, reranker=Rerank(reranker)),
            store.as_retriever(search_kwargs={"reranker": reranker}),
        ):
            for again in (copy.deepcopy(retriever), retriever.model_copy(deep=True)):
                assert [one.id for one in again.invoke("apple")] == ["a"]
            with pytest.raises(InvalidInputError, match="may hold a key"):
                pickle.dumps(retriever)
        with pytest.raises(InvalidInputError, match="may hold a key"):
            pickle.dumps(Rerank(reranker))
        for arguments in (
            {"relevance_score_fn": lambda score: score},
            {"metadata_encoder": lambda value: value},
        ):
            other = MilvusVectorStore(uri=tmp_path / "milvus.db", **arguments)  # type: ignore[arg-type]
            assert copy.deepcopy(other).similarity_search("apple")[0].id == "a"
            with pytest.raises(InvalidInputError, match="at the top of a module"):
                pickle.dumps(other)
            other.close()
