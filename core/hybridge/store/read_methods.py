"""The methods of a store that read: searches, rows by id, and all there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from hybridge.errors import InvalidInputError
from hybridge.filters import as_filter, match
from hybridge.protocols import RerankFunction
from hybridge.records import Hit, Record
from hybridge.retrieval.fusion import Fusion
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.store.plan import FIELDS, FetchK, Mode, make_record, valid_search
from hybridge.store.searching import search
from hybridge.store.selection import FilterLike, check, select, select_ids
from hybridge.store.session import Known, Session
from hybridge.store.tenancy import Tenant
from hybridge.store.threads import Threads, async_twin
from hybridge.store.validation import valid_ids
from hybridge.store.writing import batched

SCROLL_SIZE = 1000


class ReadMethods:
    """What `MilvusStore` finds, sync and async."""

    _session: Session
    _tenant: Tenant
    threads: Threads

    def exists(self) -> bool:
        """Say whether the collection is there; the first write makes it."""
        with self._session.entered() as known:
            return known is not None

    def get(
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: FilterLike = None,
        with_vectors: bool = False,
    ) -> list[Record]:
        """Return the records that every given selector selects.

        Args:
            ids: These records, in order; missing ones are left out.
            filter: Those that match.
            with_vectors: Whether records carry their vectors.

        Raises:
            InvalidInputError: If no selector is given; `scroll()` yields every row.
        """
        tree = as_filter(filter)
        if ids is None and tree is None:
            msg = "get() without a selector: give ids or filter; scroll() yields every row"
            raise InvalidInputError(msg)
        if ids is None:
            return list(self._scroll(tree, None, with_vectors))
        ids = valid_ids(ids)
        with self._session.entered() as known:
            if known is None:
                return []
            known.collection.flush_waiting()
            records = self._read(ids, known, with_vectors)
        return [record for record in records if match(tree, record)]

    def _read(self, ids: Sequence[str], known: Known, with_vectors: bool = False) -> list[Record]:
        fields = [*FIELDS, *(known.legs if with_vectors else ())]
        rows = known.collection.read(list(dict.fromkeys(ids)), fields)
        records = {row_id: make_record(row, known.legs) for row_id, row in rows.items()}
        return [
            records[row_id]
            for row_id in ids
            if row_id in records and self._tenant.owns(records[row_id], known.layout)
        ]

    def count(self, filter: FilterLike = None, *, expr: str | None = None) -> int:
        """Return how many rows there are, or match."""
        check(filter, expr)
        with self._session.entered() as known:
            if known is None:
                return 0
            wanted = self._tenant.scope(filter, known.layout)
            expressions = select(known.collection, known.layout, wanted, expr)
            return sum(known.collection.count(expression) for expression in expressions)

    def scroll(self, filter: FilterLike = None, *, expr: str | None = None) -> Iterator[Record]:
        """Yield every row, or every row that matches, as it is when it is reached.

        The ids are read when the iteration starts; rows deleted meanwhile are left out.
        """
        check(filter, expr)
        return self._scroll(filter, expr)

    def _scroll(
        self, filter: FilterLike, expr: str | None, with_vectors: bool = False
    ) -> Iterator[Record]:
        for ids in self._scroll_ids(filter, expr):
            with self._session.entered() as known:
                records = [] if known is None else self._read(ids, known, with_vectors)
            yield from records

    def _scroll_ids(self, filter: FilterLike, expr: str | None) -> Iterator[list[str]]:
        with self._session.entered() as known:
            if known is None:
                return
            known.collection.flush_waiting()
            wanted = self._tenant.scope(filter, known.layout)
            ids = select_ids(known.collection, known.layout, wanted, expr)
        yield from batched(ids, SCROLL_SIZE)

    async def ascroll(
        self, filter: FilterLike = None, *, expr: str | None = None
    ) -> AsyncIterator[Record]:
        """Async twin of `scroll`; it reads on the store's own threads."""
        batches = batched(self.scroll(filter, expr=expr), SCROLL_SIZE)
        while batch := await self.threads.run(lambda: next(batches, None)):
            for record in batch:
                yield record

    def search(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | None = None,
        k: int = 4,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        with_vectors: bool = False,
    ) -> list[Hit]:
        """Return the k best rows for one query, best first.

        Args:
            query: The text; BM25 always needs it, the dense leg where there is no vector.
            vector: The dense vector, shape `(dim,)`; the store's dense function makes it if None.
            k: How many hits.
            mode: "dense", "sparse" or "hybrid"; None means every leg that has an input.
            filter: Which rows may be found: a tree, its dictionary spelling, or None.
            expr: A raw Milvus expression that must hold as well.
            fusion: How two legs become one ranking: `ConfidenceWeighted()` if None,
                `ReciprocalRank()`, `Weighted()`, or Milvus's own "milvus-rrf", "milvus-weighted".
            fetch_k: How deep each leg is read in hybrid mode; max(4 k, 100) if None. A mapping
                such as {"sparse": 20} names legs.
            reranker: Orders the first max(20, 4 k) hits anew.
            with_vectors: Whether hits carry their vectors.

        Raises:
            InvalidInputError: If an argument makes no sense, or a leg has no input.
        """
        hits = self.search_many(
            None if query is None else [query],
            vectors=None if vector is None else [vector],
            k=k,
            mode=mode,
            filter=filter,
            expr=expr,
            fusion=fusion,
            fetch_k=fetch_k,
            reranker=reranker,
            with_vectors=with_vectors,
        )
        return hits[0]

    def search_many(
        self,
        queries: Sequence[str] | None = None,
        *,
        vectors: ArrayLike | Sequence[ArrayLike] | None = None,
        k: int = 4,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        with_vectors: bool = False,
    ) -> list[list[Hit]]:
        """Return the k best rows of each query: `search`, with one call to Milvus per leg.

        Args:
            queries: The texts.
            vectors: The dense vectors, shape `(len(queries), dim)`.
            k: See `search`, as for all that follow.
            mode: See `search`.
            filter: See `search`.
            expr: See `search`.
            fusion: See `search`.
            fetch_k: See `search`.
            reranker: See `search`.
            with_vectors: See `search`.
        """
        check(filter, expr)
        request = valid_search(
            queries=queries,
            vectors=vectors,  # type: ignore[arg-type]  # whatever NumPy makes rows of
            k=k,
            mode=mode,
            filter=filter,
            expr=expr,
            fusion=fusion,
            fetch_k=fetch_k,
            reranker=reranker,
            with_vectors=with_vectors,
        )
        with self._session.entered() as known:
            if known is None or request.size == 0:
                return [[] for _ in range(request.size)]
            self._tenant.require(known.layout)
            scope = self._tenant.scope(filter, known.layout)
            return search(replace(request, filter=scope), *known)

    def search_mmr(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | None = None,
        k: int = 4,
        fetch_k: int | None = None,
        balance: float = 0.5,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
    ) -> list[Hit]:
        """Return k rows that are relevant and unlike each other (maximal marginal relevance).

        Args:
            query: See `search`.
            vector: See `search`.
            k: How many hits.
            fetch_k: How many hits to choose them from; max(20, 4 k) if None.
            balance: lambda in [0, 1]: 1 is relevance alone, 0 is diversity alone.
            mode: See `search`.
            filter: See `search`.
            expr: See `search`.
            fusion: See `search`.

        Raises:
            InvalidInputError: If an argument makes no sense, or there are no dense vectors.
        """
        hits = self.search(
            query,
            vector=vector,
            k=max(20, 4 * k) if fetch_k is None else max(k, fetch_k),
            mode=mode,
            filter=filter,
            expr=expr,
            fusion=fusion,
            with_vectors=True,
        )
        vectors = [hit.dense for hit in hits if hit.dense is not None]
        if len(vectors) < len(hits):
            msg = "MMR compares dense vectors, and the collection has none"
            raise InvalidInputError(msg)
        if not hits:
            return []
        scores = np.array([hit.score for hit in hits], dtype=np.float32)
        return [hits[i] for i in maximal_marginal_relevance(scores, np.stack(vectors), k, balance)]

    aexists = async_twin(exists)
    aget = async_twin(get)
    acount = async_twin(count)
    asearch = async_twin(search)
    asearch_many = async_twin(search_many)
    asearch_mmr = async_twin(search_mmr)
