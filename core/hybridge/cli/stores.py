"""The collection that a command is about, opened as it needs it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridge.errors import InvalidInputError

if TYPE_CHECKING:
    from hybridge.store import MilvusStore

DENSE = "sentence-transformers/all-MiniLM-L6-v2"
"""The model of a new collection, where none is named."""

NONE = "none"
"""The name of no model."""

_PARTITION_KEY = "tenant"
"""What tells tenants apart in a new collection."""


@dataclass(frozen=True)
class Place:
    """Where a collection is, and whose rows of it are meant.

    Attributes:
        uri: A Milvus Lite path or a server's URI; None takes that of the environment.
        collection: The collection.
        tenant: The tenant, or None.
    """

    uri: str | None
    collection: str
    tenant: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what commands say of it."""
        from hybridge.store import resolve_address

        uri = str(resolve_address(self.uri))
        return {"uri": uri, "collection": self.collection, "tenant": self.tenant}

    @contextmanager
    def reading(self, *, models: bool = False, **functions: str | None) -> Generator[MilvusStore]:
        """Open a collection that is there.

        Args:
            models: Whether its models are made, for searches that embed.
            **functions: The names of functions by field; None leaves one as it is.

        Raises:
            InvalidInputError: If it is not there.
        """
        from hybridge.store import MilvusStore

        if not self._may_be_there():
            raise self._absent()
        given: Any = {name: one for name, one in functions.items() if one not in (None, NONE)}
        make = MilvusStore.open if models else MilvusStore
        with make(self.uri, collection_name=self.collection, **given) as store:
            if not store.exists():
                raise self._absent()
            yield self._view(store)

    @contextmanager
    def looking(self) -> Generator[MilvusStore | None]:
        """Open a collection without its models; None where it is not there."""
        from hybridge.store import MilvusStore

        if not self._may_be_there():
            yield None
            return
        with MilvusStore(self.uri, collection_name=self.collection) as store:
            yield self._view(store) if store.exists() else None

    @contextmanager
    def making(self, dense: str | None, sparse: str | None) -> Generator[MilvusStore]:
        """Open a store for a collection that the first write makes.

        Args:
            dense: The model; None takes the default one.
            sparse: The sparse function; None takes BM25 of English.
        """
        from hybridge.store import MilvusStore

        with MilvusStore(
            self.uri,
            collection_name=self.collection,
            dense=_named(dense or DENSE),
            sparse=_named(sparse or "bm25"),
            partition_key=None if self.tenant is None else _PARTITION_KEY,
        ) as store:
            yield self._view(store)

    def _view(self, store: MilvusStore) -> MilvusStore:
        return store if self.tenant is None else store.for_tenant(self.tenant)

    def _may_be_there(self) -> bool:
        """Whether there is a database: opening a path would make one."""
        from hybridge.store import resolve_address

        address = resolve_address(self.uri)
        return not address.is_path or Path(address.uri).exists()

    def _absent(self) -> InvalidInputError:
        place = self.to_json()["uri"]
        return InvalidInputError(
            f"there is no collection {self.collection!r} at {place}: check --uri and --collection; "
            "`hybridge index PATH` makes a new one"
        )


def _named(name: str) -> str | None:
    return None if name == NONE else name
