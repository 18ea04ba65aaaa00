"""`MilvusStore`: records in, hits out, over Milvus Lite or a Milvus server."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping

from hybridge.closing import Closing
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.registry import as_dense_function
from hybridge.store.address import resolve_address
from hybridge.store.bm25_methods import BM25Methods
from hybridge.store.demands import Demands
from hybridge.store.session import Session
from hybridge.store.sparse_choice import AUTO, Sparse, resolve_sparse
from hybridge.store.tenancy import Tenant
from hybridge.store.threads import Threads, async_twin
from hybridge.store.write_methods import WriteMethods


class MilvusStore(WriteMethods, BM25Methods, Closing):
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

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Wait for the calls under way, flush, and release the path for other processes.

        Closing twice is fine. Afterwards every call raises StoreClosedError.
        """
        self._session.close()
        self.threads.close()

    aclose = async_twin(close)


def _valid_name(name: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        msg = (
            f"collection_name={name!r}: Milvus takes ASCII letters, digits and _, not starting "
            "with a digit"
        )
        raise InvalidInputError(msg)
    return name
