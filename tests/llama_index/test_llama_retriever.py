"""What `MilvusRetriever` promises: every leg, fusion, filters, reranking and thresholds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from llama_index.core import Settings
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import IndexNode, MetadataMode, QueryBundle, TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from hybridge import MilvusStore, ReciprocalRank, Weighted
from hybridge.errors import InvalidInputError
from hybridge.records import RerankResult
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from support.llama_embedding import DIM, WordEmbedding, embed
from support.word_function import WordFunction

TEXTS = {
    "cat": "The cat sleeps on the sofa",
    "dog": "The dog runs in the park",
    "bird": "The bird sings in the morning",
    "fish": "A fish swims in the river",
}


@pytest.fixture
def zoo(vector_store: MilvusVectorStore) -> MilvusVectorStore:
    """A vector store with four animals."""
    vector_store.add(
        [
            TextNode(id_=name, text=text, metadata={"letters": len(name)}, embedding=embed(text))
            for name, text in TEXTS.items()
        ]
    )
    return vector_store


def ids(retriever: MilvusRetriever, query: str | QueryBundle) -> list[str]:
    """The ids that a retriever finds."""
    return [node.node_id for node in retriever.retrieve(query)]


@pytest.mark.parametrize("mode", [None, "dense", "sparse", "hybrid"])
def test_every_mode(zoo: MilvusVectorStore, embedding: WordEmbedding, mode: str | None) -> None:
    """Scores are relevances, those of the store's own search."""
    retriever = MilvusRetriever(zoo, embedding, similarity_top_k=2, mode=mode)  # type: ignore[arg-type]
    found = retriever.retrieve("dog in the park")
    vector = None if mode == "sparse" else embed("dog in the park")
    hits = zoo.client.search("dog in the park", vector=vector, k=2, mode=mode)  # type: ignore[arg-type]
    assert [(one.node_id, one.score) for one in found] == [(hit.id, hit.relevance) for hit in hits]
    assert found[0].node_id == "dog"
    assert embedding.calls == ([] if mode == "sparse" else ["sync"])


def test_async_embeds_async(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """`aretrieve` embeds through the embedding's async methods, in any number of loops."""
    retriever = MilvusRetriever(zoo, embedding)
    for _ in range(2):
        assert asyncio.run(retriever.aretrieve("the cat")) == retriever.retrieve("the cat")
    assert embedding.calls == ["async", "sync", "async", "sync"]


async def test_concurrent_retrieval(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Many questions at once each get their own answer."""
    retriever = MilvusRetriever(zoo, embedding, similarity_top_k=1)
    names = list(TEXTS) * 10
    answers = await asyncio.gather(*(retriever.aretrieve(TEXTS[name]) for name in names))
    assert [found[0].node_id for found in answers] == names


def test_filters_and_expr(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Filters and a raw expression restrict together."""
    three = MetadataFilters(filters=[MetadataFilter(key="letters", value=3)])
    retriever = MilvusRetriever(zoo, embedding, filters=three)
    assert set(ids(retriever, "the animal")) == {"cat", "dog"}
    retriever.expr = 'id != "cat"'
    assert ids(retriever, "the animal") == ["dog"]


def test_fusion(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """The retriever's fusion counts, else the vector store's."""
    query = QueryBundle("dog", embedding=embed(TEXTS["fish"]))
    zoo.fusion = Weighted(1.0)
    assert ids(MilvusRetriever(zoo, embedding), query)[0] == "fish"
    assert ids(MilvusRetriever(zoo, embedding, fusion=Weighted(0.0)), query)[0] == "dog"
    [first, *_] = MilvusRetriever(zoo, embedding, fusion=ReciprocalRank()).retrieve(query)
    [hit, *_] = zoo.client.search(query.query_str, vector=query.embedding, fusion=ReciprocalRank())
    assert (first.node_id, first.score) == ("dog", pytest.approx(hit.relevance, abs=1e-5))
    assert hit.score == pytest.approx(1 / 61 + 1 / 62, abs=1e-3)
    assert embedding.calls == []


def test_fetch_k(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """`fetch_k` is how deep each leg is read."""
    retriever = MilvusRetriever(zoo, embedding, fetch_k={"dense": 1, "sparse": 1}, mode="hybrid")
    query = QueryBundle("dog", embedding=embed(TEXTS["fish"]))
    assert set(ids(retriever, query)) == {"dog", "fish"}


def test_search_params_reach_the_indexes(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Of the retriever, and of a query of the vector store."""
    retriever = MilvusRetriever(zoo, embedding, search_params={"ef": 64}, similarity_top_k=1)
    assert ids(retriever, "cat on the sofa") == ["cat"]
    retriever.search_params = {"dense": {"nprobe": 8}}
    query = VectorStoreQuery(query_embedding=embed(TEXTS["fish"]), similarity_top_k=1)
    for ask in (
        lambda: retriever.retrieve("cat"),
        lambda: zoo.query(query, search_params={"nprobe": 8}),
    ):
        with pytest.raises(InvalidInputError, match=r"'nprobe'.* belongs to no index"):
            ask()


def test_score_threshold(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """Nodes of less relevance are left out."""
    retriever = MilvusRetriever(zoo, embedding, mode="dense")
    scores = [node.score for node in retriever.retrieve("cat on the sofa")]
    assert len(scores) == 4
    retriever.score_threshold = scores[0]
    assert ids(retriever, "cat on the sofa") == ["cat"]


def test_reranker(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """A reranker sees more than k nodes and orders them anew."""
    seen: list[int] = []

    def longest(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        seen.append(len(documents))
        order = sorted(range(len(documents)), key=lambda index: -len(documents[index]))
        return [RerankResult(documents[i], len(documents[i]) / 100, i) for i in order[:top_k]]

    retriever = MilvusRetriever(zoo, embedding, similarity_top_k=1, reranker=longest)
    [best] = retriever.retrieve("the cat")
    assert (best.node_id, best.score) == ("bird", len(TEXTS["bird"]) / 100)
    assert seen == [4]


@pytest.fixture
def settings_embedding() -> Iterator[WordEmbedding]:
    """An embedding in LlamaIndex's Settings."""
    before, Settings._embed_model = Settings._embed_model, WordEmbedding()
    yield Settings._embed_model
    Settings._embed_model = before


def test_the_embedding_of_settings(
    zoo: MilvusVectorStore, settings_embedding: WordEmbedding
) -> None:
    """Without an embedding of its own the retriever takes that of Settings."""
    assert ids(MilvusRetriever(zoo, similarity_top_k=1), "dog in the park") == ["dog"]
    assert settings_embedding.calls == ["sync"]


def test_the_store_s_own_dense_function(
    make_vector_store: Callable[..., MilvusVectorStore], path: str
) -> None:
    """A store with a dense function embeds nodes and queries by itself."""
    vector_store = make_vector_store(store=MilvusStore(path, dense=WordFunction()))
    vector_store.add([TextNode(id_=name, text=text) for name, text in TEXTS.items()])
    for mode in ("dense", "hybrid"):
        retriever = MilvusRetriever(vector_store, mode=mode, similarity_top_k=1)  # type: ignore[arg-type]
        assert ids(retriever, "dog in the park") == ["dog"]
    assert vector_store.client.get(["dog"], with_vectors=True)[0].dense.shape == (DIM,)  # type: ignore[union-attr]


def test_bad_arguments(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """An unknown mode or k < 1 is refused."""
    for arguments in ({"mode": "fuzzy"}, {"similarity_top_k": 0}):
        with pytest.raises(InvalidInputError):
            MilvusRetriever(zoo, embedding, **arguments).retrieve("cat")  # type: ignore[arg-type]


def test_in_a_query_engine(zoo: MilvusVectorStore, embedding: WordEmbedding) -> None:
    """The retriever serves a query engine; IndexNodes are followed to what they stand for."""
    target = TextNode(id_="target", text="The lion roars")
    zoo.add([IndexNode(id_="i", text="lion", index_id="x", obj=target, embedding=embed("lion"))])
    retriever = MilvusRetriever(zoo, embedding, similarity_top_k=1)
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())
    assert "The lion roars" in str(engine.query("lion"))


def test_nodes_say_how_each_field_scored_them_on_request(
    zoo: MilvusVectorStore, embedding: WordEmbedding
) -> None:
    """In metadata that neither embeddings nor prompts see; a query's nodes likewise."""
    [plain] = MilvusRetriever(zoo, embedding, similarity_top_k=1).retrieve("dog")
    [told] = MilvusRetriever(zoo, embedding, similarity_top_k=1, with_scores=True).retrieve("dog")
    [hit] = zoo.client.search("dog", vector=embed("dog"), k=1)
    scores = told.node.metadata["scores"]
    assert scores["sparse"] == hit.scores["sparse"]._asdict()
    assert told.score == pytest.approx(np.mean([one["relevance"] for one in scores.values()]))
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        assert told.node.get_content(mode) == plain.node.get_content(mode)
    hybrid = VectorStoreQueryMode.HYBRID
    query = VectorStoreQuery(embed("dog"), similarity_top_k=1, query_str="dog", mode=hybrid)
    [node] = zoo.query(query, with_scores=True).nodes or []
    assert node.metadata["scores"].keys() == scores.keys()
