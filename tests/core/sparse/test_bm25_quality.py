"""Ranking quality of the default analyzers on real collections."""

from __future__ import annotations

import numpy as np
import pytest

from hybridge.sparse.bm25 import BM25EmbeddingFunction
from retrieval_quality import load_collection, ndcg, needs_shared, recall


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
    documents = function.fit_encode(collection.documents.values())
    queries = function.encode_queries(collection.queries.values())
    ids = np.array(list(collection.documents))
    gains, recalls = [], []
    for query, scores in zip(collection.queries, (queries @ documents.T).toarray(), strict=True):
        best = np.argsort(-scores, kind="stable")[:100]
        ranking = ids[best[scores[best] > 0]].tolist()
        gains.append(ndcg(ranking, collection.qrels[query]))
        recalls.append(recall(ranking, collection.qrels[query]))
    assert np.mean(gains) >= reference_ndcg - 0.005
    assert np.mean(recalls) >= reference_recall - 0.005
