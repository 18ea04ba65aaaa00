"""`MilvusRetriever`: a LangChain retriever with everything that a search can be asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import LangSmithRetrieverParams
from pydantic import ConfigDict, GetPydanticSchema
from pydantic_core import core_schema

from hybridge import Hit
from hybridge.protocols import RerankFunction
from hybridge.spellings import check_names
from hybridge.store import FetchK, Fusion, Mode, SearchParams
from langchain_hybridge.batching import BatchingRetriever
from langchain_hybridge.filters import LangChainFilter
from langchain_hybridge.options import SearchOptions, search_request
from langchain_hybridge.reranker import Rerank
from langchain_hybridge.spellings import RETRIEVER
from langchain_hybridge.vector_store import MilvusVectorStore

# Left to the store to check: pydantic would take filters apart.
_AS_IT_IS = GetPydanticSchema(lambda kind, handler: core_schema.any_schema())
_OPTIONS = ("k", *SearchOptions.__annotations__)


class MilvusRetriever(BatchingRetriever):
    """Documents for a question, from a `MilvusVectorStore`.

    Every field but `vectorstore` may be given to `invoke`, `ainvoke`, `batch` and `abatch` too, for
    that call. `batch` and `abatch` ask Milvus once per field, whatever the number of questions.

    Attributes:
        vectorstore: Where the documents are.
        k: How many documents; None takes the vector store's own, as for all that follow.
        mode: The vector fields to search: "dense", "sparse", "hybrid", another name, or several.
        fetch_k: How deep each field is read where several are fused.
        fusion: How several rankings become one.
        filter: Which documents may be found: a tree, its `$` spelling, or a structured query.
        expr: A raw Milvus expression that must hold as well.
        reranker: Orders the first hits anew: a rerank function, or a `Rerank`.
        score_threshold: The least relevance, in [0, 1], of a document that is returned.
        with_scores: Whether documents say how they scored, in their metadata.
        with_vectors: Whether documents carry their vectors, in their metadata.
        with_context: Whether documents carry their context, in their metadata.
        id_key: The metadata key under which documents carry their id as well.
        offset: How many of the best documents are left out.
        search_params: What the indexes of a server are searched with, such as `{"ef": 128}`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    vectorstore: MilvusVectorStore
    k: int | None = None
    mode: Annotated[Mode | None, _AS_IT_IS] = None
    fetch_k: Annotated[FetchK, _AS_IT_IS] = None
    fusion: Annotated[Fusion | str | None, _AS_IT_IS] = None
    filter: Annotated[LangChainFilter, _AS_IT_IS] = None
    expr: str | None = None
    reranker: Annotated[RerankFunction | Rerank | None, _AS_IT_IS] = None
    score_threshold: float | None = None
    with_scores: bool = False
    with_vectors: bool = False
    with_context: bool = False
    id_key: str | None = None
    offset: int = 0
    search_params: Annotated[SearchParams, _AS_IT_IS] = None

    if not TYPE_CHECKING:  # type checkers take the arguments from the fields

        def __init__(self, **fields: Any) -> None:
            check_names(fields, type(self).model_fields, type(self).__name__, RETRIEVER)
            super().__init__(**fields)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        found: Callable[[], list[Hit]] | None = None,
        **options: Any,
    ) -> list[Document]:
        search = found or partial(self.vectorstore.store.search, **self._request(options, query))
        return self._documents(search(), options)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        found: Callable[[], Awaitable[list[Hit]]] | None = None,
        **options: Any,
    ) -> list[Document]:
        search = found or partial(self.vectorstore.store.asearch, **self._request(options, query))
        return self._documents(await search(), options)

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in _OPTIONS}
        return fields | {name: value for name, value in given.items() if value is not None}

    def _request(self, given: Mapping[str, Any], query: str) -> dict[str, Any]:
        return search_request(self.vectorstore.defaults, self._options(given), query)

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        params = super()._get_ls_params(**kwargs)
        params["ls_vector_store_provider"] = type(self.vectorstore).__name__
        embeddings = self.vectorstore.embeddings
        if embeddings is not None:
            params["ls_embedding_provider"] = type(embeddings).__name__
            name = getattr(embeddings, "model_name", None) or getattr(embeddings, "model", None)
            if name is not None:
                params["ls_embedding_model"] = str(name)
        return params
