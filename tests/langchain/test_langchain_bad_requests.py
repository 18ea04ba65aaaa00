"""Nothing is embedded, which may cost money, before a request is checked; nor by another model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridge import HybridgeError, Weighted
from hybridge.errors import CollectionMismatchError
from langchain_hybridge import MilvusRetriever, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings

BAD: dict[str, dict[str, Any]] = {
    "k=0": {"k": 0},
    "bad filter": {"filter": {"legs": {"$nope": 4}}},
    "bad expression": {"expr": "(legs"},
    "bad mode": {"mode": "fuzzy"},
    "bad mode list": {"mode": ["dense", "fuzzy"]},
    "unknown option": {"filters": {"legs": 4}},
    "bad fusion": {"fusion": "rrf"},
    "no weight": {"fusion": Weighted({"title": 1.0})},
    "bad fetch_k": {"fetch_k": 0},
    "no reranker": {"reranker": 3},
    "no reranker of ours": {"reranker": lambda query, documents: []},
    "bad flag": {"with_vectors": "yes"},
}


@pytest.mark.parametrize("options", BAD.values(), ids=BAD)
async def test_a_bad_request_embeds_nothing(
    animals: MilvusVectorStore, embeddings: WordEmbeddings, options: dict[str, Any]
) -> None:
    """Whichever method it comes through."""
    retriever = MilvusRetriever(vectorstore=animals)
    calls: list[Callable[[], Any]] = [
        lambda: animals.similarity_search("cat", **options),
        lambda: animals.similarity_search_with_score("cat", **options),
        lambda: animals.similarity_search_with_relevance_scores("cat", **options),
        lambda: retriever.invoke("cat", **options),
        lambda: retriever.batch(["cat", "dog"], **options),
    ]
    for call in calls:
        with pytest.raises(HybridgeError):
            call()
    awaited: list[Callable[[], Any]] = [
        lambda: animals.asimilarity_search("cat", **options),
        lambda: animals.asimilarity_search_with_relevance_scores("cat", **options),
        lambda: retriever.ainvoke("cat", **options),
        lambda: retriever.abatch(["cat", "dog"], **options),
    ]
    for make in awaited:
        with pytest.raises(HybridgeError):
            await make()
    assert embeddings.calls == []


async def test_bad_mmr_embeds_nothing(
    animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """The same of maximal marginal relevance."""
    for options in ({"k": 0}, {"lambda_mult": 2.0}, {"fetch_k": -1}, {"mode": "fuzzy"}):
        arguments: dict[str, Any] = dict(options)
        with pytest.raises(HybridgeError):
            animals.max_marginal_relevance_search("cat", **arguments)
        with pytest.raises(HybridgeError):
            await animals.amax_marginal_relevance_search("cat", **arguments)
    assert embeddings.calls == []


async def test_a_wrong_vector_embeds_nothing(
    animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """Of another length, of no numbers, or for a field that is not there."""
    for vector in ([1.0, 2.0], ["a"], {"title": [1.0]}):
        given: Any = vector
        with pytest.raises(HybridgeError):
            animals.similarity_search_by_vector(given, query="cat")
        with pytest.raises(HybridgeError):
            await animals.asimilarity_search_by_vector(given, query="cat")
    assert embeddings.calls == []


async def test_neither_an_empty_store_nor_a_closed_one_embeds(
    empty: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """Before the first write there is nothing to find; after closing there is an error."""
    assert empty.similarity_search("cat") == await empty.asimilarity_search("cat") == []
    assert MilvusRetriever(vectorstore=empty).batch(["cat", "dog"]) == [[], []]
    with pytest.raises(HybridgeError):
        empty.similarity_search("cat", mode="fuzzy")
    empty.close()
    with pytest.raises(HybridgeError, match="closed"):
        empty.similarity_search("cat")
    with pytest.raises(HybridgeError, match="closed"):
        await empty.asimilarity_search("cat")
    with pytest.raises(HybridgeError, match="closed"):
        empty.add_texts(["cat"])
    assert embeddings.calls == []


async def test_bad_texts_embed_nothing(
    empty: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """A batch is checked as a whole first."""
    bad: list[dict[str, Any]] = [
        {"texts": ["a", 7]},
        {"texts": ["a", "b"], "ids": ["x"]},
        {"texts": ["a", "b"], "metadatas": [{}, {"when": object()}]},
        {"texts": ["a"], "ids": ["x" * 600]},
        {"texts": ["a"], "contexts": [3]},
        {"texts": ["a"], "batch_size": 0},
    ]
    for arguments in bad:
        with pytest.raises(HybridgeError):
            empty.add_texts(**arguments)
        with pytest.raises(HybridgeError):
            await empty.aadd_texts(**arguments)
    assert embeddings.calls == []
    assert not empty.store.exists()


class OtherEmbeddings(WordEmbeddings):
    """Another model, whose vectors are as long."""

    model_name = "other"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The same numbers the other way round."""
        return [vector[::-1] for vector in super().embed_documents(texts)]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """The same, awaited."""
        return [vector[::-1] for vector in await super().aembed_documents(texts)]


async def test_another_model_of_the_same_length_is_refused(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore
) -> None:
    """Its vectors would mix with the others, silently; another object of the model is welcome."""
    other = make_vector_store(OtherEmbeddings())
    calls: list[Callable[[], Any]] = [
        lambda: other.similarity_search("cat"),
        lambda: other.add_texts(["a horse"]),
        lambda: MilvusRetriever(vectorstore=other).invoke("cat"),
        lambda: MilvusVectorStore(
            OtherEmbeddings(), store=make_vector_store().store
        ).similarity_search("cat"),
    ]
    for call in calls:
        with pytest.raises(CollectionMismatchError, match="'other' is a different model"):
            call()
    with pytest.raises(CollectionMismatchError, match="'other' is a different model"):
        await other.asimilarity_search("cat")
    with pytest.raises(CollectionMismatchError, match="'other' is a different model"):
        await other.aadd_texts(["a horse"])
    assert other.similarity_search("cat", mode="sparse")[0].id == "cat"
    assert len(list(animals.scroll())) == len(ANIMALS)
    same = make_vector_store(WordEmbeddings())
    assert same.similarity_search("the cat sleeps")[0].id == "cat"
