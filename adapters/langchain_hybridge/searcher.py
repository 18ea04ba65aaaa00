"""From queries to hits: LangChain's own embedding makes the vectors, the store does the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from langchain_core.embeddings import Embeddings

from hybridge.records import Hit
from hybridge.store.plan import valid_search
from hybridge.store.store import MilvusStore
from langchain_hybridge.options import MMROptions, search_arguments


class Searcher:
    """Asks a store for hits, sync and async.

    Everywhere, `options` are `SearchOptions` (or `MMROptions`) and k; `vector` is the dense vector
    of the query, where the caller has it already. Alone, without a text, it is searched for
    densely, whatever the default mode.

    Args:
        store: The store.
        embeddings: What makes the vectors of queries; None where the store itself does.
        defaults: The options that a call leaves out: k, mode, fetch_k, fusion.

    Raises:
        InvalidInputError: If a default makes no sense.
    """

    def __init__(
        self, store: MilvusStore, embeddings: Embeddings | None, defaults: Mapping[str, Any]
    ) -> None:
        self._store = store
        self._embeddings = embeddings
        self.defaults = search_arguments(defaults)
        # A search for nothing, so that a default that makes no sense is refused at once.
        nothing: dict[str, Any] = dict.fromkeys(["vectors", "filter", "expr", "reranker"])
        valid_search(queries=[], with_vectors=False, **nothing, **defaults)

    def hits(
        self,
        options: Mapping[str, Any],
        query: str | None = None,
        vector: list[float] | None = None,
    ) -> list[Hit]:
        """Return the hits of one query; see `MilvusStore.search`."""
        request = self._search_request(options, query, vector)
        return self._store.search(**self._embedded(request))

    async def ahits(
        self,
        options: Mapping[str, Any],
        query: str | None = None,
        vector: list[float] | None = None,
    ) -> list[Hit]:
        """Async twin of `hits`."""
        request = self._search_request(options, query, vector)
        return await self._store.asearch(**await self._aembedded(request))

    def unlike_hits(
        self,
        options: Mapping[str, Any],
        query: str | None = None,
        vector: list[float] | None = None,
        *,
        fetch_k: int | None,
        balance: float,
    ) -> list[Hit]:
        """Return the hits of one query that are unlike each other; see `MilvusStore.search_mmr`."""
        request = self._mmr_request(options, query, vector, fetch_k, balance)
        return self._store.search_mmr(**self._embedded(request))

    async def aunlike_hits(
        self,
        options: Mapping[str, Any],
        query: str | None = None,
        vector: list[float] | None = None,
        *,
        fetch_k: int | None,
        balance: float,
    ) -> list[Hit]:
        """Async twin of `unlike_hits`."""
        request = self._mmr_request(options, query, vector, fetch_k, balance)
        return await self._store.asearch_mmr(**await self._aembedded(request))

    def hits_of_each(self, options: Mapping[str, Any], queries: list[str]) -> list[list[Hit]]:
        """Return the hits of each query, with one call to Milvus per leg."""
        request = {**self.defaults, **search_arguments(options)}
        if (embeddings := self._wanted(request)) is not None:
            request["vectors"] = [embeddings.embed_query(query) for query in queries]
        return self._store.search_many(queries, **request)

    async def ahits_of_each(
        self, options: Mapping[str, Any], queries: list[str]
    ) -> list[list[Hit]]:
        """Async twin of `hits_of_each`."""
        request = {**self.defaults, **search_arguments(options)}
        if (embeddings := self._wanted(request)) is not None:
            embedding = (embeddings.aembed_query(query) for query in queries)
            request["vectors"] = await asyncio.gather(*embedding)
        return await self._store.asearch_many(queries, **request)

    def _search_request(
        self, options: Mapping[str, Any], query: str | None, vector: list[float] | None
    ) -> dict[str, Any]:
        return self._request(search_arguments(options), query, vector)

    def _mmr_request(
        self,
        options: Mapping[str, Any],
        query: str | None,
        vector: list[float] | None,
        fetch_k: int | None,
        balance: float,
    ) -> dict[str, Any]:
        request = self._request(search_arguments(options, MMROptions), query, vector)
        request.pop("with_vectors", None)  # its hits have them anyway
        # Not the default `fetch_k`, which says how deep the legs are read.
        return {**request, "fetch_k": fetch_k, "balance": balance}

    def _request(
        self, arguments: dict[str, Any], query: str | None, vector: list[float] | None
    ) -> dict[str, Any]:
        if query is None:
            arguments = {"mode": "dense", **arguments}
        return {**self.defaults, **arguments, "query": query, "vector": vector}

    def _embedded(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the request with the vector of its query, if it needs one that is missing."""
        if (embeddings := self._wanted(request)) is None:
            return request
        return {**request, "vector": embeddings.embed_query(request["query"])}

    async def _aembedded(self, request: dict[str, Any]) -> dict[str, Any]:
        """Async twin of `_embedded`."""
        if (embeddings := self._wanted(request)) is None:
            return request
        return {**request, "vector": await embeddings.aembed_query(request["query"])}

    def _wanted(self, request: Mapping[str, Any]) -> Embeddings | None:
        """Return what makes the vectors of a request, or None where it needs none."""
        has_vector = request.get("vector") is not None
        return None if has_vector or request.get("mode") == "sparse" else self._embeddings
