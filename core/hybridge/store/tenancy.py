"""Tenants: one collection, whose rows each belong to one value of its partition key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.filters import And, F, Filter
from hybridge.records import Record
from hybridge.store.layout import Layout
from hybridge.store.rows import TEXT_BYTES, check_text, row_key


@dataclass(frozen=True)
class Tenant:
    """The value of the partition key that a store is bound to; None for a store that is not."""

    value: str | None = None

    @classmethod
    def named(cls, value: object) -> Tenant:
        """Return a tenant; None is none, so that a missing name never opens all rows.

        Raises:
            InvalidInputError: If the value is no string, or empty.
        """
        if not isinstance(value, str) or not value:
            msg = f"a tenant is a string that is not empty, not {shown(value)}"
            raise InvalidInputError(msg)
        check_text(value, TEXT_BYTES, "the tenant", "use a shorter name")
        return cls(value)

    def scope(self, tree: Filter | None, layout: Layout) -> Filter | None:
        """Return the filter and-ed with the tenant.

        Raises:
            InvalidInputError: If there is a tenant, and the collection has no partition key.
        """
        if self.value is None:
            return tree
        return And([F(_partition_key(layout.partition_key)) == self.value, tree])

    def keys(self, ids: Sequence[str], layout: Layout) -> list[str]:
        """Return the primary keys of rows, each once, in order.

        Raises:
            InvalidInputError: If ids belong to tenants, and there is no tenant.
        """
        if layout.ids_are_tenants and self.value is None:
            msg = (
                f"ids belong to tenants here ({layout.partition_key!r} tells them apart): go by id "
                "through store.for_tenant(...)"
            )
            raise InvalidInputError(msg)
        owner = self.value if layout.ids_are_tenants else None
        return [row_key(row_id, owner) for row_id in dict.fromkeys(ids)]

    def search_scope(self, tree: Filter | None, layout: Layout) -> Filter | None:
        """Return the filter and-ed with the tenant, for a search.

        Raises:
            InvalidInputError: If the collection has a partition key, and there is no tenant.
        """
        if layout.partition_key is not None and self.value is None:
            msg = (
                f"this collection belongs to tenants ({layout.partition_key!r} tells them apart): "
                "search it through store.for_tenant(...)"
            )
            raise InvalidInputError(msg)
        return self.scope(tree, layout)

    def owns(self, record: Record, layout: Layout) -> bool:
        """Whether a stored record may be seen."""
        if self.value is None:
            return True
        return bool(record.metadata.get(_partition_key(layout.partition_key)) == self.value)

    def mark(self, record: Record, key: str | None) -> Record:
        """Return a record to be written, with the tenant in its metadata.

        Raises:
            InvalidInputError: If the record names another tenant, or none where one is needed, or
                if there is a tenant and the collection has no partition key.
        """
        if key is None and self.value is None:
            return record
        key = _partition_key(key)
        named = record.metadata.get(key)
        if self.value is not None and named in (None, self.value):
            return replace(record, metadata={**record.metadata, key: self.value})
        if self.value is None and isinstance(named, str) and named:
            return record
        msg = f"record {record.id!r:.80}: metadata[{key!r}] is {named!r:.80}, " + (
            "which names no tenant: give a string, or write through store.for_tenant(...)"
            if self.value is None
            else f"and this store is bound to {self.value!r:.80}"
        )
        raise InvalidInputError(msg)


def _partition_key(key: str | None) -> str:
    if key is None:
        msg = "tenants need a collection made with partition_key=...; this one has none"
        raise InvalidInputError(msg)
    return key
