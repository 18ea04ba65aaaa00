"""What a search promises: fields, modes, scores, fusion, filters, reranking, vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from hybridge import (
    BM25EmbeddingFunction,
    F,
    Hit,
    MilvusStore,
    ReciprocalRank,
    Record,
    RerankResult,
    Weighted,
)
from hybridge.errors import EngineError, InvalidInputError
from hybridge.records import FieldScore

MakeStore = Callable[..., MilvusStore]


class Letters:
    """A dense function that counts letters: deterministic, and alike texts are near."""

    dim = 26

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        rows = [[text.lower().count(chr(97 + i)) + 0.01 for i in range(26)] for text in documents]
        return np.array(rows, np.float32).reshape(len(documents), 26)

    encode_queries = encode_documents


TEXTS = {
    "fox": "The quick brown fox jumps over the lazy dog",
    "box": "Pack my box with five dozen liquor jugs",
    "zebra": "How vexingly quick daft zebras jump",
    "sphinx": "Sphinx of black quartz, judge my vow",
}


@pytest.fixture
def animals(make_store: MakeStore) -> MilvusStore:
    """A store with both fields and four rows."""
    store = make_store(dense=Letters())
    store.add(
        Record(id=id, text=text, metadata={"n": n}) for n, (id, text) in enumerate(TEXTS.items())
    )
    return store


def ids(hits: Sequence[Hit]) -> list[str]:
    """The ids of hits, in order."""
    return [hit.id for hit in hits]


def test_the_mode_follows_from_what_is_given(animals: MilvusStore) -> None:
    """A vector alone is dense, a text with a dense function is hybrid, each mode can be asked."""
    vector = Letters().encode_queries(["zebra"])[0]
    assert {name for hit in animals.search(vector=vector) for name in hit.scores} == {"dense"}
    assert {name for hit in animals.search("zebras") for name in hit.scores} == {"dense", "sparse"}
    assert ids(animals.search("zebras", mode="sparse")) == ["zebra"]
    assert ids(animals.search(TEXTS["box"], mode="dense"))[0] == "box"


def test_a_text_without_a_dense_function_is_sparse(make_store: MakeStore) -> None:
    """BM25 alone needs no model."""
    store = make_store()
    store.add([Record(id="a", text="one thing"), Record(id="b", text="another matter")])
    assert ids(store.search("matter")) == ["b"]


def test_hits_carry_everything(animals: MilvusStore) -> None:
    """Text, metadata, score, relevance, and the score, rank and relevance of each field."""
    [hit] = animals.search("zebras", mode="sparse")
    assert (hit.text, hit.metadata) == (TEXTS["zebra"], {"n": 2})
    assert hit.scores == {"sparse": FieldScore(hit.score, 1, hit.relevance)}
    assert 0 < hit.relevance < 1
    assert hit.dense is None
    [hit] = animals.search("zebras", mode="sparse", with_vectors=True)
    assert hit.dense is not None
    assert hit.dense.dtype == np.float32
    assert hit.dense == pytest.approx(Letters().encode_documents([TEXTS["zebra"]])[0])
    assert hit.sparse


def test_dense_scores_are_cosines(animals: MilvusStore) -> None:
    """The score of the dense field is the cosine, and so is its relevance."""
    vectors = Letters().encode_documents(list(TEXTS.values()))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    hits = animals.search(vector=vectors[0], k=4)
    expected = dict(zip(TEXTS, units @ units[0], strict=True))
    assert {hit.id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-6)
    assert [hit.relevance for hit in hits] == pytest.approx([hit.score for hit in hits])


def test_search_many_is_search_for_each(animals: MilvusStore) -> None:
    """Several queries in one call give what each gives alone, those that find nothing included."""
    queries = ["zebras jump", "", "xyzzy", "quick"]
    for mode in ("dense", "sparse", "hybrid"):
        many = animals.search_many(queries, mode=mode)  # type: ignore[arg-type]
        for hits, query in zip(many, queries, strict=True):
            alone = animals.search(query, mode=mode)  # type: ignore[arg-type]
            assert ids(hits) == ids(alone)
            assert [h.score for h in hits] == pytest.approx([h.score for h in alone], abs=1e-4)
    assert animals.search_many([]) == []


@pytest.mark.parametrize("fusion", [None, ReciprocalRank(), Weighted(dense=0.2)])
def test_hybrid_finds_what_either_field_finds(animals: MilvusStore, fusion: object) -> None:
    """Every fusion returns rows of both fields, best first, with the scores of each."""
    hits = animals.search("quick zebras", k=4, fusion=fusion)  # type: ignore[arg-type]
    assert ids(hits)[0] == "zebra"
    assert len(hits) == 4
    assert set(hits[0].scores) == {"dense", "sparse"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize("fusion", ["milvus-rrf", "milvus-weighted"])
def test_milvus_can_fuse(animals: MilvusStore, fusion: str) -> None:
    """Milvus's own rankers work, again and again, and obey filters."""
    for _ in range(2):
        assert ids(animals.search("quick zebras", fusion=fusion))[0] == "zebra"
        assert ids(animals.search("quick zebras", fusion=fusion, filter={"n": 0})) == ["fox"]
    assert animals.search("quick", fusion=fusion, filter={"n": 99}) == []


def test_k_hits_come_back_whenever_k_rows_match(make_store: MakeStore) -> None:
    """A filter never leaves fewer hits than there are rows, in any mode and any spelling."""
    store = make_store(dense=Letters(), metadata_schema={"column": int})
    store.add(
        Record(id=str(i), text=f"word {i}", metadata={"column": i % 10, "json": i % 10})
        for i in range(300)
    )
    for wanted in (
        {"column": 3},
        {"json": 3},
        F("json") == 3,
        (F("column") == 3) & (F("json") > 2),
    ):
        for mode in ("dense", "sparse", "hybrid"):
            hits = store.search("word", k=30, mode=mode, filter=wanted)  # type: ignore[arg-type]
            assert len(hits) == 30
            assert all(hit.metadata["json"] == 3 for hit in hits)


def test_expr_is_a_raw_expression_and_joins_the_filter(animals: MilvusStore) -> None:
    """expr= and filter= must both hold."""
    assert sorted(ids(animals.search("quick", expr='id != "fox"', k=9, mode="dense"))) == [
        "box", "sphinx", "zebra",
    ]  # fmt: skip
    assert ids(animals.search("quick", expr='id != "fox" or id == "fox"', filter={"n": 0})) == [
        "fox"
    ]
    assert animals.count({"n": 0}, expr='id != "fox"') == 0


def test_a_broken_expression_is_an_error(animals: MilvusStore) -> None:
    """Never an empty result."""
    with pytest.raises(EngineError, match="n ==="):
        animals.search("quick", expr="n === 3")


def test_a_reranker_orders_the_first_hits_anew(animals: MilvusStore) -> None:
    """It sees up to max(20, 4 k) hits; its score and rank join those of the fields."""
    seen: list[int] = []

    def longest_first(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        seen.append(len(documents))
        order = sorted(range(len(documents)), key=lambda i: -len(documents[i]))[:top_k]
        return [RerankResult(documents[i], float(len(documents[i])), i) for i in order]

    hits = animals.search("quick", k=2, reranker=longest_first)
    assert ids(hits) == ["fox", "box"]
    assert hits[0].scores["rerank"] == FieldScore(float(len(TEXTS["fox"])), 1, hits[0].relevance)
    assert hits[0].score == len(TEXTS["fox"])
    assert 0 <= hits[0].relevance <= 1
    assert seen == [4]
    assert animals.search("quick", reranker=longest_first, filter={"n": 99}) == []


def test_a_reranker_that_names_no_hit_is_an_error(animals: MilvusStore) -> None:
    """A place outside the documents, or one twice, is never used."""
    for places in ([9], [0, 0]):
        with pytest.raises(InvalidInputError, match="places"):
            animals.search(
                "quick",
                reranker=lambda q, d, top_k=5, p=places: [RerankResult("x", 1.0, i) for i in p],
            )


def test_a_reranker_whose_score_is_no_number_is_an_error(animals: MilvusStore) -> None:
    """NaN and infinity order nothing."""
    for score in (float("nan"), float("inf")):
        with pytest.raises(InvalidInputError, match="score"):
            animals.search(
                "quick", reranker=lambda q, d, top_k=5, s=score: [RerankResult(d[0], s, 0)]
            )


def test_mmr_returns_unlike_hits(make_store: MakeStore) -> None:
    """A near-copy of the best hit gives way, in dense and in hybrid mode."""
    store = make_store(dense=Letters())
    store.add(
        [
            Record(id="a", text="aaaa bbbb"),
            Record(id="copy", text="aaaa bbbb b"),
            Record(id="other", text="aaaa zz zz"),
        ]
    )
    assert ids(store.search("aaaa bbbb", mode="dense", k=2)) == ["a", "copy"]
    for mode in ("dense", "hybrid"):
        hits = store.search_mmr("aaaa bbbb", k=2, balance=0.3, mode=mode)  # type: ignore[arg-type]
        assert ids(hits) == ["a", "other"]


def test_mmr_without_dense_vectors_is_refused(store: MilvusStore) -> None:
    """There is nothing to compare."""
    store.add([Record(text="a word")])
    with pytest.raises(InvalidInputError, match="dense vectors"):
        store.search_mmr("word")


def test_a_document_without_any_term_keeps_its_row(store: MilvusStore) -> None:
    """No text at all, or stop words only, which are found by queries of nothing else."""
    store.add([Record(id="empty", text=""), Record(id="the", text="the and of")])
    assert store.count() == 2
    assert ids(store.search("the and of", mode="sparse")) == ["the"]
    assert store.search("the word", mode="sparse") == []
    assert store.get(["empty"])[0].text == ""


def test_bm25_ranks_right_after_every_change(make_store: MakeStore) -> None:
    """After adds, overwrites, deletes and reopening, scores are those of a store built afresh."""
    store = make_store()
    store.add(Record(id=str(i), text=f"common word{i % 7} " + "filler " * 5) for i in range(60))
    store.add(
        Record(id=str(i), text=f"changed word{i % 3} text " + "filler " * 4) for i in range(20)
    )
    store.delete(ids=[str(i) for i in range(0, 60, 5)])
    live = list(store.scroll())
    store.close()
    store = make_store()
    fresh = make_store(collection_name="fresh")
    fresh.add(live)
    for query in ("common", "word3", "changed word1", "filler text word0"):
        expected = {hit.id: hit.score for hit in fresh.search(query, k=60)}
        assert {hit.id: hit.score for hit in store.search(query, k=60)} == pytest.approx(
            expected, rel=1e-5
        )


def test_a_fitted_function_stays_as_it_is(make_store: MakeStore) -> None:
    """A fitted BM25 is a static sparse function: its vocabulary and scores are its own."""
    bm25 = BM25EmbeddingFunction("en", ["the red house", "the blue boat"])
    store = make_store(sparse=bm25)
    store.add([Record(id="house", text="a house"), Record(id="new", text="a skyscraper")])
    assert ids(store.search("house")) == ["house"]
    assert store.search("skyscraper") == []


def test_an_unfitted_function_donates_its_settings(make_store: MakeStore) -> None:
    """Its analyzer and parameters become those of the store's own BM25."""
    store = make_store(sparse=BM25EmbeddingFunction(str.split, k1=0.9, idf="okapi"))
    store.add([Record(id="a", text="The The house"), Record(id="b", text="boat"), Record(text="c")])
    assert ids(store.search("The")) == ["a"]


def test_records_may_bring_their_sparse_vectors(make_store: MakeStore) -> None:
    """With a function of the user's own, vectors from outside are stored as given."""
    bm25 = BM25EmbeddingFunction("en", ["red house", "blue boat"])
    store = make_store(sparse=bm25)
    store.add([Record(id="a", text="whatever", sparse={bm25.dim - 1: 2.0})])
    assert store.get(["a"], with_vectors=True)[0].sparse == {bm25.dim - 1: 2.0}


def test_functions_may_be_named(make_store: MakeStore) -> None:
    """A name stands for its function; an unknown one lists those that are known."""
    store = make_store(dense="sentence-transformers/all-MiniLM-L6-v2", sparse="bm25:en")
    store.add([Record(id="parrot", text="Parrots learn to speak."), Record(text="An invoice.")])
    assert ids(store.search("talking birds", k=1, mode="dense")) == ["parrot"]
    with pytest.raises(InvalidInputError, match="known are"):
        make_store(dense="all-MiniLM-L6-v2")


def test_an_expression_on_a_metadata_key_says_where_that_belongs(animals: MilvusStore) -> None:
    """Not the name of a column that looks like it, such as a vector's."""
    for call in (
        lambda: animals.search("zebras", expr="page == 3"),
        lambda: animals.delete(expr="page == 3"),
        lambda: animals.count(expr="page == 3"),
        lambda: list(animals.scroll(expr="page == 3")),
    ):
        with pytest.raises(EngineError, match=r"'page'.*filter=") as error:
            call()
        assert "sparse" not in str(error.value)
