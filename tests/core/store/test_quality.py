"""Retrieval quality on real collections, through the store on Milvus Lite."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from hybridge import DefaultEmbeddingFunction, MilvusStore, Record
from support.retrieval_quality import load_collection, ndcg, needs_shared

MakeStore = Callable[..., MilvusStore]


@cache
def model() -> DefaultEmbeddingFunction:
    """The default model, loaded once."""
    return DefaultEmbeddingFunction()


@pytest.mark.long
@needs_shared
@pytest.mark.parametrize(
    ("name", "sparse", "bars"),
    [
        ("cranfield", "bm25:en", {"dense": 0.393, "sparse": 0.387, "hybrid": 0.425}),
        ("xquad-en", "bm25:en", {"sparse": 0.965, "hybrid": 0.970}),
        ("xquad-ru", "bm25:ru", {"sparse": 0.951, "hybrid": 0.93}),
    ],
)
def test_ndcg_at_10_reaches_the_reference(
    make_store: MakeStore, name: str, sparse: str, bars: dict[str, float]
) -> None:
    """Dense, BM25 and confidence-weighted fusion are as good as the published references."""
    collection = load_collection(name)
    store = make_store(dense=model(), sparse=sparse)
    store.add(Record(id=id, text=text) for id, text in collection.documents.items())
    queries = list(collection.queries.values())
    vectors = np.asarray(model().encode_queries(queries))
    for mode, bar in bars.items():
        hits = store.search_many(queries, vectors=vectors, k=10, mode=mode)  # type: ignore[arg-type]
        scores = [
            ndcg([hit.id for hit in found], collection.qrels[query], k=10)
            for query, found in zip(collection.queries, hits, strict=True)
        ]
        reached = float(np.mean(scores))
        print(f"{name} {mode}: nDCG@10 {reached:.4f} (bar {bar})")
        assert reached >= bar, (mode, reached)
