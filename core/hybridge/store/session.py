"""A store's way to its collection: opened when first needed, compared with what was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hybridge.store.address import Address
from hybridge.store.collection import Collection
from hybridge.store.connection import Connection
from hybridge.store.demands import Demands
from hybridge.store.layouts import Layout
from hybridge.store.legs import DenseLeg, Leg
from hybridge.store.sparse_choice import sparse_leg
from hybridge.store.threads import Gate


class Known(NamedTuple):
    """A collection that is there.

    Attributes:
        collection: The collection.
        layout: What it holds.
        legs: Its legs, by name.
    """

    collection: Collection
    layout: Layout
    legs: dict[str, Leg]


class Session:
    """The connection of one store, and of the tenants' views of it.

    Args:
        address: Where Milvus is.
        collection_name: The collection.
        demands: What the store's arguments ask of it.
        overwrite: Whether to drop it when it is first opened.
        timeout: Seconds that one call to Milvus may take.
    """

    def __init__(
        self,
        address: Address,
        collection_name: str,
        demands: Demands,
        *,
        overwrite: bool,
        timeout: float | None,
    ) -> None:
        self.demands = demands
        self._address = address
        self._name = collection_name
        self._overwrite = overwrite
        self._timeout = timeout
        self._gate = Gate(f"the store of {collection_name!r} at {address}")
        self._opening = threading.Lock()
        self._opened: Collection | None = None
        self._known: Known | None = None

    @contextmanager
    def entered(self) -> Iterator[Known | None]:
        """Keep the session open for a call, and give what is there, or None if nothing is yet.

        Raises:
            StoreClosedError: If the session is closed.
            CollectionMismatchError: If what is there contradicts what was asked for.
        """
        with self._gate.entered():
            yield self.look()

    def collection(self) -> Collection:
        """Return the collection's handle; the first call opens the connection."""
        with self._opening:
            if self._opened is None:
                connection = Connection(self._address, self._timeout)
                self._opened = Collection(connection, self._name)
                if self._overwrite:
                    self._opened.drop()
            return self._opened

    def look(self) -> Known | None:
        """Return what is there, or None if nothing is yet."""
        collection = self.collection()
        layout = collection.layout()
        if layout is None:
            return None
        known = self._known
        if known is None or known.layout is not layout:
            self.demands.check(layout, self._name)
            known = self._known = Known(collection, layout, self._legs(layout, collection))
        return known

    def made(self, first_dim: int | None) -> Known:
        """Return what is there, making the collection if need be, under the lock of the caller.

        Args:
            first_dim: The length of the first dense vectors, None where there are none.
        """
        known = self.look()
        if known is None:
            self.collection().create(self.demands.new_layout(first_dim))
            known = self.look()
        assert known is not None
        return known

    def close(self) -> None:
        """Wait for the calls under way, flush, and close the connection."""
        if self._gate.close() and self._opened is not None:
            self._opened.close()

    def _legs(self, layout: Layout, collection: Collection) -> dict[str, Leg]:
        dense = None if layout.dim is None else DenseLeg(self.demands.dense)
        sparse = sparse_leg(self.demands.sparse, layout, collection)
        return {leg.name: leg for leg in (dense, sparse) if leg is not None}
