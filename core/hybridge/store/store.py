"""`MilvusStore`: records in, hits out, over Milvus Lite or a Milvus server."""

from __future__ import annotations

import copy
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from hybridge.closing import Closing
from hybridge.errors import InvalidInputError
from hybridge.filters import DOCUMENT_ID, ROW_ID, And, as_filter
from hybridge.protocols import DenseEmbeddingFunction, RerankFunction
from hybridge.records import Hit, Record
from hybridge.registry import as_dense_function
from hybridge.retrieval.fusion import Fusion
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.store.address import resolve_address
from hybridge.store.checking import check_bm25
from hybridge.store.demands import Demands
from hybridge.store.live_bm25 import LiveBM25
from hybridge.store.plan import FIELDS, FetchK, Mode, make_record, valid_search
from hybridge.store.reencoding import reencode
from hybridge.store.searching import search
from hybridge.store.selection import FilterLike, check, select, select_ids
from hybridge.store.session import Known, Session
from hybridge.store.sparse_choice import AUTO, Sparse, resolve_sparse
from hybridge.store.tenancy import Tenant
from hybridge.store.threads import Threads, async_twin
from hybridge.store.validation import valid_ids, valid_limit, valid_record
from hybridge.store.writing import (
    AsyncEncode,
    Encode,
    Landing,
    batched,
    erase_all,
    latest,
    live_bm25,
    texts_to_encode,
    with_dense,
    write,
)

BATCH_SIZE = 256
SCROLL_SIZE = 1000


class MilvusStore(Closing):
    """Records in a Milvus collection, searched by dense vectors, BM25, or both.

    Nothing is opened before the first call that needs Milvus, and the collection is made at the
    first write; reads before it return nothing. An existing collection is adopted: arguments left
    out take what it has, and one that contradicts it is an error.

    Every method may be called from any thread, and has an async twin (`asearch`, `aadd`, ...)
    that may be awaited in any event loop.

    Args:
        uri: A Milvus Lite path that ends in `.db`, or a server's URI; None takes `MILVUS_URI`,
            else `./milvus.db`.
        collection_name: The collection.
        token: The server's token; None takes `MILVUS_TOKEN`.
        db_name: The server's database.
        dense: Makes dense vectors from texts, or its name (`hybridge.registry`); without it, pass
            vectors.
        sparse: `"bm25"` (English), `"bm25:<language>"`, a sparse function or its name, or None for
            no sparse vectors. AUTO takes what the collection has, and means `"bm25"` for a new one.
            An unfitted `BM25EmbeddingFunction` gives its settings to the store's own BM25.
        dim: The length of dense vectors, where neither a function nor the first vectors say it.
        metadata_schema: Metadata keys that become typed columns as well, for fast filters:
            `{"year": int, "source": str}`.
        partition_key: The metadata key that tells tenants apart; see `for_tenant`.
        overwrite: Drop an existing collection of this name first.
        timeout: Seconds that one call to Milvus may take.

    Raises:
        InvalidInputError: If an argument makes no sense.
    """

    def __init__(
        self,
        uri: str | os.PathLike[str] | None = None,
        *,
        collection_name: str = "hybridge",
        token: str | None = None,
        db_name: str | None = None,
        dense: DenseEmbeddingFunction | str | None = None,
        sparse: Sparse = AUTO,
        dim: int | None = None,
        metadata_schema: Mapping[str, type] | None = None,
        partition_key: str | None = None,
        overwrite: bool = False,
        timeout: float | None = None,
    ) -> None:
        self.address = resolve_address(uri, token, db_name)
        self.collection_name = _valid_name(collection_name)
        self.dense = None if dense is None else as_dense_function(dense)
        self.threads = Threads("hybridge")
        demands = Demands(
            dense=self.dense,
            sparse=resolve_sparse(sparse),
            dim=dim,
            metadata_schema=metadata_schema,
            partition_key=partition_key,
        )
        self._session = Session(
            self.address, self.collection_name, demands, overwrite=overwrite, timeout=timeout
        )
        self._tenant = Tenant()

    def __repr__(self) -> str:
        bound = "" if self._tenant.value is None else f".for_tenant({self._tenant.value!r})"
        return (
            f"MilvusStore({str(self.address)!r}, collection_name={self.collection_name!r}){bound}"
        )

    @property
    def tenant(self) -> str | None:
        """The tenant that this view is bound to; None for a store that sees all."""
        return self._tenant.value

    def for_tenant(self, tenant: str) -> MilvusStore:
        """Return a view of this store that sees and writes the rows of one tenant only.

        The view shares everything with this store: closing one closes the other. BM25 counts the
        rows of all tenants.

        Args:
            tenant: The value of the partition key.

        Raises:
            InvalidInputError: If the tenant is no string, or empty.
        """
        view = copy.copy(self)
        view._tenant = Tenant.named(tenant)
        return view

    # --- writing -------------------------------------------------------------------------------

    def add(
        self,
        records: Iterable[Record],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        encode: Encode | None = None,
    ) -> list[str]:
        """Insert records, or overwrite those whose id is there already.

        A list is checked as a whole before anything is sent; another iterable batch by batch.
        Overwriting keeps `document_id` and `extra` where the record leaves them out.

        Args:
            records: What to store. The last of several with one id wins.
            batch_size: How many records are encoded and sent at once.
            progress: Whether to show a progress bar.
            encode: Makes one dense vector per text, in place of the store's dense function.

        Returns:
            One id per record, in order.

        Raises:
            InvalidInputError: If a record cannot be stored; it names the record.
            PartialWriteError: If a later batch fails; `landed` holds the ids that were written.
        """
        batches = self._checked_batches(records, batch_size)
        with self._session.entered(), Landing(_length(records), progress) as landing:
            for batch in batches:
                self._add_batch(latest(batch), encode)
                landing.count(batch)
        return landing.ids

    async def aadd(
        self,
        records: Iterable[Record],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        encode: AsyncEncode | None = None,
    ) -> list[str]:
        """Async twin of `add`; `encode` is awaited in the caller's event loop."""
        if encode is None:
            add = partial(self.add, records, batch_size=batch_size, progress=progress)
            return await self.threads.run(add)
        batches = await self.threads.run(partial(self._checked_batches, records, batch_size))
        with Landing(_length(records), progress) as landing:
            while batch := await self.threads.run(lambda: next(batches, None)):
                written = latest(batch)
                if texts := texts_to_encode(written):
                    written = with_dense(written, await encode(texts))
                await self.threads.run(partial(self.add, written, batch_size=batch_size))
                landing.count(batch)
        return landing.ids

    def _checked_batches(
        self, records: Iterable[Record], batch_size: int
    ) -> Iterator[list[Record]]:
        batch_size = valid_limit(batch_size, "batch_size")
        with self._session.entered() as known:
            there = self._session.demands if known is None else known.layout
        checked: Iterable[Record] = (
            self._tenant.claim(valid_record(record, position, there.columns), there.partition_key)
            for position, record in enumerate(records)
        )
        return batched(list(checked) if isinstance(records, Sequence) else checked, batch_size)

    def _add_batch(self, records: list[Record], encode: Encode | None) -> None:
        encode = encode or self._encoder()
        if encode is not None and (texts := texts_to_encode(records)):
            records = with_dense(records, encode(texts))
        shared = self._session.collection().shared
        with shared.lock:
            shared.refuse_if_broken()
            first = next((len(r.dense) for r in records if r.dense is not None), None)
            write(records, self._session.made(first))

    def _encoder(self) -> Encode | None:
        """Return what encodes texts: there must be a function, and a field for its vectors."""
        known = self._session.look()
        if self.dense is None or (known is not None and "dense" not in known.legs):
            return None
        return self.dense.encode_documents

    def delete(
        self,
        ids: Sequence[str] | None = None,
        *,
        document_id: str | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
    ) -> int:
        """Delete the rows that every given selector selects; ids that are missing are fine.

        Args:
            ids: These rows.
            document_id: The chunks of this document.
            filter: The rows that match.
            expr: The rows that a raw Milvus expression selects.

        Returns:
            How many rows there were.

        Raises:
            InvalidInputError: If no selector is given; `drop()` removes everything.
        """
        wanted = as_filter(filter)
        check(wanted, expr)
        if ids is None and document_id is None and wanted is None and not expr:
            msg = (
                "delete() without a selector: give ids, document_id, filter or expr; "
                "clear() removes every row, drop() the collection as well"
            )
            raise InvalidInputError(msg)
        ids = None if ids is None else list(dict.fromkeys(valid_ids(ids)))
        with self._session.entered() as known:
            if known is None or ids == []:
                return 0
            by_id = None if ids is None else ROW_ID.isin(ids)
            by_document = None if document_id is None else DOCUMENT_ID.isin([document_id])
            others = self._tenant.scope(And([wanted, by_document]), known.layout)
            if ids is None or others is not None or expr:
                wanted = And([by_id, others])
                ids = select_ids(known.collection, known.layout, wanted, expr)
            return erase_all(ids, known)

    def flush(self) -> None:
        """Make what was written fast to search at once, instead of at the next read."""
        with self._session.entered() as known:
            if known is not None:
                known.collection.flush()

    def drop(self) -> None:
        """Remove the collection and its companion; the next write makes them anew.

        Raises:
            InvalidInputError: If this is the view of one tenant.
        """
        if self._tenant.value is not None:
            msg = "drop() would remove all tenants: use clear() to remove the rows of this one"
            raise InvalidInputError(msg)
        with self._session.entered():
            self._session.collection().drop()

    def clear(self) -> None:
        """Remove every row; the collection keeps its dimension, its analyzer and its columns."""
        with self._session.entered() as known:
            if known is None:
                return
            if self._tenant.value is None:
                known.collection.clear()
            else:
                scope = self._tenant.scope(None, known.layout)
                erase_all(select_ids(known.collection, known.layout, scope), known)

    # --- reading -------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Say whether the collection is there; the first write makes it."""
        with self._session.entered() as known:
            return known is not None

    def get(self, ids: Sequence[str], *, with_vectors: bool = False) -> list[Record]:
        """Return the records of these ids, in order, leaving out those that are missing."""
        ids = valid_ids(ids)
        with self._session.entered() as known:
            if known is None:
                return []
            known.collection.flush_waiting()
            return self._read(ids, known, with_vectors)

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

    def _scroll(self, filter: FilterLike, expr: str | None) -> Iterator[Record]:
        for ids in self._scroll_ids(filter, expr):
            with self._session.entered() as known:
                records = [] if known is None else self._read(ids, known)
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

    # --- BM25 ----------------------------------------------------------------------------------

    def explain(self, query: str, id: str) -> dict[str, float]:
        """Return what each term of a query adds to the BM25 score of a row, largest first.

        The terms are those that the analyzer makes; their sum is `hit.scores["sparse"].score`.

        Raises:
            InvalidInputError: If there is no such row, or the store has no BM25 of its own.
        """
        with self._session.entered() as known:
            bm25 = self._bm25(known)
            records = [] if known is None else self._read(valid_ids([id]), known)
            if not records:
                msg = f"there is no row {id!r:.80} to explain"
                raise InvalidInputError(msg)
            return bm25.explain(query, records[0].text)

    def check(self) -> list[str]:
        """Count the live rows afresh and return what differs from what BM25 keeps.

        Returns:
            A sentence per difference, each naming the method that mends it; [] if all is well.
        """
        with self._session.entered() as known:
            return check_bm25(self._session.collection(), self._bm25(known))

    def rebuild_statistics(self) -> None:
        """Put a fresh count of the live rows in the place of the BM25 statistics."""
        with self._session.entered() as known:
            self._bm25(known).recount()

    def reencode_sparse(self, *, progress: bool = False) -> int:
        """Weigh every document by the true average length; goes on where it was interrupted.

        Collections of up to 10,000 documents do this by themselves.

        Args:
            progress: Whether to show a progress bar.

        Returns:
            How many rows were written.
        """
        with self._session.entered() as known:
            return reencode(self._session.collection(), self._bm25(known), progress=progress)

    @staticmethod
    def _bm25(known: Known | None) -> LiveBM25:
        bm25 = None if known is None else live_bm25(known.legs)
        if bm25 is None:
            msg = (
                "this store has no BM25 of its own: it has no rows yet, or another sparse function"
            )
            raise InvalidInputError(msg)
        return bm25

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for the calls under way, flush, and release the path for other processes.

        Closing twice is fine. Afterwards every call raises StoreClosedError.
        """
        self._session.close()
        self.threads.close()

    adelete = async_twin(delete)
    aexists = async_twin(exists)
    aget = async_twin(get)
    acount = async_twin(count)
    aflush = async_twin(flush)
    aclear = async_twin(clear)
    adrop = async_twin(drop)
    asearch = async_twin(search)
    asearch_many = async_twin(search_many)
    asearch_mmr = async_twin(search_mmr)
    aexplain = async_twin(explain)
    acheck = async_twin(check)
    arebuild_statistics = async_twin(rebuild_statistics)
    areencode_sparse = async_twin(reencode_sparse)
    aclose = async_twin(close)


def _valid_name(name: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        msg = (
            f"collection_name={name!r}: Milvus takes ASCII letters, digits and _, not starting "
            "with a digit"
        )
        raise InvalidInputError(msg)
    return name


def _length(items: Iterable[object]) -> int | None:
    return len(items) if isinstance(items, Sequence) else None
