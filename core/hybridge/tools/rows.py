"""What a target holds of the records that an origin has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import MilvusStore

_TOLERANCE = 1e-6
"""By how much two numbers of equal vectors may differ, of the largest one."""


@dataclass(frozen=True)
class Rows:
    """The rows of a store, found by the records that they hold."""

    store: MilvusStore

    def differing(self, records: Sequence[Record]) -> list[Record]:
        """Return the records that the store lacks, or has otherwise.

        They come without the vectors that the store makes by itself.
        """
        given = [self._given(one) for one in records]
        there = self.find(given)
        return [one for one, row in zip(given, there, strict=True) if not is_same(one, row)]

    def _given(self, record: Record) -> Record:
        vectors = {name: one for name, one in record.vectors.items() if name not in self._made}
        return record.with_vectors(vectors)

    @cached_property
    def _made(self) -> frozenset[str]:
        """The fields whose vectors the store, or the server, makes of the texts."""
        fields = self.store.vector_fields()
        return frozenset(name for name, one in fields.items() if one.is_made_here)

    def find(self, records: Sequence[Record]) -> list[Record | None]:
        """Return the row of each record, or None."""
        if not self.store.exists():
            return [None] * len(records)
        found = {
            (tenant, row.id): row
            for tenant, some in self.by_tenant(records)
            for row in self.view(tenant).get([str(one.id) for one in some], with_vectors=True)
        }
        return [found.get((self._tenant(one), one.id)) for one in records]

    @cached_property
    def _partition_key(self) -> str | None:
        """The key by whose value ids are told apart; None in the view of one tenant."""
        key: str | None = self.store.describe().get("partition_key")
        return None if self.store.tenant is not None else key

    def _tenant(self, record: Record) -> Any:
        return None if self._partition_key is None else record.metadata[self._partition_key]

    def by_tenant(self, records: Sequence[Record]) -> Iterator[tuple[Any, list[Record]]]:
        """Yield the records of each tenant; None where there are none."""
        if self._partition_key is None:
            yield None, list(records)
            return
        ordered = sorted(records, key=self._tenant)
        for tenant, some in groupby(ordered, self._tenant):
            yield tenant, list(some)

    def view(self, tenant: Any) -> MilvusStore:
        """Return the store as a tenant has it."""
        return self.store if tenant is None else self.store.for_tenant(tenant)


def is_same(record: Record, row: Record | None) -> bool:
    """Whether a row holds a record, vectors included; it may hold more."""
    if row is None or row.text != record.text or row.metadata != record.metadata:
        return False
    said = (
        (record.document_id, row.document_id),
        (record.context, row.context),
        (record.extra, row.extra),
    )
    if any(mine is not None and (mine or None) != (its or None) for mine, its in said):
        return False
    return all(_is_close(one, row.vectors.get(name)) for name, one in record.vectors.items())


def _is_close(first: Any, second: Any) -> bool:
    if second is None or len(first) != len(second):
        return False
    if is_mapping(first):
        if first.keys() != second.keys():
            return False
        first, second = list(first.values()), [second[index] for index in first]
    return bool(np.allclose(first, second, rtol=0, atol=_TOLERANCE * _largest(first)))


def _largest(vector: Any) -> float:
    return float(np.max(np.abs(vector), initial=0.0))
