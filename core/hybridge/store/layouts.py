"""What a collection holds, as one value: made for a new collection, read back from an old one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import CollectionMismatchError, InvalidInputError

VERSION = 1
COLUMN_PREFIX = "meta_"
COLUMN_TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_COLUMN_KEY = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """What a collection holds.

    Attributes:
        dim: The length of the dense vectors; None if there are none.
        sparse: What the sparse vectors are: `{"kind": "bm25", ...}` with the settings of the
            store's own BM25, `{"kind": "function"}`, or None if there are none.
        metadata_schema: The metadata keys that are columns as well, and their types.
        dense_model: The name of the dense model, where it is known.
        partition_key: The metadata key that tells tenants apart, where there are tenants.
    """

    dim: int | None
    sparse: Mapping[str, Any] | None
    metadata_schema: Mapping[str, type] = field(default_factory=dict)
    dense_model: str | None = None
    partition_key: str | None = None

    @property
    def columns(self) -> Mapping[str, type]:
        """The metadata keys that are columns, the partition key included, and their types."""
        return with_partition_key(self.metadata_schema, self.partition_key)

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON, for the companion collection."""
        return {
            "version": VERSION,
            "dim": self.dim,
            "sparse": None if self.sparse is None else dict(self.sparse),
            "metadata_schema": {key: kind.__name__ for key, kind in self.metadata_schema.items()},
            "dense_model": self.dense_model,
            "partition_key": self.partition_key,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str) -> Layout:
        """Return the layout that `to_json` wrote.

        Raises:
            CollectionMismatchError: If a later version of Hybridge wrote it.
        """
        if value.get("version") != VERSION:
            msg = (
                f"collection {name!r} has layout version {value.get('version')!r}, and this "
                f"Hybridge reads {VERSION}: upgrade hybridge"
            )
            raise CollectionMismatchError(msg)
        schema = {key: COLUMN_TYPES[kind] for key, kind in value["metadata_schema"].items()}
        model, key = value["dense_model"], value["partition_key"]
        return cls(value["dim"], value["sparse"], schema, model, key)


def valid_metadata_schema(schema: Mapping[str, type]) -> dict[str, type]:
    """Return the schema if each key can name a column.

    Raises:
        InvalidInputError: If a key has other characters than ASCII letters, digits and `_`, or a
            type is not one of str, int, float, bool.
    """
    for key, kind in schema.items():
        if not isinstance(key, str) or not _COLUMN_KEY.fullmatch(key):
            msg = (
                f"metadata_schema: {key!r} cannot name a column (ASCII letters, digits and _): "
                "leave it out; it can be filtered on all the same"
            )
            raise InvalidInputError(msg)
        if kind not in COLUMN_TYPES.values():
            msg = f"metadata_schema[{key!r}] is {kind!r}: use one of str, int, float, bool"
            raise InvalidInputError(msg)
    return dict(schema)


def with_partition_key(schema: Mapping[str, type], key: str | None) -> dict[str, type]:
    """Return the schema with the partition key, which is a string column, if there is one."""
    return dict(schema) if key is None else {**schema, key: str}


def column(key: str) -> str:
    """Return the name of the column of a metadata key."""
    return COLUMN_PREFIX + key
