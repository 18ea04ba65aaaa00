"""A program as users write it; type checkers read it, nothing runs it.

`type: ignore[...]` marks what has to be an error, and is one itself if it is not needed.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import BaseNode, NodeWithScore, TextNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)

from hybridge import (
    AUTO,
    BM25EmbeddingFunction,
    ConfidenceWeighted,
    DefaultEmbeddingFunction,
    JinaRerankFunction,
    MilvusStore,
    RerankResult,
)
from llama_index_hybridge import (
    DenseEmbedding,
    JinaRerank,
    MilvusRetriever,
    MilvusVectorStore,
    Rerank,
    SparseEmbedding,
)


def longest_first(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
    """A reranker of the user's own."""
    return [RerankResult(text, float(len(text)), i) for i, text in enumerate(documents)][:top_k]


def make() -> MilvusVectorStore:
    """Every way to make a vector store."""
    MilvusVectorStore()
    MilvusVectorStore(store=MilvusStore("./milvus.db"), fusion="milvus-rrf")
    MilvusVectorStore(uri="./milvus.db", sparse=None, overwrite=True, reranker=longest_first)
    MilvusVectorStore(sparse=BM25EmbeddingFunction(), metadata_schema={"year": int}, dim=3)
    MilvusVectorStore.from_existing_collection("books", uri="./milvus.db").close()
    with MilvusVectorStore(sparse=AUTO, fusion=ConfidenceWeighted()) as vector_store:
        return MilvusVectorStore.from_dict(vector_store.to_dict(), token="secret")


def use(vector_store: MilvusVectorStore) -> list[str]:
    """Every method of a vector store."""
    base: BasePydanticVectorStore = vector_store
    filters = MetadataFilters(filters=[MetadataFilter(key="year", value=2020)])
    ids: list[str] = vector_store.add([TextNode(text="a")], batch_size=10, progress=True)
    nodes: list[BaseNode] = base.get_nodes(ids, filters)
    vector_store.delete("document", expr='id != "a"')
    vector_store.delete_nodes(ids, filters=filters)
    vector_store.clear()
    vector_store.persist("anywhere")
    store: MilvusStore = vector_store.client
    tenant: MilvusVectorStore = vector_store.for_tenant("acme")
    query = VectorStoreQuery(query_str="a", mode=VectorStoreQueryMode.HYBRID, alpha=0.5)
    result: VectorStoreQueryResult = tenant.query(query, expr="", fetch_k={"sparse": 20})
    return [*(result.ids or ()), *(node.node_id for node in nodes), store.collection_name]


async def use_async(vector_store: MilvusVectorStore) -> VectorStoreQueryResult:
    """Every async method of a vector store."""
    ids: list[str] = await vector_store.async_add([TextNode(text="a")], batch_size=10)
    nodes: list[BaseNode] = await vector_store.aget_nodes(ids)
    await vector_store.adelete_nodes([node.node_id for node in nodes])
    await vector_store.adelete("document")
    await vector_store.aclear()
    read: list[BaseNode] = await vector_store.aget_nodes(ids, with_embeddings=True)
    await vector_store.aupdate(ids, metadata={"year": 2021})
    await vector_store.async_add(read, batch_size=10, progress=True)

    await vector_store.async_add(read, progress=3)  # type: ignore[arg-type]
    await vector_store.async_add("text")  # type: ignore[arg-type]
    await vector_store.aget_nodes(ids, with_embedding=True)  # type: ignore[call-arg]
    await vector_store.aquery("a")  # type: ignore[arg-type]
    async with vector_store as same:
        return await same.aquery(VectorStoreQuery(query_str="a"), mmr_threshold=0.5)


def models() -> tuple[BaseEmbedding, BaseSparseEmbedding]:
    """Embeddings from functions and from names."""
    DenseEmbedding("openai/text-embedding-3-small", embed_batch_size=100)
    vector: list[float] = DenseEmbedding(DefaultEmbeddingFunction()).get_query_embedding("a")
    weights: dict[int, float] = SparseEmbedding("bm25:ru").get_query_embedding(str(vector))
    assert weights
    return DenseEmbedding(DefaultEmbeddingFunction()), SparseEmbedding(BM25EmbeddingFunction())


def rerankers() -> list[BaseNodePostprocessor]:
    """Postprocessors from functions, from names, and the preset."""
    return [
        Rerank(longest_first, top_n=3),
        Rerank("cross-encoder/ms-marco-MiniLM-L6-v2"),
        Rerank(JinaRerankFunction()),
        JinaRerank(api_key="secret", top_n=3, timeout=10.0),
    ]


def retrieve(vector_store: MilvusVectorStore) -> list[NodeWithScore]:
    """With and without an index, and from a pipeline."""
    embedding, _ = models()
    storage = StorageContext.from_defaults(vector_store=vector_store)
    index = VectorStoreIndex.from_documents(
        [Document(text="a")], storage_context=storage, embed_model=embedding
    )
    IngestionPipeline(transformations=[embedding], vector_store=vector_store).run()
    engine = index.as_query_engine(  # pyright: ignore[reportUnknownMemberType]
        node_postprocessors=rerankers()
    )
    assert engine
    retriever: BaseRetriever = MilvusRetriever(
        vector_store,
        embedding,
        similarity_top_k=3,
        mode="hybrid",
        filters=MetadataFilters(filters=[]),
        fusion=ConfidenceWeighted(),
        fetch_k=50,
        reranker=longest_first,
        score_threshold=0.2,
    )
    return retriever.retrieve("a")


def mistakes(vector_store: MilvusVectorStore) -> None:
    """What type checkers find."""
    MilvusVectorStore(collection="books")  # type: ignore[call-arg]
    MilvusVectorStore(7)  # type: ignore[arg-type]
    MilvusVectorStore(metadata_schema={"year": "int"})  # type: ignore[dict-item]
    MilvusRetriever(vector_store, mode=7)  # type: ignore[arg-type]
    Rerank(print)  # type: ignore[arg-type]
    vector_store.add("text")  # type: ignore[arg-type]
