"""What a relevance promises: it is absolute, so that a threshold means something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from hybridge import (
    ConfidenceWeighted,
    DenseField,
    Hit,
    MilvusStore,
    ReciprocalRank,
    Record,
    RerankResult,
    SparseField,
    Weighted,
)
from hybridge.errors import InvalidInputError
from support.letters import Letters, Noise

MakeStore = Callable[..., MilvusStore]

TEXTS = {
    "apples": "red apples grow in the orchard",
    "pears": "green pears grow in the orchard too",
    "bread": "bread is baked in the village",
    "boats": "boats leave the harbour at dawn",
    "stars": "stars shine over the harbour",
    "bare": "",
}
FUSIONS = [
    ConfidenceWeighted(),
    ReciprocalRank(),
    Weighted(0.3),
    "milvus-rrf",
    "milvus-weighted",
]


class Terms:
    """A learned sparse function in small: each word weighs its length."""

    dim = 1000
    model_name = "terms"

    def encode_documents(self, documents: Sequence[str]) -> list[dict[int, float]]:
        return [{sum(w.encode()) % 997: float(len(w)) for w in text.split()} for text in documents]

    encode_queries = encode_documents


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store with three fields, which no test changes."""
    path = tmp_path_factory.mktemp("relevance") / "relevance.db"
    fields = {"terms": SparseField(Terms())}
    with MilvusStore(path, dense=Letters(26), fields=fields) as store:
        store.add(Record(id=name, text=text) for name, text in TEXTS.items())
        yield store


def by_id(hits: Sequence[Hit]) -> dict[str, float | None]:
    """The relevance of each hit."""
    return {hit.id: hit.relevance for hit in hits}


MODE = ["dense", "sparse", "terms"]
QUERY = "apples from the orchard"


@pytest.mark.parametrize("fusion", FUSIONS, ids=str)
def test_a_relevance_is_the_mean_over_the_fields(texts: MilvusStore, fusion: Any) -> None:
    """Those which each field alone gives the row; 0 where a sparse field does not find it."""
    alone = {name: by_id(texts.search(QUERY, k=9, mode=name)) for name in MODE}
    hits = texts.search(QUERY, k=9, mode=MODE, fusion=fusion)
    assert len(hits) == len(TEXTS)
    for hit in hits:
        expected = [alone[name].get(hit.id, 0.0) for name in MODE]
        assert hit.relevance == pytest.approx(np.mean(expected), abs=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS, ids=str)
def test_a_relevance_does_not_depend_on_what_else_was_found(
    texts: MilvusStore, fusion: Any
) -> None:
    """However deep is read, and however many are asked for, alone or among other queries."""
    whole = by_id(texts.search(QUERY, k=9, mode=MODE))
    some: list[Any] = [
        {"k": 2, "fetch_k": 2},
        {"k": 1, "fetch_k": {"dense": 1, "sparse": 2, "terms": 3}},
        {"k": 3, "with_vectors": True},
        {"k": 9, "filter": {"nothing": {"$exists": False}}},
    ]
    for options in some:
        found = texts.search(QUERY, mode=MODE, fusion=fusion, **options)
        assert by_id(found) == pytest.approx({hit.id: whole[hit.id] for hit in found}, abs=1e-5)
        many = texts.search_many(["dawn", QUERY], mode=MODE, fusion=fusion, **options)[1]
        assert by_id(many) == pytest.approx(by_id(found), abs=1e-5)


def test_milvus_s_own_fusion_has_scores_as_well(texts: MilvusStore) -> None:
    """Of each field, from the row's own vectors; it tells no ranks."""
    alone = texts.search(QUERY, k=1, mode="sparse")[0]
    [hit] = [h for h in texts.search(QUERY, fusion="milvus-rrf") if h.id == alone.id]
    assert hit.scores["sparse"].score == pytest.approx(alone.score, rel=1e-5)
    assert {one.rank for one in hit.scores.values()} == {0}


def test_words_that_nobody_knows_make_a_question_less_covered(texts: MilvusStore) -> None:
    """BM25's relevance is the share of the question that a row covers; its score stays."""
    [known, part] = texts.search_many(["orchard", "orchard zeppelins"], mode="sparse")
    assert [hit.score for hit in part] == pytest.approx([hit.score for hit in known])
    assert known[0].relevance is not None
    assert part[0].relevance is not None
    assert part[0].relevance < known[0].relevance / 2
    assert texts.search("zeppelins", mode="sparse") == []


def test_nothing_in_common_is_0(make_store: MakeStore) -> None:
    """A cosine of 0 and no word that matches."""
    store = make_store(dim=2)
    store.add([Record(id="a", text="apples", dense=np.array([1, 0], np.float32))])
    [hit] = store.search("zeppelins", vector=[0, 1])
    assert hit.relevance == 0.0


def test_a_row_without_a_field_is_judged_by_the_others(make_store: MakeStore) -> None:
    """Whether the field was read to its end or not."""
    fields = {
        "title": DenseField(Letters(8), source="title"),
        "tags": SparseField(Terms(), source="tags"),
    }
    store = make_store(dense=Letters(26), sparse=None, fields=fields)
    titles: list[dict[str, Any]] = [{"title": "apples", "tags": "fruit"}, {}]
    store.add([Record(id=str(n), text="apples", metadata=one) for n, one in enumerate(titles)])
    for depth in (1, 9):
        hits = store.search("fruit", mode=["dense", "title", "tags"], fetch_k=depth, k=1)
        more = store.search("fruit", mode=["dense", "title", "tags"], k=2)
        assert by_id(hits).items() <= by_id(more).items()
    [bare] = [hit for hit in more if hit.id == "1"]
    assert bare.relevance == pytest.approx(bare.scores["dense"].relevance)


def test_an_inner_product_has_a_scale_where_it_is_a_cosine(make_store: MakeStore) -> None:
    """Of unit vectors; of others there is none, and a threshold is refused with the reason."""
    store = make_store(sparse=None, fields={"ip": DenseField(dim=2, metric="IP")})
    store.add([Record(id="a", text="a", vectors={"ip": np.array([0.6, 0.8], np.float32)})])
    assert store.search(vector={"ip": [1, 0]})[0].relevance == pytest.approx(0.6)
    assert store.search(vector={"ip": [3, 0]})[0].relevance is None
    with pytest.raises(InvalidInputError, match="no scale"):
        store.search(vector={"ip": [3, 0]}, min_relevance=0.1)


def test_hits_of_less_relevance_are_left_out(texts: MilvusStore) -> None:
    """In the order of the score; a threshold that nothing reaches leaves nothing."""
    every = texts.search(QUERY, k=9)
    limit = sorted(hit.relevance or 0 for hit in every)[3] - 1e-4
    left = texts.search(QUERY, k=9, min_relevance=limit)
    assert [hit.id for hit in left] == [hit.id for hit in every if hit.reaches(limit)]
    assert 0 < len(left) < len(every)
    assert texts.search(QUERY, min_relevance=1) == []
    many = texts.search_many([QUERY, "zeppelins"], k=9, min_relevance=limit)
    assert [hit.id for hit in many[0]] == [hit.id for hit in left]
    assert {hit.id for hit in texts.search_mmr(QUERY, k=9, min_relevance=limit)} == {
        hit.id for hit in left
    }
    wrong: list[Any] = [-0.1, 1.5, "0.3", True, float("nan")]
    for value in wrong:
        with pytest.raises(InvalidInputError, match="min_relevance"):
            texts.search(QUERY, min_relevance=value)
        with pytest.raises(InvalidInputError, match="threshold"):
            every[0].reaches(value)


def test_a_reranker_sees_only_what_is_relevant_enough(texts: MilvusStore) -> None:
    """`min_relevance` cuts before it; the relevance after it is the reranker's."""
    seen: list[int] = []

    def judge(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        seen.append(len(documents))
        return [RerankResult(text, 0.01, place) for place, text in enumerate(documents)][:top_k]

    limit = sorted(hit.relevance or 0 for hit in texts.search(QUERY, k=9))[3]
    hits = texts.search(QUERY, k=9, reranker=judge, min_relevance=limit)
    assert seen == [len(hits)]
    assert len(hits) < len(TEXTS)
    assert {hit.relevance for hit in hits} == {0.01}


def test_distances_and_noise_have_relevances_in_0_to_1(make_store: MakeStore) -> None:
    """Negative cosines are 0, L2's is 1 / (1 + d)."""
    fields = {"l2": DenseField(Noise(4), metric="L2")}
    store = make_store(dense=Noise(6), fields=fields, sparse=None)
    store.add([Record(id=str(n), text=f"text {n}") for n in range(8)])
    for hit in store.search("query", mode=["dense", "l2"], k=9):
        cosine, distance = hit.scores["dense"], hit.scores["l2"]
        assert cosine.relevance == pytest.approx(max(0.0, cosine.score))
        assert distance.relevance == pytest.approx(1 / (1 - distance.score))
        assert hit.relevance == pytest.approx((cosine.relevance + distance.relevance) / 2)
