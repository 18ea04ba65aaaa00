"""What a store's arguments ask of a collection, and whether an existing one agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction, SparseEmbeddingFunction
from hybridge.store.layouts import Layout, valid_metadata_schema, with_partition_key
from hybridge.store.sparse_choice import Auto, describe


@dataclass(frozen=True)
class Demands:
    """The arguments of a store that say what its collection holds.

    Attributes:
        dense: The dense function.
        sparse: The sparse function; AUTO takes what there is, None demands that there is none.
        dim: The length of the dense vectors; None takes what there is.
        metadata_schema: The metadata keys that are columns as well; None takes what there is.
        partition_key: The metadata key that tells tenants apart; None takes what there is.
    """

    dense: DenseEmbeddingFunction | None
    sparse: Literal[Auto.AUTO] | SparseEmbeddingFunction | None
    dim: int | None
    metadata_schema: Mapping[str, type] | None
    partition_key: str | None = None

    def __post_init__(self) -> None:
        valid_metadata_schema(self.columns)
        if self.dim is not None and (not isinstance(self.dim, int) or self.dim < 1):
            msg = f"dim={self.dim!r}: it must be an integer of at least 1"
            raise InvalidInputError(msg)
        if self.dense is not None and self.dim not in (None, self.dense.dim):
            msg = f"dim={self.dim}, but the dense function makes vectors of {self.dense.dim}"
            raise InvalidInputError(msg)

    @property
    def columns(self) -> Mapping[str, type]:
        """The metadata keys that a new collection has as columns, and their types."""
        return with_partition_key(self.metadata_schema or {}, self.partition_key)

    @property
    def dense_dim(self) -> int | None:
        """The length of the dense vectors that the arguments ask for."""
        return self.dim if self.dense is None else self.dense.dim

    def new_layout(self, first_dim: int | None) -> Layout:
        """Return the layout of a new collection.

        Args:
            first_dim: The length of the first dense vectors, None where there are none.

        Raises:
            InvalidInputError: If the collection would hold no vectors at all.
        """
        dim = self.dense_dim or first_dim
        if dim is None and self.sparse is None:
            msg = (
                "nothing to index: give the store a dense function, dim= or records with dense "
                "vectors, or let it use BM25 (sparse='bm25')"
            )
            raise InvalidInputError(msg)
        model = getattr(self.dense, "model_name", None)
        schema = dict(self.metadata_schema or {})
        return Layout(dim, describe(self.sparse), schema, model, self.partition_key)

    def check(self, layout: Layout, name: str) -> None:
        """Check an existing collection against what is asked for.

        Raises:
            CollectionMismatchError: If they contradict each other; it shows both.
        """
        asked: dict[str, object] = {}
        if self.dense_dim is not None and self.dense_dim != layout.dim:
            asked["dim"] = self.dense_dim
        if not isinstance(self.sparse, Auto) and describe(self.sparse) != layout.sparse:
            asked["sparse"] = describe(self.sparse)
        if self.metadata_schema is not None and self.metadata_schema != layout.metadata_schema:
            asked["metadata_schema"] = dict(self.metadata_schema)
        if self.partition_key is not None and self.partition_key != layout.partition_key:
            asked["partition_key"] = self.partition_key
        if asked:
            stored = {key: getattr(layout, key) for key in asked}
            msg = (
                f"collection {name!r} has {stored}, but the store asks for {asked}: leave the "
                "argument out to take what is there, choose another collection_name, or pass "
                "overwrite=True to replace the collection and all its rows"
            )
            raise CollectionMismatchError(msg)
