"""A program as users of the core write it; see `langchain_usage.py`."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

from hybridge import (
    DOCUMENT_ID,
    ROW_ID,
    BM25EmbeddingFunction,
    ConfidenceWeighted,
    DefaultEmbeddingFunction,
    F,
    Hit,
    JinaRerankFunction,
    MilvusStore,
    ReciprocalRank,
    Record,
    RerankResult,
    Weighted,
)


def stores() -> None:
    """Constructing."""
    MilvusStore()
    MilvusStore(Path("x.db"), dense=DefaultEmbeddingFunction(), sparse="bm25:de")
    MilvusStore("http://localhost:19530", token="t", db_name="d", sparse=None, dim=384)
    MilvusStore("x.db", metadata_schema={"year": int, "source": str}, overwrite=True)

    MilvusStore("x.db", colection_name="x")  # type: ignore[call-arg]
    MilvusStore("x.db", sparse=7)  # type: ignore[arg-type]


def writing_and_reading(store: MilvusStore, vectors: NDArray[np.float32]) -> None:
    """Records in, records out."""
    records = [Record(id="a", text="x", metadata={"year": 2020, "tags": ["a"]}, dense=vectors[0])]
    assert_type(store.add(records, batch_size=64, progress=True), list[str])
    store.add((Record(text=text) for text in ("a", "b")), encode=lambda texts: vectors)
    assert_type(store.get(["a"], with_vectors=True), list[Record])
    assert_type(store.delete(["a"], filter=F("year") < 2000), int)
    assert_type(store.count(F("tags").contains("a") & ~F("author", "name").exists()), int)
    for record in store.scroll(ROW_ID.isin(["a"]) | (DOCUMENT_ID == "report")):
        assert_type(record, Record)

    store.add([{"id": "a", "text": "x"}])  # type: ignore[list-item]
    Record("a", "x")  # type: ignore[call-arg]


def searching(store: MilvusStore, vector: NDArray[np.float32]) -> None:
    """Texts, vectors, filters, fusions, rerankers."""
    hits = store.search("x", k=10, mode="hybrid", filter={"year": {"$gte": 2020}})
    assert_type(hits, list[Hit])
    assert_type(hits[0].scores["dense"].rank, int)
    store.search(vector=vector, expr="id != 'x'", with_vectors=True)
    store.search(vector=[0.1, 0.2], fusion=ReciprocalRank(k=60), fetch_k={"sparse": 20})
    store.search("x", fusion=Weighted(dense=0.7), reranker=JinaRerankFunction())
    assert_type(store.search_many(["x", "y"], fusion=ConfidenceWeighted()), list[list[Hit]])
    assert_type(store.search_mmr("x", k=3, fetch_k=20, balance=0.3), list[Hit])

    store.search("x", mode="fuzzy")  # type: ignore[arg-type]
    store.search("x", top_k=3)  # type: ignore[call-arg]


async def awaiting(store: MilvusStore) -> None:
    """The async twins."""
    async with store:
        assert_type(await store.aadd([Record(text="x")]), list[str])
        assert_type(await store.asearch("x", k=3), list[Hit])
        async for record in store.ascroll({"year": 2020}):
            assert_type(record, Record)


def models(texts: list[str]) -> None:
    """Model functions."""
    assert_type(DefaultEmbeddingFunction().encode_documents(texts), NDArray[np.float32])
    bm25 = BM25EmbeddingFunction()
    bm25.fit(texts)
    bm25.save("parameters.json")
    assert_type(JinaRerankFunction()("x", texts, top_k=3), list[RerankResult])
