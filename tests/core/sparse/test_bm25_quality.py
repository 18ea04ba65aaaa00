"""Ranking quality of the default analyzers on real collections."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from hybridge.sparse.bm25 import BM25EmbeddingFunction
from support.retrieval_quality import Collection, load_collection, ndcg, needs_shared, recall


@needs_shared
@pytest.mark.parametrize(
    ("name", "language", "reference_ndcg", "reference_recall"),
    [
        ("cranfield", "en", 0.375, 0.732),
        ("xquad-en", "en", 0.965, 0.997),
        ("xquad-ru", "ru", 0.951, 0.998),
    ],
)
def test_quality_is_that_of_the_references(
    name: str, language: str, reference_ndcg: float, reference_recall: float
) -> None:
    """nDCG@10 and Recall@100 are within .005 of other people's BM25, or better."""
    collection = load_collection(name)
    function = BM25EmbeddingFunction(language)
    vectors = function.fit_encode(collection.documents.values())
    gains, recalls = [], []
    ids = np.array(list(collection.documents))
    best = _best(function, vectors, collection, 100)
    for query, places in zip(collection.queries, best, strict=True):
        ranking = ids[places].tolist()
        gains.append(ndcg(ranking, collection.qrels[query]))
        recalls.append(recall(ranking, collection.qrels[query]))
    assert np.mean(gains) >= reference_ndcg - 0.005
    assert np.mean(recalls) >= reference_recall - 0.005


@needs_shared
def test_a_corpus_that_doubles_ranks_as_after_a_refit() -> None:
    """After +100 % of alike documents, overlap@10 with a fit on everything is at least .99."""
    collection = load_collection("cranfield")
    texts = np.random.default_rng(1).permutation(list(collection.documents.values())).tolist()
    grown = BM25EmbeddingFunction("en", texts[: len(texts) // 2])
    grown.partial_fit(texts[len(texts) // 2 :])
    whole = BM25EmbeddingFunction("en", texts)
    pairs = zip(
        _best(grown, grown.encode_documents(texts), collection, 10),
        _best(whole, whole.encode_documents(texts), collection, 10),
        strict=True,
    )
    assert np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]) >= 0.99


def _best(
    function: BM25EmbeddingFunction, documents: csr_array, collection: Collection, k: int
) -> list[list[int]]:
    """Return the places of the k best documents of each query, best first."""
    scores = (function.encode_queries(collection.queries.values()) @ documents.T).toarray()
    orders = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return [order[row[order] > 0].tolist() for order, row in zip(orders, scores, strict=True)]
