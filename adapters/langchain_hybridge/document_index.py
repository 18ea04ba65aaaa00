"""`MilvusDocumentIndex`: LangChain's document index over a `MilvusVectorStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.indexing import DeleteResponse, DocumentIndex, UpsertResponse

from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.retriever import MilvusRetriever


class MilvusDocumentIndex(MilvusRetriever, DocumentIndex):
    """A `MilvusRetriever` that documents can be added to, read by id, and deleted from.

    A failure raises, so "failed" is always empty.
    """

    def upsert(self, items: Sequence[Document], /, **kwargs: Any) -> UpsertResponse:
        """Add documents, or overwrite those whose id is there already.

        Args:
            items: The documents.
            **kwargs: `batch_size` and `progress` of `MilvusVectorStore.add_texts`.
        """
        ids = self.vectorstore.add_documents(list(items), **kwargs)
        return UpsertResponse(succeeded=ids, failed=[])

    async def aupsert(self, items: Sequence[Document], /, **kwargs: Any) -> UpsertResponse:
        """Async twin of `upsert`."""
        ids = await self.vectorstore.aadd_documents(list(items), **kwargs)
        return UpsertResponse(succeeded=ids, failed=[])

    def get(self, ids: Sequence[str], /) -> list[Document]:  # type: ignore[override]
        """Return the documents of these ids, each once, in order; missing ones are left out."""
        return self.vectorstore.get_by_ids(ids)

    async def aget(self, ids: Sequence[str], /) -> list[Document]:  # type: ignore[override]
        """Async twin of `get`."""
        return await self.vectorstore.aget_by_ids(ids)

    def delete(  # type: ignore[override]  # an unknown argument is an error
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: LangChainFilter = None,
        expr: str | None = None,
    ) -> DeleteResponse:
        """Same as `MilvusVectorStore.delete`, but returns how many documents there were."""
        count = self.vectorstore.store.delete(ids, filter=make_filter(filter), expr=expr)
        return DeleteResponse(num_deleted=count, num_failed=0)

    async def adelete(  # type: ignore[override]
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: LangChainFilter = None,
        expr: str | None = None,
    ) -> DeleteResponse:
        """Async twin of `delete`."""
        count = await self.vectorstore.store.adelete(ids, filter=make_filter(filter), expr=expr)
        return DeleteResponse(num_deleted=count, num_failed=0)
