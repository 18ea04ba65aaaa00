"""`MilvusStore`: records in, hits out, over Milvus Lite or a Milvus server."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import (
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

from numpy.typing import ArrayLike
from typing_extensions import Self

from hybridge.arguments import check_choice, check_flag, check_label, shown
from hybridge.closing import Closing, closed_on_error
from hybridge.copies import SharedCopies
from hybridge.errors import HybridgeError, InvalidInputError, StoreError
from hybridge.filters import DOCUMENT_ID, And, Filter, as_filter, match_all
from hybridge.function_settings import HARMLESS
from hybridge.narrowing import is_iterable, is_mapping, is_number, is_sequence
from hybridge.protocols import DenseEmbeddingFunction, RerankFunction
from hybridge.records import Hit, Record
from hybridge.registry import as_dense_function, as_sparse_function
from hybridge.retrieval.fusion import Fusion
from hybridge.store import health, write
from hybridge.store.batches import BATCH_SIZE, batched
from hybridge.store.bm25.checking import check_bm25
from hybridge.store.bm25.enabling import enable, parse_bm25
from hybridge.store.bm25.live import AVERAGED, LiveBM25
from hybridge.store.bm25.reencoding import reencode
from hybridge.store.bm25.reindexing import (
    adopt,
    analyzed_here,
    check_current,
    finish,
    reindex,
)
from hybridge.store.columns import add_column
from hybridge.store.encoding import awaits
from hybridge.store.engine.address import resolve_address
from hybridge.store.engine.companion import SUFFIX
from hybridge.store.engine.interrupts import interrupted_after
from hybridge.store.fields import AUTO, DenseField, Sparse, VectorField
from hybridge.store.hints import hint_at_paths
from hybridge.store.layout import Layout, LayoutRequest, check_metadata_column
from hybridge.store.metadata import MetadataEncoder, parse_encoder
from hybridge.store.offline import Counts, Plan, freeze_averages, publish
from hybridge.store.operation import logged, operation, repeated
from hybridge.store.pickling import (
    kept_arguments,
    pack_arguments,
    pack_function,
    unpack_arguments,
    unpack_functions,
)
from hybridge.store.query import (
    MMR,
    FetchK,
    FilterLike,
    Mode,
    Query,
    SearchParams,
    check_expression,
    parse_limit,
)
from hybridge.store.rows import NewIds, parse_id, parse_ids, parse_record, vector_columns
from hybridge.store.rows import to_record as make_record
from hybridge.store.search import Search, check_mode, prepare
from hybridge.store.search_config import SearchConfig, parse_config
from hybridge.store.selection import Selection
from hybridge.store.server_options import ServerOptions, parse_server_options
from hybridge.store.session import Opened, Session
from hybridge.store.tenancy import Tenant
from hybridge.store.threads import Calls, CallsOfView, Threads
from hybridge.store.write import WriteProgress

T = TypeVar("T")

logger = logging.getLogger("hybridge")

SCROLL_SIZE = 1000
_ATTEMPTS = 3


class MilvusStore(SharedCopies, Closing):
    """Records in a Milvus collection, searched by any number of vector fields and by BM25.

    Nothing is opened before the first call that needs Milvus, and the collection is made at the
    first write; reads before it return nothing. An existing collection is adopted: arguments left
    out take what it has, and one that contradicts it is an error.

    Every method may be called from any thread, and has an async twin (`asearch`, `aadd`, ...)
    that may be awaited in any event loop.

    Copies, deep ones too, are views: closing one closes all. A pickle holds the address, these
    arguments, the tenant, and functions of Hybridge by name; no token and no key: where it is
    loaded, the environment is read again. A function of another library is refused there.

    Args:
        uri: A Milvus Lite path that ends in `.db`, or a server's URI; None takes `MILVUS_URI`,
            else `./milvus.db`.
        collection_name: The collection.
        token: The server's token; None takes `MILVUS_TOKEN`.
        db_name: The server's database.
        dense: Makes the vectors of the field "dense", or its name (`hybridge.registry`); without
            it, pass vectors.
        sparse: The field "sparse": `"bm25"` (English), `"bm25:<language>"`, a sparse function or
            its name, or None for no such field. AUTO takes what the collection has, and means
            `"bm25"` for a new one. An unfitted `BM25EmbeddingFunction` gives its settings to the
            store's own BM25. `"milvus"` and `"milvus:<language>"` are a server's own BM25, for
            collections whose counts are too many for clients: its hits have no relevance.
        fields: Further vector fields by name, such as
            `{"title": DenseField("openai/…", source="title")}`.
        search_fields: The fields that a search uses which names none; None means "dense" and
            "sparse" as far as they are there, else all.
        config: A file that `hybridge eval` has written, or a `SearchConfig`: what a search does
            that says nothing. `search_fields` goes first.
        dim: The length of the vectors of "dense", where neither a function nor the first vectors
            say it.
        metadata_schema: Metadata keys that become typed columns as well, for fast filters:
            `{"year": int, "source": str}`.
        partition_key: The metadata key that tells tenants apart; see `for_tenant`.
        text: The column that holds the text, in a collection that another library made.
        metadata: The JSON column that holds the metadata there.
        average_length: The average document length in tokens, where it is known, for BM25; None
            lets the first 1,000 documents fix it.
        health: Whether it is measured after writes how well each model finds the documents by
            their own words, by 64 encoded queries at most, so that one that does not know their
            language has no say in hybrid searches. None measures the models that no API bills.
        metadata_encoder: Makes what JSON can hold of metadata that it cannot, such as dates:
            `hybridge.plain_value`, or a function of your own. Without it they are refused.
        overwrite: Drop an existing collection of this name first.
        timeout: Seconds that one call to Milvus may take; None means 60 for a server and 600 for a
            path.
        in_process_search: Whether the rows of a path, which Milvus Lite holds in this process, are
            searched there, several times as fast as by its own search, with the same hits. What it
            is not known how to search is left to the engine; `describe` says who searches.
        server: The settings of a server, such as `ServerOptions(num_shards=2)`; on a path they have
            no effect.

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
        fields: Mapping[str, VectorField] | None = None,
        search_fields: Sequence[str] | None = None,
        config: str | os.PathLike[str] | SearchConfig | None = None,
        dim: int | None = None,
        metadata_schema: Mapping[str, type] | None = None,
        partition_key: str | None = None,
        text: str | None = None,
        metadata: str | None = None,
        average_length: float | None = None,
        health: bool | None = None,
        metadata_encoder: MetadataEncoder | None = None,
        overwrite: bool = False,
        timeout: float | None = None,
        in_process_search: bool = True,
        server: ServerOptions | None = None,
    ) -> None:
        config = parse_config(config)
        self._arguments = kept_arguments(locals())
        request = LayoutRequest.parse_arguments(self._arguments)
        options = parse_server_options(server)
        options.check_beside(request.expected.values(), partition_key)
        self.address = resolve_address(uri, token, db_name, options.tls)
        self.collection_name = _parse_name(collection_name)
        self.threads = Threads("hybridge")
        self._search_fields = _parse_search_fields(search_fields) or config.search_fields
        self._defaults = config.defaults()
        self._health = _parse_health(health)
        self._encoder = parse_encoder(metadata_encoder)
        self._average_length = _parse_positive(average_length, "average_length", "tokens")
        self._session = Session(
            self.address,
            self.collection_name,
            request,
            overwrite=overwrite,
            timeout=_parse_positive(timeout, "timeout", "seconds"),
            options=options,
            in_process_search=in_process_search,
        )
        self._calls: Calls = self._session.calls
        self._functions: dict[str, Any] = {}
        self._tenant = Tenant()

    def __repr__(self) -> str:
        bound = "" if self._tenant.value is None else f".for_tenant({self._tenant.value!r})"
        return (
            f"MilvusStore({str(self.address)!r}, collection_name={self.collection_name!r}){bound}"
        )

    # --- pickles -------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {
            "uri": str(self.address),
            "db_name": self.address.db_name,
            "arguments": pack_arguments(self._arguments),
            "functions": {
                name: pack_function(one, f"the function of {name!r}")
                for name, one in self._functions.items()
            },
            "tenant": self._tenant,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        arguments = unpack_arguments(state["arguments"])
        type(self).__init__(self, state["uri"], db_name=state["db_name"], **arguments)
        self._functions = unpack_functions(state["functions"])
        self._tenant = state["tenant"]

    # --- making one, and views of it -----------------------------------------------------------

    @classmethod
    def open(
        cls,
        uri: str | os.PathLike[str] | None = None,
        *,
        collection_name: str = "hybridge",
        **arguments: Any,
    ) -> Self:
        """Open a collection that is there, with the models that can be made from their names.

        Where the vectors were made by such models, a search needs nothing but the path.

        Args:
            uri: See the class.
            collection_name: See the class.
            **arguments: The other arguments of the class.

        Raises:
            InvalidInputError: If there is no such collection.
        """
        store = cls(uri, collection_name=collection_name, **arguments)
        with closed_on_error(store), store._call() as opened:
            if opened is None:
                raise store._absent("MilvusStore")
            return store.using(**_made_by_name(opened))

    def using(self, **functions: Any) -> Self:
        """Return a view of this store in which fields have other functions.

        The view shares everything with this store: closing one closes the other. Fields that the
        collection lacks are not encoded.

        Args:
            **functions: An embedding function, or its name, by field; with None its vectors come
                along, and a new collection keeps the name of the model that the store has for it.

        Raises:
            InvalidInputError: If one is no such function.
        """
        parse = {"sparse": as_sparse_function}
        parsed = {
            name: None if one is None else parse.get(name, as_dense_function)(one)
            for name, one in functions.items()
        }
        view = copy.copy(self)
        view._functions = {**self._functions, **parsed}
        return view

    def for_tenant(self, tenant: str) -> Self:
        """Return a view of this store that sees and writes the rows of one tenant only.

        Ids belong to tenants: two of them may use the same. BM25 counts the tenant's rows alone.
        Closing the view ends the view; closing this store ends both.

        Args:
            tenant: The value of the partition key.

        Raises:
            InvalidInputError: If the tenant is no string, or empty, or this is the view of another.
        """
        named = Tenant.named(tenant)
        if self._tenant.value not in (None, named.value):
            msg = f"this is the view of {self._tenant.value!r:.80}: others are made by the store"
            raise InvalidInputError(msg)
        view = copy.copy(self)
        view._tenant = named
        view._calls = CallsOfView(f"this view of {self.collection_name!r}", self._session.calls)
        return view

    def configured(self, config: SearchConfig) -> Self:
        """Return a view of this store whose searches do what a configuration says.

        The view shares everything with this store: closing one closes the other. `SearchConfig()`
        is a store without a configuration.

        Args:
            config: What a search does that says nothing, in place of this store's `config` and
                `search_fields`.

        Raises:
            InvalidInputError: If it is no configuration, or its reranker cannot be made.
        """
        view = copy.copy(self)
        config = parse_config(config)
        view._arguments = {**self._arguments, "config": config, "search_fields": None}
        view._search_fields, view._defaults = config.search_fields, config.defaults()
        return view

    @property
    def tenant(self) -> str | None:
        """The tenant that this view is bound to; None for a store that sees all."""
        return self._tenant.value

    @property
    def dense(self) -> DenseEmbeddingFunction | None:
        """What makes the vectors of the field "dense", where the store has it."""
        function: DenseEmbeddingFunction | None = self.function("dense")
        return function

    @property
    def config(self) -> SearchConfig:
        """What searches do that say nothing."""
        config: SearchConfig = self._arguments["config"]
        return config

    @property
    def search_fields(self) -> tuple[str, ...] | None:
        """The fields that a search uses which names none, where the store was told."""
        return self._search_fields

    def function(self, field: str) -> Any:
        """Return the embedding function that was given for a field, or None.

        Raises:
            InvalidInputError: If `field` is no string.
        """
        check_label(field, "field")
        asked = self._session.request.fields.get(field)
        return self._functions.get(field, None if asked is None else asked.function)

    # --- searching -----------------------------------------------------------------------------

    def search(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        offset: int = 0,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[Hit]:
        """Return the k best rows for one query, best first; `Query` says what each option means.

        Args:
            query: The text; BM25 always needs it, other fields where there is no vector.
            vector: The vector for "dense", shape `(dim,)`, or vectors by field.
            k: How many hits.
            offset: How many of the best are left out.
            mode: The fields to search.
            filter: Which rows may be found.
            expr: A raw Milvus expression that must hold as well.
            fusion: How several rankings become one.
            fetch_k: How deep each field is read where several are fused.
            reranker: Orders the first max(20, 4 k) hits anew.
            min_relevance: The least relevance, in [0, 1], of a hit.
            with_vectors: Whether hits carry their vectors.
            search_params: What the indexes of a server are searched with, such as `{"ef": 128}`.

        Raises:
            InvalidInputError: If an argument makes no sense, or a field has no input.
        """
        asked = Query.parse(
            **_one(query, vector),
            k=k, offset=offset, mode=mode, filter=filter, expr=expr, fusion=fusion,
            fetch_k=fetch_k, reranker=reranker, min_relevance=min_relevance,
            with_vectors=with_vectors, search_params=search_params, defaults=self._defaults,
        )  # fmt: skip
        return self._search(asked)[0]

    async def asearch(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        offset: int = 0,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[Hit]:
        """Async twin of `search`."""
        asked = Query.parse(
            **_one(query, vector),
            k=k, offset=offset, mode=mode, filter=filter, expr=expr, fusion=fusion,
            fetch_k=fetch_k, reranker=reranker, min_relevance=min_relevance,
            with_vectors=with_vectors, search_params=search_params, defaults=self._defaults,
        )  # fmt: skip
        return (await self._asearch(asked))[0]

    def search_many(
        self,
        queries: Sequence[str] | None = None,
        *,
        vectors: ArrayLike | Sequence[ArrayLike] | Mapping[str, Any] | None = None,
        k: int = 4,
        offset: int = 0,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[list[Hit]]:
        """Return the k best rows of each query: `search`, with one call to Milvus per field.

        Args:
            queries: The texts.
            vectors: The vectors for "dense", shape `(len(queries), dim)`, or such by field.
            k: See `search`, as for all that follow.
            offset: See `search`.
            mode: See `search`.
            filter: See `search`.
            expr: See `search`.
            fusion: See `search`.
            fetch_k: See `search`.
            reranker: See `search`.
            min_relevance: See `search`.
            with_vectors: See `search`.
            search_params: See `search`.
        """
        asked = Query.parse(
            queries=queries, vectors=vectors,
            k=k, offset=offset, mode=mode, filter=filter, expr=expr, fusion=fusion,
            fetch_k=fetch_k, reranker=reranker, min_relevance=min_relevance,
            with_vectors=with_vectors, search_params=search_params, defaults=self._defaults,
        )  # fmt: skip
        return self._search(asked)

    async def asearch_many(
        self,
        queries: Sequence[str] | None = None,
        *,
        vectors: ArrayLike | Sequence[ArrayLike] | Mapping[str, Any] | None = None,
        k: int = 4,
        offset: int = 0,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[list[Hit]]:
        """Async twin of `search_many`."""
        asked = Query.parse(
            queries=queries, vectors=vectors,
            k=k, offset=offset, mode=mode, filter=filter, expr=expr, fusion=fusion,
            fetch_k=fetch_k, reranker=reranker, min_relevance=min_relevance,
            with_vectors=with_vectors, search_params=search_params, defaults=self._defaults,
        )  # fmt: skip
        return await self._asearch(asked)

    def search_mmr(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        fetch_k: int | None = None,
        balance: float = 0.5,
        mmr_field: str | None = None,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[Hit]:
        """Return k rows that are relevant and unlike each other (maximal marginal relevance).

        Args:
            query: See `search`.
            vector: See `search`.
            k: How many hits.
            fetch_k: How many hits to choose them from; max(20, 4 k) if None.
            balance: lambda in [0, 1]: 1 is relevance alone, 0 is diversity alone.
            mmr_field: The dense field that is compared; the first one if None.
            mode: See `search`.
            filter: See `search`.
            expr: See `search`.
            fusion: See `search`.
            min_relevance: See `search`.
            with_vectors: See `search`.
            search_params: See `search`.

        Raises:
            InvalidInputError: If an argument makes no sense, or there are no dense vectors.
        """
        asked = Query.parse(
            **_one(query, vector),
            k=k,
            mode=mode,
            filter=filter,
            expr=expr,
            fusion=fusion,
            min_relevance=min_relevance,
            with_vectors=with_vectors,
            search_params=search_params,
            mmr=MMR(fetch_k, balance, mmr_field), defaults=self._defaults,
        )  # fmt: skip
        return self._search(asked)[0]

    async def asearch_mmr(
        self,
        query: str | None = None,
        *,
        vector: ArrayLike | Mapping[str, Any] | None = None,
        k: int = 4,
        fetch_k: int | None = None,
        balance: float = 0.5,
        mmr_field: str | None = None,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
    ) -> list[Hit]:
        """Async twin of `search_mmr`."""
        asked = Query.parse(
            **_one(query, vector),
            k=k,
            mode=mode,
            filter=filter,
            expr=expr,
            fusion=fusion,
            min_relevance=min_relevance,
            with_vectors=with_vectors,
            search_params=search_params,
            mmr=MMR(fetch_k, balance, mmr_field), defaults=self._defaults,
        )  # fmt: skip
        return (await self._asearch(asked))[0]

    @operation("search")
    def _search(self, query: Query) -> list[list[Hit]]:
        with self._calls.running():
            search = self._prepare(query)
            if search is None:
                return [[] for _ in range(query.size)]
            search.encoding.run()
            return search.run()

    async def _asearch(self, query: Query) -> list[list[Hit]]:
        run = self.threads.run
        if not self._awaits:
            return await run(partial(self._search, query))
        with logged("search") as log:
            answer = await self._session.arepeat(partial(self._awaited, query), self.threads)
            log(answer)
            return answer

    async def _awaited(self, query: Query) -> list[list[Hit]]:
        """Search with functions that are awaited in the caller's event loop."""
        run = self.threads.run
        search = await run(partial(self._counted, partial(self._prepare, query)))
        if search is None:
            return [[] for _ in range(query.size)]
        await search.encoding.arun(self.threads)
        return await run(partial(self._counted, search.run))

    def _prepare(self, query: Query) -> Search | None:
        """Return the checked search, or None where there is nothing to find yet."""
        opened = self._find()
        if opened is None:
            check_mode(query, list(self._expected()))
            return None
        scope = self._tenant.search_scope(query.filter, opened.layout)
        search = prepare(query, opened, scope, self._search_fields, self._session.models)
        return search if query.size else None

    @property
    def _awaits(self) -> bool:
        """Whether some function is awaited in the caller's event loop."""
        return awaits(self._expected().values())

    def _expected(self) -> Mapping[str, VectorField]:
        """Return the fields that a new collection has, with the functions of this view."""
        fields = dict(self._session.request.expected)
        for name, function in self._functions.items():
            if name not in fields:
                fields = {name: DenseField(name=name), **fields}
            fields[name] = fields[name].named().of_function(function)
        return fields

    def _find(self, *, give_up: bool = False) -> Opened | None:
        """Return the collection with the functions of this view, or None if nothing is there."""
        opened = self._session.find(give_up=give_up)
        if opened is None:
            return None
        if self._tenant.value is not None:
            opened = opened.of_tenant(self._tenant.value)
        return opened.using(self._functions)

    def _counted(self, call: Callable[[], T]) -> T:
        """Run a part of a call, keeping the store open as long."""
        with self._calls.running():
            return call()

    def _check_unbound(self, method: str) -> None:
        """Refuse what is for all tenants in the view of one."""
        if self._tenant.value is not None:
            msg = f"{method}() is for all tenants: call it on the store, not on the view of one"
            raise InvalidInputError(msg)

    @contextmanager
    def _call(self, *, give_up: bool = False) -> Generator[Opened | None]:
        """Keep the store open for a call; give the collection with the functions of this view.

        Args:
            give_up: Whether the call gives up rows that damage has taken, instead of refusing.
        """
        with self._calls.running():
            yield self._find(give_up=give_up)

    # --- reading -------------------------------------------------------------------------------

    @operation("exists")
    def exists(self) -> bool:
        """Say whether the collection is there; the first write makes it."""
        with self._call() as opened:
            return opened is not None

    async def aexists(self) -> bool:
        """Async twin of `exists`."""
        return await self.threads.run(self.exists)

    def check_exists(self, maker: str) -> None:
        """Refuse a collection that is not there.

        Args:
            maker: The class that makes a new one, for the error.

        Raises:
            InvalidInputError: If it is not there.
        """
        if not self.exists():
            raise self._absent(maker)

    def _absent(self, maker: str) -> InvalidInputError:
        return InvalidInputError(
            f"there is no collection {self.collection_name!r} at {self.address}: check uri and "
            f"collection_name; {maker}(...) makes a new one"
        )

    def field_names(self) -> list[str]:
        """Return the names of the vector fields that the collection has, or will have."""
        return list(self.vector_fields())

    @repeated
    def vector_fields(self) -> Mapping[str, VectorField]:
        """Return the vector fields that the collection has, or will have, by name."""
        with self._call() as opened:
            return self._expected() if opened is None else opened.fields

    def metadata_columns(self) -> Mapping[str, type]:
        """Return the metadata keys that are, or will be, typed columns, and their types."""
        return self._there().columns

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
        check_flag(with_vectors, "with_vectors")
        if ids is None and tree is None:
            msg = "get() without a selector: give ids or filter; scroll() yields every row"
            raise InvalidInputError(msg)
        if ids is None:
            return list(self._scroll(tree, None, with_vectors))
        ids = parse_ids(ids)
        by_id = {str(record.id): record for record in self._get(ids, with_vectors)}
        return match_all(tree, [by_id[row_id] for row_id in ids if row_id in by_id])

    @operation("get")
    def _get(self, ids: Sequence[str], with_vectors: bool) -> list[Record]:
        with self._call() as opened:
            if opened is None:
                return []
            opened.collection.flush_waiting()
            keys = self._tenant.keys(ids, opened.layout)
            return self._read(keys, opened, with_vectors)

    async def aget(
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: FilterLike = None,
        with_vectors: bool = False,
    ) -> list[Record]:
        """Async twin of `get`."""
        get = partial(self.get, ids, filter=filter, with_vectors=with_vectors)
        return await self.threads.run(get)

    @operation("count")
    def count(self, filter: FilterLike = None, *, expr: str | None = None) -> int:
        """Return how many rows there are, or match."""
        tree = as_filter(filter)
        check_expression(expr)
        with self._call() as opened:
            if opened is None:
                return 0
            scope = self._tenant.scope(tree, opened.layout)
            count = Selection(opened.collection, opened.layout, scope, expr).count()
            if not count:
                hint_at_paths(tree, opened)
            return count

    async def acount(self, filter: FilterLike = None, *, expr: str | None = None) -> int:
        """Async twin of `count`."""
        return await self.threads.run(partial(self.count, filter, expr=expr))

    def scroll(
        self, filter: FilterLike = None, *, expr: str | None = None, with_vectors: bool = False
    ) -> Iterator[Record]:
        """Yield every row, or every row that matches, each as it is when its page is read.

        The ids are read when the iteration starts, those of a server page by page, in their order:
        what is written meanwhile may be among them. Rows deleted meanwhile are left out.

        Args:
            filter: Which rows.
            expr: A raw Milvus expression that must hold as well.
            with_vectors: Whether records carry their vectors.
        """
        tree = as_filter(filter)
        check_expression(expr)
        check_flag(with_vectors, "with_vectors")
        return self._scroll(tree, expr, with_vectors)

    async def ascroll(
        self, filter: FilterLike = None, *, expr: str | None = None, with_vectors: bool = False
    ) -> AsyncIterator[Record]:
        """Async twin of `scroll`; it reads on the store's own threads."""
        records = self.scroll(filter, expr=expr, with_vectors=with_vectors)
        batches = batched(records, SCROLL_SIZE)
        while batch := await self.threads.run(lambda: next(batches, None)):
            for record in batch:
                yield record

    def _scroll(
        self, tree: Filter | None, expr: str | None, with_vectors: bool
    ) -> Iterator[Record]:
        keys = self._select(tree, expr)
        while page := self._next(keys):
            yield from self._page(page, with_vectors)

    @repeated
    def _select(self, tree: Filter | None, expr: str | None) -> Iterator[str]:
        with self._call() as opened:
            if opened is None:
                return iter(())
            opened.collection.flush_waiting()
            scope = self._tenant.scope(tree, opened.layout)
            keys = Selection(opened.collection, opened.layout, scope, expr).keys()
            first = list(islice(keys, SCROLL_SIZE))
            if not first:
                hint_at_paths(tree, opened)
            return chain(first, keys)

    def _next(self, keys: Iterator[str]) -> list[str]:
        """Return the next of the keys; a failure is not repeated, which would end them quietly."""
        with self._call():
            return list(islice(keys, SCROLL_SIZE))

    @operation("scroll")
    def _page(self, keys: Sequence[str], with_vectors: bool) -> list[Record]:
        with self._call() as opened:
            return [] if opened is None else self._read(keys, opened, with_vectors)

    def _read(self, keys: Sequence[str], opened: Opened, with_vectors: bool) -> list[Record]:
        """Return the records of keys, in order, that this view may see."""
        layout = opened.layout
        fields: Mapping[str, VectorField] = layout.fields if with_vectors else {}
        columns = ["id", *layout.data_columns, *vector_columns(layout, fields)]
        rows = opened.collection.read(keys, columns)
        records = [make_record(rows[key], fields) for key in keys if key in rows]
        return [record for record in records if self._tenant.owns(record, layout)]

    # --- writing -------------------------------------------------------------------------------

    def add(
        self,
        records: Iterable[Record],
        *,
        ids: NewIds = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Insert records, or overwrite those whose id is there already.

        A list is checked as a whole before anything is sent; another iterable batch by batch.
        Overwriting keeps `document_id`, `context`, `extra`, and the vectors of fields that nobody
        here encodes, where the record leaves them out.

        Args:
            records: What to store. The last of several with one id wins.
            ids: What a record without an id gets: a UUID, or with "content" one that is made of its
                content (`Record.content_id`), so that the same record again overwrites itself.
            batch_size: How many records are encoded and sent at once.
            progress: Whether to show a progress bar.

        Returns:
            One id per record, in order.

        Raises:
            InvalidInputError: If a record cannot be stored; it names the record.
            PartialWriteError: If a later batch fails; `landed` holds the ids that were written.
        """
        started = WriteProgress(_length(records), progress)
        with logged("add") as log, self._calls.running(), started as written:
            batches = self._batches(records, batch_size, ids)
            head, rest = self._first_batches(batches)
            for batch in chain(head, rest):
                left = write.Committed(batch, {})
                while left.again:
                    prepared = self._prepare_batch(left.again)
                    prepared.encoding.run()
                    left = self._commit(prepared, head)
                    self._examine(prepared)
                written.count(batch, left.numbers)
            log(written.ids)
        return written.ids

    async def aadd(
        self,
        records: Iterable[Record],
        *,
        ids: NewIds = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Async twin of `add`; async functions are awaited in the caller's event loop."""
        run = self.threads.run
        if not self._awaits:
            add = partial(self.add, records, ids=ids, batch_size=batch_size, progress=progress)
            return await run(add)
        batches = await run(partial(self._batches, records, batch_size, ids))
        with logged("add") as log, WriteProgress(_length(records), progress) as written:
            head, rest = await run(partial(self._first_batches, batches))
            every = chain(head, rest)
            while batch := await run(lambda: next(every, None)):
                left = write.Committed(batch, {})
                while left.again:
                    prepared = await run(partial(self._prepare_batch, left.again))
                    await prepared.encoding.arun(self.threads)
                    left = await run(partial(self._commit, prepared, head))
                    await self._aexamine(prepared)
                written.count(batch, left.numbers)
            log(written.ids)
        return written.ids

    def _batches(
        self, records: Iterable[Record], batch_size: int, ids: NewIds
    ) -> Iterator[list[Record]]:
        """Return the records in batches, each checked as far as it can be without encoding."""
        if ids is not None:
            check_choice(ids, "ids", ("content",))
        batch_size = parse_limit(batch_size, "batch_size")
        if is_mapping(records) or not is_iterable(records):
            msg = f"records is a {type(records).__name__}: give a list of hybridge.Record objects"
            raise InvalidInputError(msg)
        there = self._there()
        checked: Iterable[Record] = (
            self._tenant.mark(
                parse_record(record, position, there.columns, ids, self._encoder),
                there.partition_key,
            )
            for position, record in enumerate(records)
        )
        if not isinstance(records, Sequence):
            return batched(checked, batch_size)
        checked = list(checked)
        if len(checked) > batch_size:
            self._prepare_batch(checked)  # the first batch is checked before it is sent anyway
        return batched(checked, batch_size)

    @repeated
    def _there(self) -> Layout | LayoutRequest:
        """Return what the collection holds, or will hold."""
        with self._call() as opened:
            return self._session.request if opened is None else opened.layout

    @repeated
    def _has_average(self) -> bool:
        """Whether the average length is fixed of every BM25 field."""
        with self._call() as opened:
            return opened is not None and all(one.average_length for one in opened.bm25)

    def _first_batches(
        self, batches: Iterator[list[Record]]
    ) -> tuple[list[list[Record]], Iterator[list[Record]]]:
        """Return as many batches as fix the average length, where nothing has, and the rest.

        What came before a record that cannot be stored is written all the same.
        """
        if self._has_average():
            return [], batches
        head: list[list[Record]] = []
        try:
            while sum(map(len, head)) < AVERAGED and (batch := next(batches, None)):
                head.append(batch)
        except Exception as error:  # noqa: BLE001  # it is raised again after the writes
            return head, _raising(error)
        return head, batches

    @repeated
    def _prepare_batch(self, records: Sequence[Record]) -> write.Batch:
        with self._call() as opened:
            if opened is not None and not opened.layout.has_context:
                records = write.fitted(records, opened)
            there = self._session.request if opened is None else opened.layout
            return write.prepare(
                records,
                self._expected() if opened is None else opened.fields,
                self._session.models,
                partition_key=there.partition_key,
                is_first=opened is None,
            )

    @repeated
    def _commit(self, batch: write.Batch, head: Sequence[Sequence[Record]]) -> write.Committed:
        with self._calls.running():
            collection = self._session.collection()
            with collection.shared.lock:
                collection.check_writable()
                opened = self._session.find_or_create(partial(batch.layout, self._session.request))
                opened = opened.using(self._functions)
                first = list(chain.from_iterable(head))
                return write.commit(batch, opened, first, self._average_length)

    def _examine(self, batch: write.Batch) -> None:
        """Measure, where that is due, how well the models know the documents."""
        # What a handler of a signal raises is no failure of a model.
        with interrupted_after(), health.not_in_the_way():
            examination = self._examination(batch)
            if examination is not None:
                examination.encoding.run()
                examination.finish()

    async def _aexamine(self, batch: write.Batch) -> None:
        """Async twin of `_examine`."""
        run = self.threads.run
        with health.not_in_the_way():
            examination = await run(partial(self._examination, batch))
            if examination is not None:
                await examination.encoding.arun(self.threads)
                await run(examination.finish)

    def _examination(self, batch: write.Batch) -> health.Examination | None:
        with self._call() as opened:
            if opened is None:
                return None
            return health.prepare_after(batch, opened, self._health)

    @operation("update")
    def update(
        self,
        ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        derive: Callable[[Record], str | None] | None = None,
    ) -> int:
        """Change the metadata of rows, and nothing else.

        Keys that are given are set; the others stay. Only the vectors of fields that encode one of
        them (`source`) are made anew; text, context and all other vectors stay as they are. A
        context that was derived from the metadata (LlamaIndex's) is made anew too, or dropped, and
        with it the vectors that a function here makes of it.

        Args:
            ids: The rows; missing ones are left out.
            metadata: What is set: one mapping for all rows, or one per id.
            derive: Makes the context of a row anew, where it was derived; None drops it.

        Returns:
            How many rows there were.

        Raises:
            InvalidInputError: If the metadata cannot be stored, or a field must be encoded again
                and has no function.
        """
        ids = parse_ids(ids)
        changes: dict[str, dict[str, Any]] = {row_id: {} for row_id in ids}
        for row_id, change in zip(ids, _parse_changes(metadata, len(ids)), strict=True):
            changes[row_id].update(change)
        with self._call() as opened:
            if opened is None or not ids:
                return 0
            shared = opened.collection.shared
            with shared.lock:
                opened.collection.check_writable()
                keys = self._tenant.keys(ids, opened.layout)
                for _ in range(_ATTEMPTS):
                    marks = write.read_marks(keys, opened)
                    old = self._read(keys, opened, with_vectors=True)
                    changed = [
                        self._changed(one, changes[str(one.id)], opened, derive) for one in old
                    ]
                    if write.update(old, changed, marks, opened):
                        return len(old)
        msg = f"other processes keep changing these rows of {self.collection_name!r}: call again"
        raise StoreError(msg)

    def _changed(
        self,
        record: Record,
        change: Mapping[str, Any],
        opened: Opened,
        derive: Callable[[Record], str | None] | None,
    ) -> Record:
        layout = opened.layout
        changed = replace(record, metadata={**record.metadata, **change})
        if write.is_derived(record.extra) and changed.metadata != record.metadata:
            changed = replace(changed, context=None if derive is None else derive(changed))
        owner = layout.partition_key
        if owner is not None and changed.metadata[owner] != record.metadata[owner]:
            msg = f"update: metadata[{owner!r}] of {record.id!r:.80} tells its tenant, and stays"
            raise InvalidInputError(msg)
        return parse_record(changed, 0, layout.columns, encoder=self._encoder)

    async def aupdate(
        self,
        ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        derive: Callable[[Record], str | None] | None = None,
    ) -> int:
        """Async twin of `update`."""
        return await self.threads.run(partial(self.update, ids, metadata=metadata, derive=derive))

    @operation("delete")
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
        check_expression(expr)
        if ids is None and document_id is None and wanted is None and not expr:
            msg = (
                "delete() without a selector: give ids, document_id, filter or expr; "
                "clear() removes every row, drop() the collection as well"
            )
            raise InvalidInputError(msg)
        ids = None if ids is None else parse_ids(ids)
        by_document = None if document_id is None else DOCUMENT_ID.isin([document_id])
        with self._call() as opened:
            if opened is None or ids == []:
                return 0
            keys = None if ids is None else self._tenant.keys(ids, opened.layout)
            scope = self._tenant.scope(And([wanted, by_document]), opened.layout)
            selection = Selection(opened.collection, opened.layout, scope, expr)
            count = write.erase_all(selection.keys() if keys is None else keys, opened, selection)
            if not count:
                hint_at_paths(wanted, opened)
            return count

    async def adelete(
        self,
        ids: Sequence[str] | None = None,
        *,
        document_id: str | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
    ) -> int:
        """Async twin of `delete`."""
        delete = partial(self.delete, ids, document_id=document_id, filter=filter, expr=expr)
        return await self.threads.run(delete)

    @operation("flush")
    def flush(self) -> None:
        """Make what was written fast to search at once, instead of at the next read.

        A `milvus-lite server` is flushed by nothing else; call it while no other process reads or
        writes: rows that are written during a flush may be lost there, and what is read be wrong.
        """
        with self._call() as opened:
            if opened is not None:
                opened.collection.flush()

    async def aflush(self) -> None:
        """Async twin of `flush`."""
        await self.threads.run(self.flush)

    @operation("drop")
    def drop(self) -> None:
        """Remove the collection and its companion; the next write makes them anew.

        Raises:
            InvalidInputError: If this is the view of one tenant.
        """
        if self._tenant.value is not None:
            msg = "drop() would remove all tenants: use clear() to remove the rows of this one"
            raise InvalidInputError(msg)
        with self._call(give_up=True):
            self._session.collection().drop()

    async def adrop(self) -> None:
        """Async twin of `drop`."""
        await self.threads.run(self.drop)

    @operation("clear")
    def clear(self) -> None:
        """Remove every row; the collection keeps its dimension, its analyzer and its columns."""
        with self._call(give_up=True) as opened:
            if opened is None:
                return
            if self._tenant.value is None and opened.layout.foreign is None:
                opened.collection.clear(analyzed_here(opened))
            else:
                scope = self._tenant.scope(None, opened.layout)
                selection = Selection(opened.collection, opened.layout, scope)
                write.erase_all(selection.keys(), opened, selection)

    async def aclear(self) -> None:
        """Async twin of `clear`."""
        await self.threads.run(self.clear)

    @operation("add_column")
    def add_column(self, key: str, kind: type, *, progress: bool = False) -> int:
        """Let a metadata key be a typed column as well, as `metadata_schema` does for a new one.

        Every row gets the value of its metadata, while reads and writes go on, of other processes
        too; filters go by the column once all have it. A call that was interrupted is gone on with
        by the next. For a column that was added before, rows that lack their value get it: those of
        a write that another process began before and ended long after. Add one column at a time.

        The metadata of all rows is read twice, and those with a value are written once. Servers of
        Milvus 2.6 and later can; vector fields cannot be added.

        Args:
            key: The metadata key.
            kind: The type of its values: str, int, float or bool.
            progress: Whether to show a progress bar.

        Returns:
            How many rows got a value.

        Raises:
            InvalidInputError: If the engine cannot add columns, there is no collection yet, or a
                row has a value of another type.
            EngineError: If the server does not add the column.
        """
        check_metadata_column(key, kind)
        check_flag(progress, "progress")
        self._check_unbound("add_column")
        with self._call() as opened:
            self._session.collection().dialect.engine.check_new_column(key)
            if opened is None:
                msg = f"there is no collection yet: give the store metadata_schema= with {key!r}"
                raise InvalidInputError(msg)
            return add_column(opened.collection, opened.layout, key, kind, progress=progress)

    async def aadd_column(self, key: str, kind: type, *, progress: bool = False) -> int:
        """Async twin of `add_column`."""
        return await self.threads.run(partial(self.add_column, key, kind, progress=progress))

    # --- the store's own BM25 ------------------------------------------------------------------

    @operation("enable_bm25")
    def enable_bm25(
        self, sparse: str = "bm25", *, field: str = "sparse", progress: bool = False
    ) -> int:
        """Give a collection that another library made BM25 of the store's own.

        It gets a sparse field and a companion, and every row is weighed, while reads and writes go
        on; a call that was interrupted is gone on with by the next. Servers of Milvus 2.6.18 and
        later can; else copy the rows: `hybridge.tools.copy`.

        What the other library writes afterwards BM25 neither counts nor finds: `check` tells, and
        `rebuild_statistics` and `reencode_sparse` mend it. Where it goes on writing, copy.

        Args:
            sparse: `"bm25"` (English), or `"bm25:<language>"`.
            field: The name of the field and its column.
            progress: Whether to show a progress bar.

        Returns:
            How many rows were written.

        Raises:
            InvalidInputError: If the engine cannot add vector fields, Milvus numbers the rows, they
                have no text, or there is no such collection.
            CollectionMismatchError: If the collection has another column of that name.
            EngineError: If the server does not add the field.
        """
        asked = parse_bm25(sparse, field)
        check_flag(progress, "progress")
        with self._call() as opened:
            if opened is None:
                raise self._absent("MilvusStore")
            enable(opened, asked)
        return self._reindex(progress=progress)

    async def aenable_bm25(
        self, sparse: str = "bm25", *, field: str = "sparse", progress: bool = False
    ) -> int:
        """Async twin of `enable_bm25`."""
        enable_here = partial(self.enable_bm25, sparse, field=field, progress=progress)
        return await self.threads.run(enable_here)

    @operation("explain", unit="terms")
    def explain(self, query: str, id: str, *, field: str | None = None) -> dict[str, float]:
        """Return what each term of a query adds to the BM25 score of a row, largest first.

        The terms are those that the analyzer makes; their sum is the row's score in that field,
        such as `hit.scores["sparse"].score`.

        Args:
            query: The text of the query.
            id: The row.
            field: The BM25 field; the first one if None.

        Raises:
            InvalidInputError: If there is no such row, or the store has no BM25 of its own.
        """
        [query] = Query.parse(queries=[query]).texts or [""]
        row_id = parse_id(id)
        with self._call() as opened:
            bm25 = _bm25(opened, field)[0]
            check_current(bm25)
            keys = [] if opened is None else self._tenant.keys([row_id], opened.layout)
            records = [] if opened is None else self._read(keys, opened, with_vectors=False)
            if not records:
                msg = f"there is no row {shown(row_id)} to explain"
                raise InvalidInputError(msg)
            return bm25.explain(query, bm25.field.text_of(records[0]) or "")

    async def aexplain(self, query: str, id: str, *, field: str | None = None) -> dict[str, float]:
        """Async twin of `explain`."""
        return await self.threads.run(partial(self.explain, query, id, field=field))

    @operation("check", unit="differences")
    def check(self) -> list[str]:
        """Count the live rows afresh and return what differs from what BM25 keeps.

        The health of the fields is measured anew as well; `describe` shows it.

        Returns:
            A sentence per difference, each naming the method that mends it; [] if all is well.
        """
        with self._call() as opened:
            if opened is not None and self._tenant.value is None:
                health.examine(opened, self._health)
            return [found for bm25 in _every_bm25(opened) for found in check_bm25(bm25)]

    async def acheck(self) -> list[str]:
        """Async twin of `check`."""
        return await self.threads.run(self.check)

    @operation("describe", unit="entries")
    def describe(self) -> dict[str, Any]:
        """Return what the collection holds, as JSON.

        Returns:
            "rows", how many there are; "metadata_schema"; "partition_key"; "library", where another
            one made the collection; "searched", whether in this process or by the engine; and
            "fields": of each vector field its kind, source, model, length, metric, index, and
            "health", how well it finds the documents by their own words, from 0 to 1, or None where
            that is not known.
        """
        with self._call() as opened:
            rows = 0 if opened is None else self.count()
            return {"rows": rows, **({} if opened is None else health.described(opened))}

    async def adescribe(self) -> dict[str, Any]:
        """Async twin of `describe`."""
        return await self.threads.run(self.describe)

    @operation("rebuild_statistics")
    def rebuild_statistics(self) -> None:
        """Put a fresh count of the live rows in the place of the BM25 statistics."""
        with self._call(give_up=True) as opened:
            for bm25 in _every_current(opened):
                bm25.recount()

    async def arebuild_statistics(self) -> None:
        """Async twin of `rebuild_statistics`."""
        await self.threads.run(self.rebuild_statistics)

    @operation("reencode_sparse")
    def reencode_sparse(self, *, progress: bool = False) -> int:
        """Weigh every document by the true average length; goes on where it was interrupted.

        Collections of up to 10,000 documents do this by themselves.

        Args:
            progress: Whether to show a progress bar.

        Returns:
            How many rows were written.
        """
        check_flag(progress, "progress")
        with self._call() as opened:
            return sum(reencode(bm25, progress=progress) for bm25 in _every_current(opened))

    async def areencode_sparse(self, *, progress: bool = False) -> int:
        """Async twin of `reencode_sparse`."""
        return await self.threads.run(partial(self.reencode_sparse, progress=progress))

    @operation("reindex_sparse")
    def reindex_sparse(self, *, progress: bool = False) -> int:
        """Give BM25 fields that another analyzer indexed the terms of the one that is here.

        It is needed where sparse searches are refused, as after an upgrade that has changed an
        analyzer. The rows are indexed in place, while reads and writes go on; a call that was
        interrupted is gone on with by the next. Nothing is done where nothing is needed.

        Args:
            progress: Whether to show a progress bar.

        Returns:
            How many rows were written.

        Raises:
            InvalidInputError: If this is the view of one tenant, or the store has no BM25 of its
                own.
        """
        check_flag(progress, "progress")
        return self._reindex(progress=progress)

    def _reindex(self, *, progress: bool) -> int:
        """Index the rows of BM25 fields that are not indexed by the analyzer that is here."""
        self._check_unbound("reindex_sparse")
        with self._call() as opened:
            adopted = {one.field.name for one in _bm25(opened) if adopt(one)}
        with self._call() as opened:
            done = 0
            for own in [one for one in _bm25(opened) if one.is_outdated]:
                name = own.field.name
                tenants = [one for one in _every_bm25(opened) if one.field.name == name]
                done += reindex(tenants, afresh=name in adopted, progress=progress)
                finish(own)
            return done

    async def areindex_sparse(self, *, progress: bool = False) -> int:
        """Async twin of `reindex_sparse`."""
        return await self.threads.run(partial(self.reindex_sparse, progress=progress))

    # --- rows that come another way ------------------------------------------------------------

    @operation("prepare_import")
    def prepare_import(self, plan: Plan, counts: Counts | None = None) -> None:
        """Make ready for rows that were made elsewhere; see `hybridge.tools.bulk`.

        The collection is made, if it is not there, and weighs documents as the rows were weighed.

        Args:
            plan: What the rows were made by.
            counts: What BM25 counts of them; None where that is not known yet.

        Raises:
            CollectionMismatchError: If the collection holds something else, or weighs otherwise.
        """
        self._check_unbound("prepare_import")
        with self._calls.running():
            collection = self._session.collection()
            with collection.shared.lock:
                collection.check_writable()
                opened = self._session.find_or_create(lambda: plan.layout)
                plan.check(opened)
                freeze_averages(plan, opened, counts or {})

    @operation("finish_import")
    def finish_import(self, plan: Plan, counts: Counts, lacking: Iterable[str] = ()) -> None:
        """Let searches know of rows that have arrived another way; it may be called twice.

        Args:
            plan: What the rows were made by.
            counts: What BM25 counts of them.
            lacking: The vector fields that some of them lack.

        Raises:
            InvalidInputError: If there is no collection, or the store is a path, whose rows all
                come through this process.
        """
        self._check_unbound("finish_import")
        with self._call() as opened:
            if opened is None:
                raise self._absent("MilvusStore")
            if not opened.collection.is_shared:
                msg = f"{self.address} is a path, which rows reach by add() alone: bulk.load() them"
                raise InvalidInputError(msg)
            publish(plan, opened, counts, lacking)

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for the calls under way, flush, and release the path for other processes.

        The view of a tenant ends alone; the store that it is a view of goes on.

        Closing twice is fine. Afterwards every call raises StoreClosedError.
        """
        if self._calls is not self._session.calls:  # a view of a store that goes on
            self._calls.close()
            self._calls.wait()
            return
        self._session.close()
        self.threads.close()

    async def aclose(self) -> None:
        """Async twin of `close`."""
        await self.threads.run(self.close)


# --- arguments -----------------------------------------------------------------------------------


def _one(query: Any, vector: Any) -> dict[str, Any]:
    """Return the texts and the vectors of one query as those of many."""
    queries = None if query is None else [query]
    if vector is not None and is_mapping(vector):
        vectors = {name: None if one is None else [one] for name, one in vector.items()}
        return {"queries": queries, "vectors": vectors}
    return {"queries": queries, "vectors": None if vector is None else [vector]}


def _parse_name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        msg = (
            f"collection_name={shown(name)}: Milvus takes ASCII letters, digits and _, not "
            "starting with a digit"
        )
        raise InvalidInputError(msg)
    if name.endswith(SUFFIX):
        msg = f"collection_name={shown(name)}: names that end in {SUFFIX!r} are those of companions"
        raise InvalidInputError(msg)
    return name


def _parse_health(health: Any) -> bool | None:
    if health is not None:
        check_flag(health, "health")
    return None if health is None else bool(health)


def _parse_search_fields(names: Any) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not is_sequence(names) or not names:
        msg = f"search_fields={shown(names)}: give a list of names of vector fields"
        raise InvalidInputError(msg)
    if not all(isinstance(name, str) for name in names):
        msg = f"search_fields={shown(names)}: the names of vector fields are strings"
        raise InvalidInputError(msg)
    return tuple(dict.fromkeys(names))


def _parse_positive(value: Any, name: str, unit: str) -> float | None:
    if value is None:
        return None
    if not is_number(value) or not 0 < value < 1e300:
        msg = f"{name}: give a number of {unit} above 0, not a {type(value).__name__}"
        raise InvalidInputError(msg)
    return float(value)


def _parse_changes(metadata: Any, count: int) -> list[Mapping[str, Any]]:
    """Return what each row's metadata gets."""
    changes: Any = [metadata] * count if is_mapping(metadata) else metadata
    if not is_sequence(changes):
        msg = f"metadata is a {type(metadata).__name__}: give a dictionary, or a list of one per id"
        raise InvalidInputError(msg)
    if len(changes) != count or not all(map(is_mapping, changes)):
        msg = f"{count} ids and {len(changes)} metadata: give one dictionary per id, or one for all"
        raise InvalidInputError(msg)
    return list(changes)


def _raising(error: Exception) -> Iterator[list[Record]]:
    """Raise an error where the next batch is asked for."""
    raise error
    yield


def _length(items: Iterable[object]) -> int | None:
    return len(items) if isinstance(items, Sequence) else None


# --- what a collection has -----------------------------------------------------------------------


def _bm25(opened: Opened | None, field: object = None) -> list[LiveBM25]:
    """Return the store's own BM25 of each field, or of one.

    Raises:
        InvalidInputError: If there is none.
    """
    if field is not None and not isinstance(field, str):
        msg = f"field={shown(field)}: give the name of a BM25 field"
        raise InvalidInputError(msg)
    every = [] if opened is None else opened.bm25
    found = [one for one in every if field in (None, one.field.name)]
    if not found:
        msg = (
            "this store has no BM25 of its own: it has no rows yet, another sparse function, or "
            "'milvus', whose counts the server keeps"
            if field is None
            else f"the field {shown(field)} is no BM25 of this store's own"
        )
        raise InvalidInputError(msg)
    return found


def _every_bm25(opened: Opened | None) -> list[LiveBM25]:
    """Return the store's own BM25 of each field, and of each tenant where they have their own.

    Raises:
        InvalidInputError: If there is none.
    """
    every = _bm25(opened)
    if opened is None or any(bm25.tenant for bm25 in every):  # the view of one tenant
        return every
    tenants = [one.bm25 for one in map(opened.of_tenant, opened.tenants())]
    return every if opened.layout.owner is None else list(chain.from_iterable(tenants))


def _every_current(opened: Opened | None) -> list[LiveBM25]:
    """Return what `_every_bm25` does, if no field is to be reindexed.

    Raises:
        CollectionMismatchError: If one is.
        InvalidInputError: If there is none.
    """
    every = _every_bm25(opened)
    for bm25 in every:
        check_current(bm25)
    return every


def _made_by_name(opened: Opened) -> dict[str, Any]:
    """Return the functions that can be made from the names of a collection's models."""
    functions: dict[str, Any] = {}
    for name, field in opened.fields.items():
        if field.function is not None or field.made_by is None:
            continue
        made_with = field.made_with or {}
        try:
            if unsafe := sorted(made_with.keys() - HARMLESS):
                msg = f"it was made with {', '.join(unsafe)}, which is not taken from a collection"
                raise InvalidInputError(msg)
            functions[name] = field.make_function(field.made_by, made_with)
        except HybridgeError as error:
            logger.warning(
                "the field %r needs %r, which cannot be made here (%s): pass its function",
                name,
                field.made_by,
                error,
            )
    return functions
