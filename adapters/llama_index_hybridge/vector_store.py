"""`MilvusVectorStore`: LlamaIndex's vector store over a `hybridge.MilvusStore`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import (
    PrivateAttr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from typing_extensions import Self, Unpack

from hybridge import Hit, MilvusStore, Record
from hybridge.arguments import check_flag
from hybridge.closing import Closing, closed_on_error
from hybridge.protocols import DenseEmbeddingFunction, RerankFunction
from hybridge.registry import as_rerank_function, function_name
from hybridge.spellings import check_names, names_of
from hybridge.store import (
    BATCH_SIZE,
    Fusion,
    StoreArguments,
    bound_store,
    pack_function,
    plain_arguments,
    restored_arguments,
    unpack_reranker,
)
from llama_index_hybridge.convert import (
    derived_context,
    hit_to_node,
    is_kept_by_index,
    nodes_to_records,
    record_to_node,
)
from llama_index_hybridge.embeddings import as_dense_function, as_sparse_function
from llama_index_hybridge.filters import make_filter
from llama_index_hybridge.options import Plan, plan_query
from llama_index_hybridge.spellings import DELETE, DELETE_NODES, VECTOR_STORE


class MilvusVectorStore(Closing, BasePydanticVectorStore):
    """LlamaIndex nodes in a Milvus collection, searched by any number of vector fields.

    Query modes: default (dense), sparse and text_search (BM25; they need no embedding), hybrid,
    semantic_hybrid (hybrid, then `reranker`), mmr; other fields by `vector_store_kwargs={"mode":
    ["dense", "title"]}`. Similarities are relevances in [0, 1]; see `hybridge.retrieval.relevance`.
    A node's EMBED metadata are indexed with its text. Nodes come back whole, without their
    embeddings unless those are asked for.

    Nothing is opened before the first call that needs Milvus. Every method may be called from any
    thread, and every async one awaited in any event loop. See `hybridge.MilvusStore` for the
    arguments that both have, and for the errors.

    `to_dict` and pickles hold the address and the demands, and no secret: where one is loaded, the
    token is read from `MILVUS_TOKEN`. Objects (functions, a fusion, a reranker) are left out of
    `to_dict`, so pass them again: `MilvusVectorStore.from_dict(data, reranker=...)`. A pickle with
    an embedding of another library is refused, see `hybridge.MilvusStore`; copies share the store.

    Args:
        embed_model: Embeds the nodes and queries that come without an embedding: a LlamaIndex
            embedding, a dense function of Hybridge, or its name. An index embeds both by itself;
            with the model here as well, it is measured how well that knows the nodes (`health`).
        store: An open `MilvusStore` to use, in place of all arguments that it has too. Closing the
            vector store closes it.
        tenant: The tenant that it is bound to; see `for_tenant`.
        fusion: How several rankings become one, where a query has no `alpha`.
        reranker: Orders the nodes of a semantic_hybrid query anew: a rerank function, or its name
            (see `hybridge.registry.rerank_function`).
        **arguments: Those of `hybridge.MilvusStore`: `uri`, `collection_name`, `token`, `db_name`,
            `sparse`, `fields`, `search_fields`, `config`, `dim`, `metadata_schema`,
            `partition_key`, `text`, `metadata`, `average_length`, `health`, `metadata_encoder`,
            `overwrite`, `timeout`, `in_process_search`, `server`. A function may
            be LlamaIndex's embedding.

    Raises:
        InvalidInputError: If an argument makes no sense, or contradicts another.
    """

    stores_text: bool = True
    is_embedding_query: bool = True

    uri: str
    collection_name: str
    fusion: Any = None
    reranker: Any = None

    _store: MilvusStore = PrivateAttr()
    _closes: MilvusStore = PrivateAttr()
    _arguments: dict[str, Any] = PrivateAttr()
    _reranker: RerankFunction | None = PrivateAttr()

    def __init__(
        self,
        embed_model: BaseEmbedding | DenseEmbeddingFunction | str | None = None,
        *,
        store: MilvusStore | None = None,
        tenant: str | None = None,
        fusion: Fusion | str | None = None,
        reranker: RerankFunction | str | None = None,
        **arguments: Unpack[StoreArguments],
    ) -> None:
        known = names_of(MilvusVectorStore.__init__, StoreArguments)
        check_names(arguments, known, type(self).__name__, VECTOR_STORE)
        store = closes = bound_store(
            store, arguments, embed_model, "embed_model", as_dense_function, as_sparse_function
        )
        if tenant is not None:
            store = store.for_tenant(tenant)
        shown: dict[str, Any] = {
            "uri": str(store.address),
            "collection_name": store.collection_name,
            "fusion": fusion,
            "reranker": reranker,
        }
        super().__init__(**shown)
        self._store, self._closes = store, closes
        self._reranker = None if reranker is None else as_rerank_function(reranker)
        self._arguments = {**arguments, **shown, "embed_model": _named(embed_model)}
        for name, value in (("db_name", store.address.db_name), ("tenant", store.tenant)):
            if value:
                self._arguments[name] = value

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeMilvusVectorStore"

    @property
    def client(self) -> MilvusStore:
        """The `MilvusStore` that does the work."""
        return self._store

    @classmethod
    def from_existing_collection(cls, collection_name: str = "hybridge", **arguments: Any) -> Self:
        """Open a collection that is there already, whichever framework filled it.

        Args:
            collection_name: The collection.
            **arguments: Those of the class.

        Raises:
            InvalidInputError: If there is no such collection.
        """
        vector_store = cls(collection_name=collection_name, **arguments)
        with closed_on_error(vector_store):
            vector_store.client.check_exists(cls.__name__)
        return vector_store

    def for_tenant(self, tenant: str) -> MilvusVectorStore:
        """Return a view that sees and writes one tenant's nodes; see `MilvusStore.for_tenant`."""
        view = self.model_copy()
        view._store = view._closes = self._store.for_tenant(tenant)
        view._arguments = {**self._arguments, "tenant": tenant}
        return view

    # --- serialising ---------------------------------------------------------------------------

    @model_serializer(mode="wrap")
    def custom_model_dump(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        return {**plain_arguments(self._arguments), "class_name": self.class_name()}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Return the vector store that `to_dict` described.

        Args:
            data: What `to_dict` returned.
            **kwargs: Arguments to replace or add, such as `token=` or `reranker=`.
        """
        return super().from_dict(restored_arguments(data), **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "store": self._closes,
            "tenant": self._store.tenant,
            "fusion": self.fusion,
            "reranker": pack_function(self.reranker, "the reranker"),
            "arguments": plain_arguments(self._arguments),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        arguments = restored_arguments(state["arguments"])
        reranker = unpack_reranker(state["reranker"])
        store, tenant, fusion = (state[name] for name in ("store", "tenant", "fusion"))
        MilvusVectorStore.__init__(
            self, store=store, tenant=tenant, fusion=fusion, reranker=reranker
        )
        self._arguments |= arguments

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()  # another object for the same store

    # --- writing -------------------------------------------------------------------------------

    def add(
        self,
        nodes: Sequence[BaseNode],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Same as `MilvusStore.add`, but takes nodes; their embeddings are the dense vectors.

        Args:
            nodes: What to store.
            batch_size: How many are sent at once.
            progress: Whether to show a progress bar.
            **kwargs: Ignored: LlamaIndex hands on what was meant for other transformations.

        Returns:
            The ids, in order.
        """
        records = nodes_to_records(nodes)
        return self._store.add(records, batch_size=batch_size, progress=progress)

    async def async_add(
        self,
        nodes: Sequence[BaseNode],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Async twin of `add`."""
        records = nodes_to_records(nodes)
        return await self._store.aadd(records, batch_size=batch_size, progress=progress)

    def update(
        self,
        node_ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> int:
        """Change the metadata of nodes, and what is indexed of them; see `MilvusStore.update`."""
        return self._store.update(node_ids, metadata=metadata, derive=derived_context)

    async def aupdate(
        self,
        node_ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> int:
        """Async twin of `update`."""
        return await self._store.aupdate(node_ids, metadata=metadata, derive=derived_context)

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a source document.

        Args:
            ref_doc_id: The document.
            **delete_kwargs: `filter` and `expr` of `MilvusStore.delete`.
        """
        check_names(delete_kwargs, ("filter", "expr"), "delete", DELETE)
        self._store.delete(document_id=ref_doc_id, **delete_kwargs)

    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Async twin of `delete`."""
        check_names(delete_kwargs, ("filter", "expr"), "delete", DELETE)
        await self._store.adelete(document_id=ref_doc_id, **delete_kwargs)

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """Delete the nodes that every given selector selects; ids that are missing are fine.

        Args:
            node_ids: These nodes; an empty list deletes nothing.
            filters: The nodes whose metadata match.
            **delete_kwargs: `document_id` and `expr` of `MilvusStore.delete`.

        Raises:
            InvalidInputError: If no selector is given; `clear()` deletes every node.
        """
        check_names(delete_kwargs, ("document_id", "expr"), "delete_nodes", DELETE_NODES)
        tree = make_filter(filters, columns=self._columns(filters))
        self._store.delete(node_ids, filter=tree, **delete_kwargs)

    async def adelete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: Any,
    ) -> None:
        """Async twin of `delete_nodes`."""
        delete = partial(self.delete_nodes, node_ids, filters, **delete_kwargs)
        await self._store.threads.run(delete)

    def clear(self) -> None:
        """Delete every node; the collection stays as it was made."""
        self._store.clear()

    async def aclear(self) -> None:
        """Async twin of `clear`."""
        await self._store.aclear()

    def persist(self, persist_path: str = "", fs: Any = None) -> None:
        """Flush; the nodes stay where they are, in Milvus.

        Args:
            persist_path: Not used.
            fs: Not used.
        """
        self._store.flush()

    # --- reading -------------------------------------------------------------------------------

    def get_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        *,
        with_embeddings: bool = False,
    ) -> list[BaseNode]:
        """Return the nodes of these ids, in order, that match; missing ones are left out.

        Args:
            node_ids: The ids; None for all nodes.
            filters: What the metadata must match.
            with_embeddings: Whether nodes carry their embeddings, so that they can be changed and
                added again.
        """
        tree = make_filter(filters, columns=self._columns(filters))
        if node_ids is None:
            records = list(self._store.scroll(tree, with_vectors=with_embeddings))
        else:
            records = self._store.get(node_ids, filter=tree, with_vectors=with_embeddings)
        return [record_to_node(record) for record in records]

    async def aget_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        *,
        with_embeddings: bool = False,
    ) -> list[BaseNode]:
        """Async twin of `get_nodes`."""
        read = partial(self.get_nodes, node_ids, filters, with_embeddings=with_embeddings)
        return await self._store.threads.run(read)

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Return the nodes that answer a query best, with relevances in [0, 1].

        Args:
            query: The query. `node_ids` that are all of IndexNodes and ImageNodes restrict nothing,
                as none do: that is what `index.as_retriever()` passes. A `MilvusRetriever` takes
                any list at its word.
            **kwargs: `llama_index_hybridge.options.QueryOptions`, such as `expr` or
                `mmr_threshold`; in an index's retriever, `vector_store_kwargs={...}`.

        Raises:
            InvalidInputError: If the mode is not supported, or lacks what it needs.
        """
        plan = self._plan(query, kwargs)
        if plan.limit is not None:
            return _matching(islice(self._store.scroll(**plan.arguments), plan.limit))
        search = self._store.search_mmr if plan.mmr else self._store.search
        return _result(search(**plan.arguments), kwargs)

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Async twin of `query`."""
        plan = await self._store.threads.run(partial(self._plan, query, kwargs))
        if plan.limit is not None:
            return await self._store.threads.run(partial(self.query, query, **kwargs))
        search = self._store.asearch_mmr if plan.mmr else self._store.asearch
        return _result(await search(**plan.arguments), kwargs)

    def _plan(self, query: VectorStoreQuery, kwargs: dict[str, Any]) -> Plan:
        # What the collection has is asked where the query leaves it open only.
        mode = getattr(query, "mode", VectorStoreQueryMode.DEFAULT)
        fields = self._store.field_names() if mode is None else ()
        columns = self._columns(getattr(query, "filters", None))
        check_flag(kwargs.get("with_scores", False), "with_scores")
        defaults: dict[str, Any] = {"fusion": self.fusion, "reranker": self._reranker}
        if mode is VectorStoreQueryMode.DEFAULT and getattr(query, "query_str", None) is not None:
            defaults["mode"] = self._store.config.search_fields  # None leaves it dense
        return plan_query(query, self._node_ids(query), fields, columns, {**defaults, **kwargs})

    def _node_ids(self, query: VectorStoreQuery) -> Sequence[str] | None:
        """Return the nodes that may be found; None for all, as where an index lists its own.

        `index.as_retriever()` passes the nodes that the index keeps as well, IndexNodes and
        ImageNodes, or an empty list; it means those and all text nodes.
        """
        ids: Sequence[str] | None = getattr(query, "node_ids", None)
        if not isinstance(ids, (list, tuple)):
            return ids
        nodes = self._store.get(ids[:1])
        if all(map(is_kept_by_index, nodes)):  # the first one mostly tells
            nodes += self._store.get(ids[1:])
        means_all = not ids or (nodes and all(map(is_kept_by_index, nodes)))
        return None if means_all else ids

    def _columns(self, filters: object) -> Mapping[str, type]:
        """Return the metadata keys that are typed columns, where there are filters."""
        return {} if filters is None else self._store.metadata_columns()

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Flush, and release the path for other processes; closing twice is fine.

        What `for_tenant` returned ends alone; the vector store that it is a view of goes on.
        """
        self._closes.close()

    async def aclose(self) -> None:
        """Async twin of `close`."""
        await self._closes.aclose()


def _named(function: object) -> str | None:
    """Return the name that makes a function again, where it has one: objects may hold secrets."""
    return function if isinstance(function, str) else function_name(function)


def _matching(records: Iterable[Record]) -> VectorStoreQueryResult:
    """Return records that a filter alone selects as LlamaIndex takes them: without similarities."""
    nodes = [record_to_node(record) for record in records]
    return VectorStoreQueryResult(nodes=nodes, ids=[node.node_id for node in nodes])


def _result(hits: Sequence[Hit], options: Mapping[str, Any]) -> VectorStoreQueryResult:
    """Return hits as LlamaIndex takes them: similarities are relevances, or none if they lack."""
    relevances = [hit.relevance for hit in hits if hit.relevance is not None]
    return VectorStoreQueryResult(
        nodes=[hit_to_node(hit, options.get("with_scores", False)) for hit in hits],
        similarities=relevances if len(relevances) == len(hits) else None,
        ids=[hit.id for hit in hits],
    )
