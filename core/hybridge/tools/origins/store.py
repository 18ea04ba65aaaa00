"""Another collection of Hybridge, on a path or a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hybridge.records import Record
from hybridge.store import Metric, MilvusStore, StoreArguments, VectorField
from hybridge.tools.origins.origin import Origin


@dataclass(frozen=True)
class FromStore(Origin):
    """A collection that a store opens: to another path or server, or to this version's layout.

    A new collection has the same fields, with the names and probes of their models, the same typed
    columns and the same partition key. What BM25 counts is counted anew; it is added to what
    another library made without a sparse field.

    Attributes:
        store: The store, or the view of one tenant.
    """

    store: MilvusStore

    def count(self) -> int:
        """Return how many rows there are."""
        return self.store.count()

    def records(self) -> Iterator[Record]:
        """Yield each row."""
        moved = {name for name, one in self._fields().items() if not one.is_made_here}
        for record in self.store.scroll(with_vectors=True):
            vectors = {name: one for name, one in record.vectors.items() if name in moved}
            yield record.with_vectors(vectors)

    def arguments(self) -> StoreArguments:
        """Return what a new collection is made with."""
        fields, described = self._fields(), self.store.describe()
        arguments: StoreArguments = {
            "fields": {name: one.asked() for name, one in fields.items()},
            "metadata_schema": self.store.metadata_columns(),
            "partition_key": described.get("partition_key"),
        }
        has_bm25 = "sparse" in fields or "library" in described
        return arguments if has_bm25 else {**arguments, "sparse": None}

    def metric_of(self, field: str) -> Metric:
        """Return how the store compares the vectors of a field."""
        metric: Metric = self._fields()[field].metric
        return metric

    def _fields(self) -> dict[str, VectorField]:
        return dict(self.store.vector_fields())
