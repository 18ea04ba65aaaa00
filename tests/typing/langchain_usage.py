"""A program as users write it; type checkers read it, nothing runs it.

`assert_type` says what an expression is; `type: ignore[...]` marks what has to be an error, and is
one itself if it is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from pathlib import Path

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore
from typing_extensions import assert_type

from hybridge import DefaultEmbeddingFunction, F, JinaRerankFunction, MilvusStore, Weighted
from langchain_hybridge import (
    DenseEmbeddings,
    JinaRerank,
    MilvusDocumentIndex,
    MilvusRetriever,
    MilvusVectorStore,
    Rerank,
)


def vector_stores(embeddings: Embeddings, documents: list[Document]) -> None:
    """Constructing."""
    MilvusVectorStore(embeddings)
    MilvusVectorStore(DefaultEmbeddingFunction(), uri=Path("x.db"), sparse="bm25:de", k=10)
    MilvusVectorStore(uri="http://localhost:19530", token="t", metadata_schema={"year": int})
    MilvusVectorStore(store=MilvusStore("x.db"), mode="hybrid", fusion=Weighted(dense=0.7))
    made = MilvusVectorStore.from_documents(documents, embeddings, uri="x.db", batch_size=64)
    assert_type(made, MilvusVectorStore)
    base: VectorStore = made
    base.similarity_search("x", k=3, filter={"year": 2020})

    MilvusVectorStore(embeddings, mode=7)  # type: ignore[arg-type]
    MilvusVectorStore(embeddings, collection="x")  # type: ignore[call-arg]
    MilvusVectorStore(7)  # type: ignore[arg-type]


def searching(store: MilvusVectorStore) -> None:
    """Every search method knows its options."""
    found = store.similarity_search("x", k=3, mode="sparse", filter=F("year") >= 2020)
    assert_type(found, list[Document])
    store.similarity_search("x", filter={"year": {"$gte": 2020}}, fetch_k={"sparse": 20})
    store.similarity_search("x", reranker=JinaRerankFunction(), fusion="milvus-rrf")
    assert_type(store.similarity_search_with_score("x"), list[tuple[Document, float]])
    store.similarity_search_with_relevance_scores("x", score_threshold=0.5)
    store.max_marginal_relevance_search("x", k=3, fetch_k=20, lambda_mult=0.3, mode="dense")
    store.similarity_search_by_vector([0.1, 0.2], query="x")

    store.similarity_search("x", filters={"year": 2020})  # type: ignore[call-arg]
    store.similarity_search("x", mode=7)  # type: ignore[arg-type]
    store.similarity_search("x", k="3")  # type: ignore[arg-type]
    store.max_marginal_relevance_search("x", reranker=None)  # type: ignore[call-arg]


def writing(store: MilvusVectorStore, documents: list[Document]) -> None:
    """Adding, deleting, reading."""
    assert_type(store.add_documents(documents, batch_size=64, progress=True), list[str])
    store.add_texts(["a", "b"], [{"year": 2020}, {}], ids=["1", None])
    assert_type(store.delete(["1"]), bool)
    store.delete(filter=F("year") < 2000, expr="id != 'x'")
    assert_type(store.get_by_ids(["1"]), list[Document])
    for document in store.scroll({"year": 2020}):
        assert_type(document, Document)

    store.delete(where={"year": 2020})  # type: ignore[call-arg]


async def awaiting(store: MilvusVectorStore, documents: list[Document]) -> None:
    """The async twins."""
    async with store:
        assert_type(await store.aadd_documents(documents), list[str])
        assert_type(await store.asimilarity_search("x", mode="dense"), list[Document])
        async for document in store.ascroll():
            assert_type(document, Document)
    assert_type(await store.aupdate(["1"], metadata={"year": 2021}), int)
    await store.asimilarity_search("x", mode=["dense", "title"], with_context=True)
    await store.asimilarity_search("x", mdoe="dense")  # type: ignore[call-arg]


def retrieving(store: MilvusVectorStore) -> None:
    """Retrievers are runnables."""
    retriever = MilvusRetriever(
        vectorstore=store, k=3, filter={"year": 2020}, reranker=JinaRerank()
    )
    base: BaseRetriever = retriever
    chain: Runnable[str, int] = base | len
    assert_type(chain.invoke("x"), int)
    assert_type(retriever.invoke("x", k=5), list[Document])
    assert_type(retriever.batch(["x", "y"]), list[list[Document]])
    MilvusDocumentIndex(vectorstore=store, k=2).upsert([Document("x")])

    MilvusRetriever(vectorstore=store, top_k=3)  # type: ignore[call-arg]
    MilvusRetriever(vectorstore=store, mode=7)  # type: ignore[arg-type]


def models(documents: list[Document]) -> None:
    """Model functions as LangChain objects."""
    embeddings: Embeddings = DenseEmbeddings(DefaultEmbeddingFunction())
    assert_type(embeddings.embed_query("x"), list[float])
    ranked = Rerank("jina/jina-reranker-v2-base-multilingual", 3).compress_documents(documents, "x")
    assert_type(ranked, list[Document])

    DenseEmbeddings("sentence-transformers/all-MiniLM-L6-v2")
    DenseEmbeddings(384)  # type: ignore[arg-type]
