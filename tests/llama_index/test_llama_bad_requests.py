"""Nothing is embedded, which may cost money, before a request is checked; nor by another model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge import HybridgeError, MilvusStore, Record, Weighted
from hybridge.errors import CollectionMismatchError
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.llama_embedding import WordEmbedding

TEXTS = {"cat": "The cat sleeps on the sofa", "dog": "The dog runs in the park"}
BAD_FILTER = MetadataFilters(filters=[MetadataFilter(key="legs", value=4, operator="in")])
BAD: dict[str, dict[str, Any]] = {
    "k=0": {"similarity_top_k": 0},
    "bad filter": {"filters": BAD_FILTER},
    "no filter": {"filters": {"legs": 4}},
    "bad expression": {"expr": "(legs"},
    "bad mode": {"mode": "fuzzy"},
    "bad mode list": {"mode": ["dense", "fuzzy"]},
    "bad fusion": {"fusion": "rrf"},
    "no weight": {"fusion": Weighted({"title": 1.0})},
    "bad fetch_k": {"fetch_k": 0},
    "bad threshold": {"score_threshold": "high"},
}


@pytest.fixture
def model() -> WordEmbedding:
    """An embedding that notes its calls."""
    return WordEmbedding()


@pytest.fixture
def zoo(make_vector_store: Callable[..., MilvusVectorStore], model: WordEmbedding) -> Any:
    """A vector store that embeds by itself, with two animals."""
    made = make_vector_store(embed_model=model)
    made.add([TextNode(id_=name, text=text) for name, text in TEXTS.items()])
    model.calls.clear()
    return made


@pytest.mark.parametrize("options", BAD.values(), ids=BAD)
@pytest.mark.parametrize("own", [True, False], ids=["of the store", "of the retriever"])
async def test_a_bad_request_embeds_nothing(
    zoo: MilvusVectorStore, model: WordEmbedding, options: dict[str, Any], own: bool
) -> None:
    """Whoever has the embedding, sync and async."""
    given = {"mode": "hybrid", **options}
    retriever = MilvusRetriever(zoo, None if own else model, **given)
    with pytest.raises(HybridgeError):
        retriever.retrieve("cat")
    with pytest.raises(HybridgeError):
        await retriever.aretrieve("cat")
    assert model.calls == []


def test_a_retriever_takes_only_rerankers_and_options_that_there_are(
    zoo: MilvusVectorStore,
) -> None:
    """At once."""
    with pytest.raises(HybridgeError):
        MilvusRetriever(zoo, reranker=3)  # type: ignore[arg-type]
    with pytest.raises(HybridgeError, match="top_k"):
        MilvusRetriever(zoo, top_k=3)


@pytest.mark.parametrize(
    "options",
    [
        {"similarity_top_k": 0}, {"filters": BAD_FILTER}, {"mode": "svm"}, {"mode": "fuzzy"},
        {"output_fields": ["x"]}, {"embedding_field": "nope"}, {"query_embedding": [1.0]},
        {"alpha": 7.0}, {"sparse_top_k": 0}, {"hybrid_top_k": -1},
        {"mode": VectorStoreQueryMode.SEMANTIC_HYBRID}, {"mode": np.ones(3)},
    ],
    ids=str,
)  # fmt: skip
async def test_a_bad_query_embeds_nothing(
    zoo: MilvusVectorStore, model: WordEmbedding, options: dict[str, Any]
) -> None:
    """A query without an embedding is embedded by the vector store: once it is checked."""
    query = VectorStoreQuery(**{"query_str": "cat", "mode": VectorStoreQueryMode.HYBRID, **options})
    with pytest.raises(HybridgeError):
        zoo.query(query)
    with pytest.raises(HybridgeError):
        await zoo.aquery(query)
    assert model.calls == []


async def test_neither_an_empty_store_nor_a_closed_one_embeds(
    make_vector_store: Callable[..., MilvusVectorStore], model: WordEmbedding
) -> None:
    """Before the first write there is nothing to find; after closing there is an error."""
    vector_store = make_vector_store()
    retriever = MilvusRetriever(vector_store, model)
    assert retriever.retrieve("cat") == await retriever.aretrieve("cat") == []
    vector_store.close()
    with pytest.raises(HybridgeError, match="closed"):
        retriever.retrieve("cat")
    with pytest.raises(HybridgeError, match="closed"):
        await retriever.aretrieve("cat")
    assert model.calls == []


async def test_bad_nodes_embed_nothing(
    make_vector_store: Callable[..., MilvusVectorStore], model: WordEmbedding
) -> None:
    """A list is checked as a whole first."""
    vector_store = make_vector_store(embed_model=model)
    bad = TextNode(text="b", metadata={"when": object()})
    for nodes in ([TextNode(text="a"), bad], [TextNode(text="a"), "b"], [TextNode(id_="x" * 600)]):
        given: Any = nodes
        with pytest.raises(HybridgeError):
            vector_store.add(given)
        with pytest.raises(HybridgeError):
            await vector_store.async_add(given)
    assert model.calls == []
    assert not vector_store.client.exists()


class OtherEmbedding(WordEmbedding):
    """Another model, whose vectors are as long."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return super()._get_query_embedding(query)[::-1]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


async def test_another_model_of_the_same_length_is_refused(
    zoo: MilvusVectorStore, make_vector_store: Callable[..., MilvusVectorStore]
) -> None:
    """Through the vector store and the retriever; another object of the model is welcome."""
    other = OtherEmbedding(model_name="other")
    plain = make_vector_store()
    mixed = make_vector_store(embed_model=other)
    calls: list[Callable[[], Any]] = [
        lambda: MilvusRetriever(plain, other).retrieve("cat"),
        lambda: MilvusRetriever(mixed).retrieve("cat"),
        lambda: mixed.query(VectorStoreQuery(query_str="cat")),
        lambda: mixed.add([TextNode(text="a horse")]),
    ]
    for call in calls:
        with pytest.raises(CollectionMismatchError, match="'other' is a different model"):
            call()
    awaited: list[Callable[[], Any]] = [
        lambda: MilvusRetriever(plain, other).aretrieve("cat"),
        lambda: mixed.aquery(VectorStoreQuery(query_str="cat")),
        lambda: mixed.async_add([TextNode(text="a horse")]),
    ]
    for make in awaited:
        with pytest.raises(CollectionMismatchError, match="'other' is a different model"):
            await make()
    assert len(zoo.get_nodes()) == 2
    [found] = MilvusRetriever(plain, WordEmbedding(), similarity_top_k=1).retrieve("the cat sleeps")
    assert found.node_id == "cat"


def test_a_collection_without_vectors_needs_no_model(
    make_vector_store: Callable[..., MilvusVectorStore],
    model: WordEmbedding,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is searched by BM25; an embedding that is given is not used, which is said once."""
    with MilvusStore(path) as store:
        store.add(map(record, TEXTS))
    for retriever in (
        MilvusRetriever(make_vector_store()),
        MilvusRetriever(make_vector_store(), model),
        MilvusRetriever(make_vector_store(embed_model=model)),
    ):
        assert [found.node_id for found in retriever.retrieve("cat")] == ["cat"]
        assert [found.node_id for found in retriever.retrieve("dog")] == ["dog"]
    assert model.calls == []
    said = [one.message for one in caplog.records if "no dense vectors" in one.message]
    assert len(said) == 1


def record(name: str) -> Record:
    """One of the animals, as core has it."""
    return Record(id=name, text=TEXTS[name])
