"""What the search methods of `MilvusVectorStore` promise: modes, scores, options, diversity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from langchain_core.documents import Document
from langchain_core.structured_query import Comparator, Comparison, StructuredQuery

from hybridge import F, ReciprocalRank, RerankResult, Weighted
from hybridge.errors import EngineError, FilterError, InvalidInputError
from langchain_hybridge import MilvusVectorStore, Rerank
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids, vector

Mode = Literal["dense", "sparse", "hybrid"]
MODES: tuple[Mode, ...] = ("dense", "sparse", "hybrid")

Scored = list[tuple[Document, float]]


def scored(found: Scored) -> list[tuple[str | None, float]]:
    """Return ids and scores."""
    return [(document.id, score) for document, score in found]


def shortest_first(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
    """A rerank function that likes short texts."""
    order = sorted(range(len(documents)), key=lambda i: len(documents[i]))
    return [RerankResult(documents[i], -float(len(documents[i])), i) for i in order[:top_k]]


# --- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_answers(animals: MilvusVectorStore, mode: Mode) -> None:
    """Dense, sparse and hybrid, with the best document first."""
    assert ids(animals.similarity_search("the dog in the park", k=2, mode=mode))[0] == "dog"


def test_hybrid_is_the_default_and_can_be_asked_for_again_and_again(
    animals: MilvusVectorStore,
) -> None:
    """Both legs find and rank each document, on every search."""
    for _ in range(3):
        [found] = animals.similarity_search("sofa", k=1, with_scores=True)
        assert set(found.metadata["scores"]) == {"dense", "sparse"}


def test_k_documents_come_back_whatever_the_mode(empty: MilvusVectorStore) -> None:
    """As many as were asked for, if there are as many."""
    empty.add_texts([f"common word {n}" for n in range(150)])
    for mode in MODES:
        assert len(empty.similarity_search("common", k=120, mode=mode)) == 120


def test_the_constructor_says_what_a_search_leaves_out(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """`k` and `mode` are defaults; None in a call means them too."""
    vector_store = make_vector_store(embeddings, mode="sparse", k=1, fetch_k=7, fusion="milvus-rrf")
    vector_store.add_documents(ANIMALS)
    embeddings.calls.clear()
    assert ids(vector_store.similarity_search("the cat")) == ["cat"]
    assert ids(vector_store.similarity_search("the cat", None, mode=None)) == ["cat"]
    assert len(vector_store.similarity_search_with_relevance_scores("the cat")) == 1
    assert embeddings.calls == []  # sparse search needs no vector
    assert len(vector_store.similarity_search("the cat", k=3, mode="hybrid")) == 3


@pytest.mark.parametrize("fusion", [Weighted(dense=1.0), ReciprocalRank(k=1), "milvus-rrf"])
def test_fusion_can_be_chosen(animals: MilvusVectorStore, fusion: Any) -> None:
    """Core's, or Milvus's own."""
    found = animals.similarity_search_with_score("a cat sleeps", k=2, fusion=fusion)
    assert found[0][0].id == "cat"
    assert found[0][1] > found[1][1]


def test_fetch_k_is_how_deep_a_leg_is_read(animals: MilvusVectorStore) -> None:
    """A leg read to depth 1 ranks one document, the other leg its own."""
    question = "the cat sleeps in the park"
    shallow = animals.similarity_search(
        question, k=1, mode="hybrid", with_scores=True, fetch_k={"dense": 1, "sparse": 4}
    )
    [document] = shallow
    assert document.metadata["scores"]["dense"]["rank"] == 1


# --- scores --------------------------------------------------------------------------------------


def test_scores_are_higher_for_better_documents(animals: MilvusVectorStore) -> None:
    """Cosines, BM25 sums and fused scores alike."""
    for mode in MODES:
        scores = [
            s for _, s in animals.similarity_search_with_score("dog, bird, fish or cat", mode=mode)
        ]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 4


def test_dense_scores_are_cosines(animals: MilvusVectorStore) -> None:
    """Of a text with itself it is 1, and relevance is the same number."""
    text = ANIMALS[0].page_content
    [(document, score)] = animals.similarity_search_with_score(text, k=1, mode="dense")
    [(_, relevance)] = animals.similarity_search_with_relevance_scores(text, k=1, mode="dense")
    assert document.id == "cat"
    assert score == pytest.approx(1.0, abs=1e-5)
    assert relevance == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_relevances_lie_in_0_to_1_in_every_mode(animals: MilvusVectorStore, mode: Mode) -> None:
    """In the order of the scores; `score_threshold` keeps those that reach it."""
    found = animals.similarity_search_with_relevance_scores("dog, bird, fish or cat", mode=mode)
    relevances = [relevance for _, relevance in found]
    assert len(found) == 4
    assert all(0 <= relevance <= 1 for relevance in relevances)
    assert relevances == sorted(relevances, reverse=True)
    threshold = relevances[1]
    assert scored(
        animals.similarity_search_with_relevance_scores(
            "dog, bird, fish or cat", mode=mode, score_threshold=threshold
        )
    ) == [pair for pair in scored(found) if pair[1] >= threshold]


def test_relevance_is_right_after_reopening(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """It comes from the metric that the collection has, whoever opens it."""
    before = scored(animals.similarity_search_with_relevance_scores("cat park", mode="dense"))
    animals.close()
    again = make_vector_store(embeddings)
    after = scored(again.similarity_search_with_relevance_scores("cat park", mode="dense"))
    assert [row for row, _ in after] == [row for row, _ in before]
    assert [score for _, score in after] == pytest.approx([score for _, score in before])


def test_scores_and_ranks_land_in_metadata_on_request_only(animals: MilvusVectorStore) -> None:
    """The score, the relevance, and each leg's score and rank."""
    [plain] = animals.similarity_search("the cat sleeps", k=1)
    assert plain.metadata == {"legs": 4}
    [(told, score)] = animals.similarity_search_with_score("the cat sleeps", k=1, with_scores=True)
    assert told.metadata["legs"] == 4
    assert told.metadata["score"] == score
    legs = [one["relevance"] for one in told.metadata["scores"].values()]
    assert told.metadata["relevance_score"] == pytest.approx(sum(legs) / 2)
    assert told.metadata["scores"]["sparse"]["rank"] == 1
    assert told.metadata["scores"]["dense"]["score"] > 0
    assert animals.get_by_ids(["cat"])[0].metadata == {"legs": 4}


def test_vectors_come_back_on_request_only(animals: MilvusVectorStore) -> None:
    """The dense vector, as it was stored."""
    [document] = animals.similarity_search("cat", k=1, with_vectors=True)
    assert document.metadata["vector"] == pytest.approx(vector(document.page_content))


# --- by vector -----------------------------------------------------------------------------------


def test_a_vector_is_searched_for_densely(
    animals: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """The same documents and scores as by text, and nothing is embedded."""
    wanted = scored(animals.similarity_search_with_score("the dog", mode="dense"))
    embeddings.calls.clear()
    found = animals.similarity_search_with_score_by_vector(vector("the dog"))
    assert scored(found) == wanted
    assert ids(animals.similarity_search_by_vector(vector("the dog"))) == [i for i, _ in wanted]
    assert embeddings.calls == []


def test_a_vector_with_its_text_is_searched_for_in_both_legs(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """Also where hybrid is the default; without the text the search is dense."""
    vector_store = make_vector_store(embeddings, mode="hybrid")
    vector_store.add_documents(ANIMALS)
    by_text = vector_store.similarity_search_with_score("the dog")
    by_both = vector_store.similarity_search_with_score_by_vector(
        vector("the dog"), query="the dog"
    )
    assert scored(by_both) == scored(by_text)
    [found] = vector_store.similarity_search_by_vector(vector("the dog"), k=1, with_scores=True)
    assert set(found.metadata["scores"]) == {"dense"}


# --- filters and errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        {"legs": {"$gte": 4}},
        F("legs") >= 4,
        Comparison(Comparator.GTE, "legs", 4),
        StructuredQuery("", Comparison(Comparator.GTE, "legs", 4)),
    ],
)
def test_filters_in_every_spelling(animals: MilvusVectorStore, wanted: Any) -> None:
    """A dictionary, a tree, or a part of a structured query, in every method."""
    assert set(ids(animals.similarity_search("the bird", filter=wanted))) == {"cat", "dog"}
    unlike = animals.max_marginal_relevance_search("the bird", filter=wanted)
    assert set(ids(unlike)) == {"cat", "dog"}
    assert set(ids(animals.scroll(wanted))) == {"cat", "dog"}


def test_an_expression_joins_the_filter(animals: MilvusVectorStore) -> None:
    """Both must hold."""
    found = animals.similarity_search("the", filter={"legs": 4}, expr='id != "cat"')
    assert ids(found) == ["dog"]


def test_what_is_no_filter_or_expression_is_an_error(animals: MilvusVectorStore) -> None:
    """Never an empty list."""
    with pytest.raises(FilterError, match="is not a filter"):
        animals.similarity_search("x", filter=lambda document: True)  # type: ignore[arg-type]
    with pytest.raises(EngineError):
        animals.similarity_search("x", expr="legs ==== 4")
    with pytest.raises(InvalidInputError, match="k=0"):
        animals.similarity_search("x", k=0)
    with pytest.raises(InvalidInputError, match="mode='fuzzy'"):
        animals.similarity_search("x", mode="fuzzy")  # type: ignore[arg-type]


def test_a_collection_without_vectors_is_searched_by_bm25(
    make_vector_store: MakeVectorStore,
    embeddings: WordEmbeddings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The embedding is not used, which is said once; asking for vectors is an error."""
    make_vector_store().add_documents(ANIMALS)
    vector_store = make_vector_store(embeddings)
    for _ in range(2):
        assert ids(vector_store.similarity_search("cat")) == ["cat"]
    assert [record.message for record in caplog.records] == [
        "collection 'hybridge' has no dense vectors: its embedding is not used"
    ]
    with pytest.raises(InvalidInputError, match="mode='dense': the collection has no dense"):
        vector_store.similarity_search("cat", mode="dense")
    vector_store.add_texts(["a horse"], ids=["horse"])
    assert ids(vector_store.similarity_search("horse")) == ["horse"]
    assert embeddings.calls == []


def test_a_reranker_orders_the_first_documents_anew(animals: MilvusVectorStore) -> None:
    """A function, or a `Rerank` that holds one."""
    shortest = min(ANIMALS, key=lambda document: len(document.page_content)).id
    for reranker in (shortest_first, Rerank(shortest_first)):
        found = animals.similarity_search_with_score("the animal", k=2, reranker=reranker)
        assert found[0][0].id == shortest
        assert found[0][1] == -float(len(found[0][0].page_content))


# --- maximal marginal relevance ------------------------------------------------------------------


TWINS = ["a cat sleeps here", "a cat sleeps here too", "a cat in a distant garden with roses"]


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_mmr_prefers_documents_unlike_each_other(empty: MilvusVectorStore, mode: Mode) -> None:
    """With lambda 1 it is plain relevance."""
    empty.add_texts(TWINS, ids=["one", "twin", "other"])
    search = empty.max_marginal_relevance_search
    assert ids(search("a cat sleeps here", k=2, lambda_mult=0.1, mode=mode)) == ["one", "other"]
    assert ids(search("a cat sleeps here", k=2, lambda_mult=1.0, mode=mode)) == ["one", "twin"]


def test_mmr_by_vector(empty: MilvusVectorStore, embeddings: WordEmbeddings) -> None:
    """The same by vector, dense, or hybrid with the text; nothing is embedded."""
    empty.add_texts(TWINS, ids=["one", "twin", "other"])
    embeddings.calls.clear()
    search = empty.max_marginal_relevance_search_by_vector
    given = vector("a cat sleeps here")
    assert ids(search(given, k=2, lambda_mult=0.1)) == ["one", "other"]
    assert ids(search(given, k=2, lambda_mult=0.1, query="a cat sleeps here")) == ["one", "other"]
    assert embeddings.calls == []


def test_mmr_chooses_from_fetch_k_documents(empty: MilvusVectorStore) -> None:
    """With fetch_k = k there is nothing to choose from."""
    empty.add_texts(TWINS, ids=["one", "twin", "other"])
    search = empty.max_marginal_relevance_search
    assert ids(search("a cat sleeps here", k=2, fetch_k=2, lambda_mult=0.0, mode="dense")) == [
        "one",
        "twin",
    ]
    with pytest.raises(InvalidInputError, match="lambda"):
        search("a cat", lambda_mult=1.5)


# --- as_retriever --------------------------------------------------------------------------------


def test_as_retriever_with_every_search_type(animals: MilvusVectorStore) -> None:
    """LangChain's own retriever hands its arguments to the methods above."""
    similar = animals.as_retriever(search_kwargs={"k": 1, "filter": {"legs": 2}})
    assert ids(similar.invoke("the cat")) == ["bird"]
    unlike = animals.as_retriever(search_type="mmr", search_kwargs={"k": 2, "fetch_k": 4})
    assert len(unlike.invoke("the cat")) == 2
    above = animals.as_retriever(
        search_type="similarity_score_threshold",
        search_kwargs={"score_threshold": 0.99, "mode": "dense"},
    )
    assert ids(above.invoke(ANIMALS[0].page_content)) == ["cat"]


async def test_as_retriever_async(animals: MilvusVectorStore) -> None:
    """The async methods take the same arguments."""
    for search_type in ("similarity", "mmr"):
        retriever = animals.as_retriever(search_type=search_type, search_kwargs={"k": 1})
        assert ids(await retriever.ainvoke("the cat sleeps")) == ["cat"]
    above = animals.as_retriever(
        search_type="similarity_score_threshold",
        search_kwargs={"score_threshold": 0.99, "mode": "dense"},
    )
    assert ids(await above.ainvoke(ANIMALS[0].page_content)) == ["cat"]
