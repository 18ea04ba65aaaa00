"""`MilvusVectorStore`: LlamaIndex's vector store over a `hybridge.MilvusStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)
from typing_extensions import Self, Unpack

from hybridge.closing import Closing
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.registry import as_rerank_function
from hybridge.retrieval.fusion import Fusion
from hybridge.store.arguments import StoreArguments
from hybridge.store.store import MilvusStore
from hybridge.store.threads import Threads, async_twin
from hybridge.store.write_methods import BATCH_SIZE
from llama_index_hybridge.configuration import ConfiguredVectorStore
from llama_index_hybridge.convert import node_to_record, record_to_node
from llama_index_hybridge.filters import make_filter
from llama_index_hybridge.query import make_result, plan_query


class MilvusVectorStore(Closing, ConfiguredVectorStore):
    """LlamaIndex nodes in a Milvus collection, searched by dense vectors, BM25, or both.

    Query modes: default (dense), sparse and text_search (BM25; they need no embedding), hybrid,
    semantic_hybrid (hybrid, then `reranker`), mmr. Similarities are relevances in [0, 1]; see
    `hybridge.retrieval.relevance`. Nodes come back whole, but for their embeddings.

    Nothing is opened before the first call that needs Milvus. Every method may be called from any
    thread, and every async one awaited in any event loop. See `hybridge.MilvusStore` for the
    arguments that both have, and for the errors.

    `to_dict` and pickles hold the address and the demands, and no secret: where one is loaded, the
    token is read from `MILVUS_TOKEN`. Objects (a sparse function, a fusion, a reranker) are
    left out of `to_dict`, so pass them again: `MilvusVectorStore.from_dict(data, reranker=...)`.

    Args:
        store: An open `MilvusStore` to use, in place of all arguments that it has too. Closing the
            vector store closes it.
        tenant: The tenant that it is bound to; see `for_tenant`.
        fusion: How two legs become one ranking, where a query has no `alpha`.
        reranker: Orders the nodes of a semantic_hybrid query anew: a rerank function, or its name
            (see `hybridge.registry.rerank_function`).
        **arguments: Those of `hybridge.MilvusStore`: `uri`, `collection_name`, `token`, `db_name`,
            `sparse`, `dim`, `metadata_schema`, `partition_key`, `overwrite`, `timeout`.

    Raises:
        InvalidInputError: If an argument makes no sense, or contradicts another.
    """

    _reranker: RerankFunction | None = PrivateAttr()

    def __init__(
        self,
        *,
        store: MilvusStore | None = None,
        tenant: str | None = None,
        fusion: Fusion | str | None = None,
        reranker: RerankFunction | str | None = None,
        **arguments: Unpack[StoreArguments],
    ) -> None:
        if store is None:
            store = MilvusStore(**arguments)
        elif arguments:
            msg = f"store= and {', '.join(arguments)}: give those arguments to the store itself"
            raise InvalidInputError(msg)
        if tenant is not None:
            store = store.for_tenant(tenant)
        super().__init__(store, arguments, fusion, reranker)
        self._reranker = None if reranker is None else as_rerank_function(reranker)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeMilvusVectorStore"

    @property
    def client(self) -> MilvusStore:
        """The `MilvusStore` that does the work."""
        return self._store

    @property
    def threads(self) -> Threads:
        """The store's own thread pool, on which the async methods run."""
        return self._store.threads

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
        try:
            if not vector_store.client.exists():
                msg = (
                    f"there is no collection {collection_name!r} at {vector_store.uri}: check uri "
                    "and collection_name; MilvusVectorStore(...) makes a new one"
                )
                raise InvalidInputError(msg)
        except Exception:
            vector_store.close()
            raise
        return vector_store

    def for_tenant(self, tenant: str) -> MilvusVectorStore:
        """Return a view that sees and writes one tenant's nodes; see `MilvusStore.for_tenant`."""
        view = self.model_copy()
        view._store = self._store.for_tenant(tenant)
        view._arguments = {**self._arguments, "tenant": tenant}
        return view

    # --- writing -------------------------------------------------------------------------------

    # `/` after `self` where there are `**kwargs`: type checkers would see it among them in a twin.

    def add(
        self,
        /,
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
        records = [node_to_record(node) for node in nodes]
        return self._store.add(records, batch_size=batch_size, progress=progress)

    def delete(self, /, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a source document.

        Args:
            ref_doc_id: The document.
            **delete_kwargs: `filter` and `expr` of `MilvusStore.delete`.
        """
        self._store.delete(document_id=ref_doc_id, **delete_kwargs)

    def delete_nodes(
        self,
        /,
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
        self._store.delete(node_ids, filter=make_filter(filters), **delete_kwargs)

    def clear(self) -> None:
        """Delete every node; the collection stays as it was made."""
        self._store.clear()

    def persist(self, persist_path: str = "", fs: Any = None) -> None:
        """Flush; the nodes stay where they are, in Milvus.

        Args:
            persist_path: Not used.
            fs: Not used.
        """
        self._store.flush()

    # --- reading -------------------------------------------------------------------------------

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """Return the nodes of these ids, in order, that match; missing ones are left out.

        Args:
            node_ids: The ids; None for all nodes.
            filters: What the metadata must match.
        """
        tree = make_filter(filters)
        if node_ids is None:
            return [record_to_node(record) for record in self._store.scroll(tree)]
        return [record_to_node(record) for record in self._store.get(node_ids, filter=tree)]

    def query(self, /, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Return the nodes that answer a query best, with relevances in [0, 1].

        Args:
            query: The query.
            **kwargs: The further arguments of `llama_index_hybridge.query.plan_query`, such as
                `expr` or `mmr_threshold`; in an index's retriever, `vector_store_kwargs={...}`.

        Raises:
            InvalidInputError: If the mode is not supported, or lacks what it needs.
        """
        defaults = {"fusion": self.fusion, "reranker": self._reranker}
        plan = plan_query(query, **{**defaults, **kwargs})
        search = self._store.search_mmr if plan.mmr else self._store.search
        return make_result(search(**plan.arguments))

    async_add = async_twin(add)
    adelete = async_twin(delete)
    adelete_nodes = async_twin(delete_nodes)
    aclear = async_twin(clear)
    aget_nodes = async_twin(get_nodes)
    aquery = async_twin(query)

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Flush, and release the path for other processes; closing twice is fine."""
        self._store.close()

    async def aclose(self) -> None:
        """Async twin of `close`."""
        await self._store.aclose()
