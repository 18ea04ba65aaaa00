"""`MilvusRetriever`: retrieval from a vector store without an index around it."""

from __future__ import annotations

from typing import Any

from llama_index.core import Settings
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import MetadataFilters

from hybridge.protocols import RerankFunction
from hybridge.records import Hit
from hybridge.registry import as_rerank_function
from hybridge.retrieval.fusion import Fusion
from hybridge.store.plan import FetchK, Mode
from llama_index_hybridge.convert import record_to_node
from llama_index_hybridge.filters import make_filter
from llama_index_hybridge.vector_store import MilvusVectorStore


class MilvusRetriever(BaseRetriever):
    """Retrieves nodes from a `MilvusVectorStore` with everything that `MilvusStore.search` can do.

    `index.as_retriever()` has LlamaIndex's own query modes; this one needs no index, fuses, reranks
    and cuts by score. The attributes bear the arguments' names and may be changed between queries.

    Args:
        vector_store: Where the nodes are.
        embed_model: Embeds queries; None takes the vector store's own dense function, else
            `Settings.embed_model`. Sparse mode needs none.
        similarity_top_k: How many nodes to return.
        mode: "dense", "sparse" or "hybrid"; None means every leg that the collection has.
        filters: Which nodes may be found.
        expr: A raw Milvus expression that must hold as well.
        fusion: How two legs become one ranking; the vector store's own if None.
        fetch_k: How deep each leg is read in hybrid mode.
        reranker: Orders the first max(20, 4 k) nodes anew: a rerank function, or its name.
        score_threshold: Leave out nodes of less relevance than this, in [0, 1].
        **settings: Those of `BaseRetriever`: `callback_manager`, `object_map`, `verbose`.
    """

    def __init__(
        self,
        vector_store: MilvusVectorStore,
        embed_model: BaseEmbedding | None = None,
        *,
        similarity_top_k: int = 4,
        mode: Mode | None = None,
        filters: MetadataFilters | None = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | str | None = None,
        score_threshold: float | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.vector_store = vector_store
        self.embed_model = embed_model
        self.similarity_top_k = similarity_top_k
        self.mode = mode
        self.filters = filters
        self.expr = expr
        self.fusion = fusion
        self.fetch_k = fetch_k
        self.reranker = None if reranker is None else as_rerank_function(reranker)
        self.score_threshold = score_threshold

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = query_bundle.embedding
        if vector is None and (model := self._model()) is not None:
            vector = model.get_agg_embedding_from_queries(query_bundle.embedding_strs)
        return self._nodes(self.vector_store.client.search(**self._search(query_bundle, vector)))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        vector = query_bundle.embedding
        if vector is None and (model := self._model()) is not None:
            vector = await model.aget_agg_embedding_from_queries(query_bundle.embedding_strs)
        search = self.vector_store.client.asearch
        return self._nodes(await search(**self._search(query_bundle, vector)))

    def _model(self) -> BaseEmbedding | None:
        """Return what embeds the query, or None where it needs no embedding."""
        if self.mode == "sparse":
            return None
        if self.embed_model is None and self.vector_store.client.dense is not None:
            return None
        return self.embed_model or Settings.embed_model

    def _search(self, query: QueryBundle, vector: list[float] | None) -> dict[str, Any]:
        return {
            "query": query.query_str,
            "vector": vector,
            "k": self.similarity_top_k,
            "mode": self.mode,
            "filter": make_filter(self.filters),
            "expr": self.expr,
            "fusion": self.fusion or self.vector_store.fusion,
            "fetch_k": self.fetch_k,
            "reranker": self.reranker,
        }

    def _nodes(self, hits: list[Hit]) -> list[NodeWithScore]:
        threshold = self.score_threshold or 0.0
        return [
            NodeWithScore(node=record_to_node(hit), score=hit.relevance)
            for hit in hits
            if hit.relevance >= threshold
        ]
