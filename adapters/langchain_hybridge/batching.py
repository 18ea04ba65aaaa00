"""Retrievers whose `batch` is one search, and the one that `as_retriever` makes."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_config_list
from langchain_core.vectorstores import VectorStoreRetriever

from hybridge import Hit, MilvusStore
from hybridge.arguments import parse_items
from langchain_hybridge.convert import make_found_document
from langchain_hybridge.options import search_arguments


class BatchingRetriever(BaseRetriever):
    """A retriever whose `batch` and `abatch` ask Milvus once per field, whatever the number."""

    @abstractmethod
    def _store(self) -> MilvusStore:
        """Return what is searched."""

    @abstractmethod
    def _request_of_each(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the arguments of `search_many`, or None where each is searched for alone."""

    def batch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Return the documents of each question, by one search for all of them.

        With `return_exceptions` each question is searched for alone, so that one may fail alone.
        """
        request = None if return_exceptions else self._request_of_each(kwargs)
        if request is None:
            return super().batch(inputs, config, return_exceptions=return_exceptions, **kwargs)
        # The first run searches for all, so that its callbacks see what the search takes or raises.
        inputs = parse_items(inputs, object, "inputs")
        search = cache(partial(self._store().search_many, inputs, **request))
        configs = get_config_list(config, len(inputs))
        return [
            self.invoke(inputs[i], configs[i], found=lambda i=i: search()[i], **kwargs)
            for i in range(len(inputs))
        ]

    async def abatch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Async twin of `batch`."""
        request = None if return_exceptions else self._request_of_each(kwargs)
        if request is None:
            return await super().abatch(
                inputs, config, return_exceptions=return_exceptions, **kwargs
            )
        inputs = parse_items(inputs, object, "inputs")
        search = asyncio.ensure_future(self._store().asearch_many(inputs, **request))

        async def found(place: int) -> list[Hit]:
            return (await search)[place]

        configs = get_config_list(config, len(inputs))
        return await asyncio.gather(
            *(
                self.ainvoke(inputs[i], configs[i], found=partial(found, i), **kwargs)
                for i in range(len(inputs))
            )
        )


class StoreRetriever(BatchingRetriever, VectorStoreRetriever):
    """LangChain's own retriever, as `MilvusVectorStore.as_retriever` returns it."""

    def _store(self) -> MilvusStore:
        vector_store: Any = self.vectorstore
        store: MilvusStore = vector_store.store
        return store

    def _request_of_each(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        if self.search_type != "similarity":
            return None
        defaults: Mapping[str, Any] = self.vectorstore.defaults  # type: ignore[attr-defined]
        return {**defaults, **search_arguments(self.search_kwargs | dict(given))}

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        found: Callable[[], Sequence[Hit]] | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        if found is None:
            return super()._get_relevant_documents(query, run_manager=run_manager, **kwargs)
        return [make_found_document(hit, self.search_kwargs | kwargs) for hit in found()]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        found: Callable[[], Awaitable[Sequence[Hit]]] | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        if found is None:
            return await super()._aget_relevant_documents(query, run_manager=run_manager, **kwargs)
        return [make_found_document(hit, self.search_kwargs | kwargs) for hit in await found()]
