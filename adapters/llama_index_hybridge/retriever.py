"""`MilvusRetriever`: retrieval from a vector store without an index around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from llama_index.core import Settings
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import MetadataFilters

from hybridge import Hit, MilvusStore
from hybridge.arguments import check_flag, check_fraction
from hybridge.copies import SharedCopies
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.registry import as_rerank_function
from hybridge.spellings import names_of
from hybridge.store import (
    FetchK,
    Fusion,
    Mode,
    SearchParams,
    pack_function,
    parse_limit,
    unpack_reranker,
)
from llama_index_hybridge.arguments import parse_settings
from llama_index_hybridge.convert import hit_to_node, record_to_node
from llama_index_hybridge.embeddings import as_dense_function
from llama_index_hybridge.filters import make_filter
from llama_index_hybridge.functions import EmbeddingsFunction, Vector
from llama_index_hybridge.options import is_blank, is_given
from llama_index_hybridge.spellings import RETRIEVER
from llama_index_hybridge.vector_store import MilvusVectorStore


class MilvusRetriever(SharedCopies, BaseRetriever):
    """Retrieves nodes from a `MilvusVectorStore` with everything that `MilvusStore.search` can do.

    `index.as_retriever()` has LlamaIndex's own query modes; this one needs no index, fuses, reranks
    and cuts by score. The attributes bear the arguments' names and may be changed between queries.

    Args:
        vector_store: Where the nodes are.
        embed_model: Embeds queries for the field "dense"; None takes the vector store's own dense
            function, else `Settings.embed_model`, where that field is searched.
        similarity_top_k: How many nodes to return.
        mode: The vector fields to search; see `hybridge.store.Query`.
        filters: Which nodes may be found; for a query without text and embedding, the first of
            them are the answer.
        node_ids: The nodes that may be found; None for all, and none of them for an empty list.
        doc_ids: The source documents whose nodes may be found; likewise.
        expr: A raw Milvus expression that must hold as well.
        fusion: How several rankings become one; the vector store's own if None.
        fetch_k: How deep each field is read where several are fused.
        reranker: Orders the first max(20, 4 k) nodes anew: a rerank function, or its name.
        score_threshold: Leave out nodes of less relevance than this, in [0, 1].
        search_params: What the indexes of a server are searched with, such as `{"ef": 128}`.
        with_scores: Whether nodes say how each field scored them, as "scores" in their metadata.
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
        node_ids: Sequence[str] | None = None,
        doc_ids: Sequence[str] | None = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | str | None = None,
        score_threshold: float | None = None,
        search_params: SearchParams = None,
        with_scores: bool = False,
        **settings: Any,
    ) -> None:
        known = names_of(MilvusRetriever.__init__) | names_of(BaseRetriever.__init__)
        super().__init__(**parse_settings(settings, known, type(self).__name__, RETRIEVER))
        if not isinstance(embed_model, (BaseEmbedding, type(None))):
            msg = f"embed_model is a {type(embed_model).__name__}: give a LlamaIndex embedding"
            raise InvalidInputError(msg)
        self.vector_store = vector_store
        self.embed_model = embed_model
        self.similarity_top_k = similarity_top_k
        self.mode = mode
        self.filters = filters
        self.node_ids = node_ids
        self.doc_ids = doc_ids
        self.expr = expr
        self.fusion = fusion
        self.fetch_k = fetch_k
        self.reranker = None if reranker is None else as_rerank_function(reranker)
        self.score_threshold = score_threshold
        self.search_params = search_params
        self.with_scores = with_scores

    def __getstate__(self) -> dict[str, Any]:
        pack_function(as_dense_function(self.embed_model), "embed_model")  # refuses one with a key
        return {**vars(self), "reranker": pack_function(self.reranker, "the reranker")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, reranker=unpack_reranker(state["reranker"]))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        request = self._request(query_bundle)
        if self._only_filters(query_bundle, request):
            return self._matching(request)
        return self._nodes(self._store(query_bundle).search(**request))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        run = self.vector_store.client.threads.run
        request = await run(partial(self._request, query_bundle))
        if self._only_filters(query_bundle, request):
            return await run(partial(self._matching, request))
        return self._nodes(await self._store(query_bundle).asearch(**request))

    def _only_filters(self, query: QueryBundle, request: Mapping[str, Any]) -> bool:
        """Whether there is nothing to search for, but a filter."""
        if query.custom_embedding_strs or not is_blank(query.query_str, query.embedding):
            return False
        return request["filter"] is not None or is_given(self.expr)

    def _matching(self, request: Mapping[str, Any]) -> list[NodeWithScore]:
        records = self.vector_store.client.scroll(request["filter"], expr=self.expr)
        limit = parse_limit(self.similarity_top_k, "similarity_top_k")
        return [NodeWithScore(node=record_to_node(one)) for one in islice(records, limit)]

    def _store(self, query: QueryBundle) -> MilvusStore:
        """Return the store, with what embeds this query where that is not the store's own."""
        store = self.vector_store.client
        if self.embed_model is None and store.dense is not None:
            return store
        return store.using(dense=QueryEmbedding(self.embed_model, query))

    def _request(self, query: QueryBundle) -> dict[str, Any]:
        if self.score_threshold is not None:
            check_fraction(self.score_threshold, "score_threshold")
        check_flag(self.with_scores, "with_scores")
        store = self.vector_store.client
        vector = query.embedding
        if vector is not None and self.mode is None and "dense" not in store.field_names():
            vector = None  # it has no place
        columns: Mapping[str, type] = {} if self.filters is None else store.metadata_columns()
        return {
            "query": query.query_str,
            "vector": vector,
            "k": self.similarity_top_k,
            "mode": self.mode,
            "filter": make_filter(self.filters, self.node_ids, self.doc_ids, columns),
            "expr": self.expr,
            "fusion": self.vector_store.fusion if self.fusion is None else self.fusion,
            "fetch_k": self.fetch_k,
            "reranker": self.reranker,
            "search_params": self.search_params,
        }

    def _nodes(self, hits: list[Hit]) -> list[NodeWithScore]:
        threshold = self.score_threshold
        return [
            NodeWithScore(node=hit_to_node(hit, self.with_scores), score=hit.relevance)
            for hit in hits
            if threshold is None or hit.reaches(threshold)
        ]


class QueryEmbedding(EmbeddingsFunction):
    """What embeds one query for the field "dense".

    A query may be embedded by other texts than it is (`QueryBundle.custom_embedding_strs`), as HyDE
    does. The model is looked up when the first text is embedded, so that a collection without the
    field needs none.

    Args:
        embed_model: The model; `Settings.embed_model` if None.
        query: The query.
    """

    def __init__(self, embed_model: BaseEmbedding | None, query: QueryBundle) -> None:
        self._embed_model = embed_model
        self._query = query

    @property
    def embedding(self) -> BaseEmbedding:  # type: ignore[override]
        """The model."""
        return self._embed_model or Settings.embed_model

    def encode_queries(self, queries: Sequence[str]) -> list[Vector]:
        """Return the vector of the query."""
        vector = self.embedding.get_agg_embedding_from_queries(self._query.embedding_strs)
        return [vector] * len(queries)

    async def aencode_queries(self, queries: Sequence[str]) -> list[Vector]:
        """Async twin of `encode_queries`."""
        vector = await self.embedding.aget_agg_embedding_from_queries(self._query.embedding_strs)
        return [vector] * len(queries)
