"""A store's way to its collection: opened when first needed, compared with what was asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from hybridge.arguments import check_flag
from hybridge.errors import EngineError, HybridgeError, InvalidInputError
from hybridge.filters import quote
from hybridge.store.bm25.field import BM25Field
from hybridge.store.bm25.live import LiveBM25
from hybridge.store.bm25.recovery import resume
from hybridge.store.encoding import ModelCheck
from hybridge.store.engine.address import Address
from hybridge.store.engine.collection import LOOK_AGAIN, Collection
from hybridge.store.engine.connection import Connection
from hybridge.store.engine.dialect import detect
from hybridge.store.fields import VectorField, model_name
from hybridge.store.layout import Layout, LayoutRequest
from hybridge.store.lifetime import end_with_process, renew_in_child
from hybridge.store.rows import column, tenant_key
from hybridge.store.server_options import ServerOptions
from hybridge.store.threads import Calls, Threads

logger = logging.getLogger("hybridge")

T = TypeVar("T")

_ATTEMPTS = 5


class Opened(NamedTuple):
    """A collection that is there.

    Attributes:
        collection: The collection.
        layout: What it holds.
        fields: Its vector fields with their functions, by name.
    """

    collection: Collection
    layout: Layout
    fields: Mapping[str, VectorField]

    @property
    def bm25(self) -> list[LiveBM25]:
        """The store's own BM25 of each field that has one."""
        return [one.function for one in self.fields.values() if isinstance(one, BM25Field)]

    def of_tenant(self, tenant: str) -> Opened:
        """Return the same as one tenant has it: BM25 counts its rows alone.

        In a collection of version 1 tenants share the counts.
        """
        owner = self.layout.owner
        if owner is None:
            return self
        key, scope = tenant_key(tenant), f"{column(owner)} == {quote(tenant)}"
        return self.using({one.field.name: one.of_tenant(key, scope) for one in self.bm25})

    def tenants(self, expression: str = "") -> list[str]:
        """Return the tenants that rows belong to, where BM25 counts each one's alone.

        Args:
            expression: Which rows; "" for all.
        """
        owner = self.layout.owner
        if owner is None:
            return []
        pages = self.collection.select(expression, [column(owner)])
        return sorted({row[column(owner)] for page in pages for row in page})

    def using(self, functions: Mapping[str, Any]) -> Opened:
        """Return the same with other functions, by field; fields that are not there are ignored."""
        if not functions:
            return self
        fields = {
            name: one.of_function(functions[name]) if name in functions else one
            for name, one in self.fields.items()
        }
        return self._replace(fields=fields)


class Session:
    """The connection of one store, and of all views of it.

    Args:
        address: Where Milvus is.
        collection_name: The collection.
        request: What the store's arguments ask of it.
        overwrite: Whether to drop it when it is first opened.
        timeout: Seconds that one call to Milvus may take.
        options: How a server keeps the collection.
        in_process_search: Whether rows of this process are searched without the engine.

    Attributes:
        request: What the store's arguments ask of it.
        models: Whose functions are compared with the collection's models.
        calls: The calls under way.
    """

    def __init__(
        self,
        address: Address,
        collection_name: str,
        request: LayoutRequest,
        *,
        overwrite: bool,
        timeout: float | None,
        options: ServerOptions,
        in_process_search: bool,
    ) -> None:
        check_flag(in_process_search, "in_process_search")
        self.request = request
        detect(address, version="").engine.check_fields(request.fields.values())
        self.models = ModelCheck()
        self._address = address
        self._name = collection_name
        self._overwrite = overwrite
        self._timeout = timeout
        self._options = options
        self._in_process_search = in_process_search
        self.calls = Calls(f"the store of {collection_name!r} at {address}")
        self._reset()
        end_with_process(self)
        renew_in_child(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        self._releasing = threading.RLock()
        self._released = False
        self._collection: Collection | None = None
        self._opened: Opened | None = None

    def collection(self) -> Collection:
        """Return the collection's handle; the first call opens the connection."""
        with self._opening:
            if self._collection is None:
                self._collection = Collection(self._connect(), self._name, self.request.naming)
                if self._overwrite:
                    self._collection.drop()
            return self._collection

    def _connect(self) -> Connection:
        """Return the connection, if the engine can do what is asked of it."""
        connection = Connection(
            self._address,
            self._timeout,
            self._options,
            in_process_search=self._in_process_search,
        )
        try:
            connection.dialect.engine.check_fields(self.request.fields.values())
        except InvalidInputError:
            connection.close()
            raise
        return connection

    def find(self, *, give_up: bool = False) -> Opened | None:
        """Return what is there, or None if nothing is yet.

        Args:
            give_up: Whether to go on without rows that damage has taken.

        Raises:
            CollectionMismatchError: If what is there contradicts what was asked for.
            StoreBrokenError: If a flush has failed.
            StoreDamagedError: If rows are gone that no deletion took.
        """
        collection, opened = self.collection(), self._opened
        collection.shared.check_not_broken()
        if collection.is_shared:
            collection.look(LOOK_AGAIN)
        if opened is not None and opened.layout is collection.shared.layout:
            return opened
        layout = collection.layout()
        if layout is None:
            return None
        if opened is None or opened.layout is not layout:
            self.request.check(layout, self._name)
            if "dense" in self.request.fields and "dense" not in layout.fields:
                logger.warning(
                    "collection %r has no dense vectors: its embedding is not used", self._name
                )
            opened = Opened(collection, layout, self._fields(layout, collection))
            resume(opened, give_up=give_up)
            if not give_up:  # the next call looks whether all is there
                self._opened = opened
        return opened

    def repeat(self, call: Callable[[], T]) -> T:
        """Return what a call returns, made again where the collection was replaced under it.

        Then it sees what is there by then: a collection made anew, or none.
        """
        for _ in range(_ATTEMPTS):
            layout = self._layout
            try:
                return call()
            except EngineError as error:
                if not self._is_other(layout, error):
                    raise
        return call()

    async def arepeat(self, call: Callable[[], Awaitable[T]], threads: Threads) -> T:
        """Async twin of `repeat`."""
        for _ in range(_ATTEMPTS):
            layout = self._layout
            try:
                return await call()
            except EngineError as error:
                if not await threads.run(partial(self._is_other, layout, error)):
                    raise
        return await call()

    @property
    def _layout(self) -> Layout | None:
        return None if self._collection is None else self._collection.shared.layout

    def _is_other(self, layout: Layout | None, refusal: EngineError) -> bool:
        """Whether the collection that refused has gone, or has another in its place."""
        return self._collection is not None and self._collection.is_other(layout, refusal)

    def find_or_create(self, layout: Callable[[], Layout]) -> Opened:
        """Return what is there, making the collection if need be, under the lock of the caller.

        Args:
            layout: Returns what a new collection holds.
        """
        opened = self.find()
        while opened is None:
            self.collection().create(layout())
            opened = self.find()
        return opened

    def close(self) -> None:
        """Wait for the calls under way, flush, and close the connection."""
        if self.calls.close():
            self.calls.wait()
            self._release()

    def end(self, until: float) -> None:
        """Close, since the process ends, or wait for a thread that is closing.

        Args:
            until: When calls under way are left to themselves.
        """
        self.calls.end()
        done = self.calls.wait(max(until - monotonic(), 0.0))
        try:
            self._release(flush=done)
        except HybridgeError as error:
            logger.warning("%s", error)

    def _release(self, *, flush: bool = True) -> None:
        with self._releasing:
            collection = None if self._released else self._collection
            self._released = True
            if collection is not None:
                collection.close(flush=flush)

    def renew(self) -> None:
        """Open anew in a forked child, where that can be."""
        if self._collection is not None and self._address.is_path:
            self.calls.close(
                "was opened before this process was forked, and Milvus Lite runs in the parent "
                "alone: open stores after the fork, in one process, or start processes by 'spawn' "
                "and share a server"
            )
        self._reset()

    def _fields(self, layout: Layout, collection: Collection) -> dict[str, VectorField]:
        return {
            name: _probed(one.of_function(self._function(one, collection)), collection)
            for name, one in layout.fields.items()
        }

    def _function(self, field: VectorField, collection: Collection) -> Any:
        asked = self.request.fields.get(field.name)
        if isinstance(field, BM25Field):
            analyzer, weighting = field.analysis(asked, self._name)
            return LiveBM25(collection, field, analyzer, weighting)
        return None if asked is None else asked.function


def _probed(field: VectorField, collection: Collection) -> VectorField:
    """Return the field with a stored row as its probe, where the layout knows but the model's name.

    A collection of version 1 has no probe; its first row tells a model of another name from it.
    """
    name = model_name(field.function)
    if field.probe is not None or field.model is None or name in (None, field.model):
        return field
    [row] = collection.first_rows(["text", field.name], 1) or [{"text": ""}]
    if not row["text"]:
        return field
    probe = field.probe_of(field.read(row[field.name]))
    return replace(field, probe_text=row["text"], probe=probe)
