"""A program as users of the core write it; see `langchain_usage.py`."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import assert_type

from hybridge import (
    DOCUMENT_ID,
    ROW_ID,
    BM25EmbeddingFunction,
    ConfidenceWeighted,
    DefaultEmbeddingFunction,
    DenseField,
    F,
    Hit,
    JinaRerankFunction,
    MilvusStore,
    ReciprocalRank,
    Record,
    RerankResult,
    SparseField,
    Weighted,
)
from hybridge.filters import Filter
from hybridge.protocols import RerankFunction
from hybridge.store import Fusion


class Search(Protocol):
    """The whole signature of `MilvusStore.search`."""

    def __call__(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        mode: str | Sequence[str] | None = None,
        filter: Filter | Mapping[str, Any] | None = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: int | Mapping[str, int | None] | None = None,
        reranker: RerankFunction | None = None,
        with_vectors: bool = False,
        search_params: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """Search."""
        ...


class ASearch(Protocol):
    """The whole signature of `MilvusStore.asearch`."""

    async def __call__(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        mode: str | Sequence[str] | None = None,
        filter: Filter | Mapping[str, Any] | None = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: int | Mapping[str, int | None] | None = None,
        reranker: RerankFunction | None = None,
        with_vectors: bool = False,
        search_params: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """Search."""
        ...


def stores() -> None:
    """Constructing."""
    MilvusStore()
    MilvusStore(Path("x.db"), dense=DefaultEmbeddingFunction(), sparse="bm25:de")
    MilvusStore("http://localhost:19530", token="t", db_name="d", sparse=None, dim=384)
    MilvusStore("x.db", metadata_schema={"year": int, "source": str}, overwrite=True)

    MilvusStore("x.db", colection_name="x")  # type: ignore[call-arg]
    fields = {"title": DenseField(DefaultEmbeddingFunction(), source="title", metric="IP")}
    MilvusStore(
        "x.db", fields={**fields, "terms": SparseField("splade/x")}, search_fields=["title"]
    )
    assert_type(MilvusStore.open("x.db"), MilvusStore)
    assert_type(MilvusStore().using(title="openai/x").for_tenant("acme"), MilvusStore)

    DenseField(metric="DOT")  # type: ignore[arg-type]
    MilvusStore("x.db", sparse=7)  # type: ignore[arg-type]


def writing_and_reading(store: MilvusStore, vectors: NDArray[np.float32]) -> None:
    """Records in, records out."""
    records = [Record(id="a", text="x", metadata={"year": 2020, "tags": ["a"]}, dense=vectors[0])]
    assert_type(store.add(records, batch_size=64, progress=True), list[str])
    store.add(Record(text=text, vectors={"title": vectors[1]}) for text in ("a", "b"))
    assert_type(store.update(["a"], metadata={"year": 2021}), int)
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

    store.search("x", mode=["dense", "title"], vector={"title": vector})
    store.search("x", mode=7)  # type: ignore[arg-type]
    store.search("x", top_k=3)  # type: ignore[call-arg]


async def awaiting(store: MilvusStore) -> None:
    """The async twins."""
    async with store:
        assert_type(await store.aadd([Record(text="x")]), list[str])
        assert_type(await store.asearch("x", k=3), list[Hit])
        assert_type(await store.asearch_many(["x"], fetch_k={"dense": 9}), list[list[Hit]])
        assert_type(await store.asearch_mmr("x", mmr_field="title"), list[Hit])
        async for record in store.ascroll({"year": 2020}):
            assert_type(record, Record)

    await store.asearch("x", top_k=3)  # type: ignore[call-arg]
    await store.asearch("x", k="3")  # type: ignore[arg-type]
    await store.asearch("x", with_vectors=None)  # type: ignore[arg-type]
    await store.aadd([Record(text="x")], encode=print)  # type: ignore[call-arg]


def signatures(store: MilvusStore) -> tuple[Search, ASearch]:
    """The async twins take what their methods take, and say so."""
    return store.search, store.asearch


def models(texts: list[str]) -> None:
    """Model functions."""
    assert_type(DefaultEmbeddingFunction().encode_documents(texts), NDArray[np.float32])
    bm25 = BM25EmbeddingFunction()
    bm25.fit(texts)
    bm25.save("parameters.json")
    assert_type(JinaRerankFunction()("x", texts, top_k=3), list[RerankResult])
