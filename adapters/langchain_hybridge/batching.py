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
from typing_extensions import Self

from hybridge import Hit
from hybridge.arguments import parse_items
from hybridge.store import pack_function
from langchain_hybridge.options import search_arguments
from langchain_hybridge.reranker import Rerank


class BatchingRetriever(BaseRetriever):
    """A retriever whose `batch` and `abatch` ask Milvus once per field, whatever the number."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()  # another object for the same store

    def __getstate__(self) -> dict[Any, Any]:
        reranker = self._options({}).get("reranker")
        if not isinstance(reranker, Rerank):  # which sees to it itself
            pack_function(reranker, "the reranker")  # refuses one that may hold a key
        return super().__getstate__()

    @abstractmethod
    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a search, k among them: the retriever's, and over them a call's."""

    @property
    def _searched(self) -> Any:
        """The vector store, a field of the retrievers themselves."""
        retriever: Any = self
        return retriever.vectorstore

    def _request_of_each(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the arguments of `search_many`, or None where each is searched for alone."""
        return {**self._searched.defaults, **search_arguments(self._options(given))}

    def _documents(self, hits: Sequence[Hit], given: Mapping[str, Any]) -> list[Document]:
        documents: list[Document] = self._searched.documents(hits, self._options(given))
        return documents

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
        search = cache(partial(self._searched.store.search_many, inputs, **request))
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
        search = asyncio.ensure_future(self._searched.store.asearch_many(inputs, **request))

        async def found(place: int) -> list[Hit]:
            hits: list[Hit] = (await search)[place]
            return hits

        configs = get_config_list(config, len(inputs))
        return await asyncio.gather(
            *(
                self.ainvoke(inputs[i], configs[i], found=partial(found, i), **kwargs)
                for i in range(len(inputs))
            )
        )


class StoreRetriever(BatchingRetriever, VectorStoreRetriever):
    """LangChain's own retriever, as `MilvusVectorStore.as_retriever` returns it."""

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return self.search_kwargs | dict(given)

    def _request_of_each(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        return super()._request_of_each(given) if self.search_type == "similarity" else None

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
        return self._documents(found(), kwargs)

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
        return self._documents(await found(), kwargs)
