"""One collection and its companion: what the store asks of the engine, in the store's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hybridge.errors import CollectionMismatchError, EngineError, StoreError
from hybridge.filters import ids_expression
from hybridge.store import shared
from hybridge.store.connection import COLLECTION_NOT_FOUND, Connection, pymilvus
from hybridge.store.layouts import Layout
from hybridge.store.legs import Leg
from hybridge.store.schema import (
    EMPTY_SPARSE,
    companion_name,
    create_collection,
    create_companion,
)

# Ids in one expression: 10,000 of them cost a search 50 to 130 ms on Milvus Lite.
IDS_PER_CALL = 10_000

_LAYOUT = "layout"
AVERAGE_LENGTH = "average_length"


class Collection:
    """A collection with its companion, on one connection.

    Args:
        connection: The connection.
        name: The name of the collection.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name
        self.companion = companion_name(name)
        self.shared = shared.acquire(connection.address, name)

    def layout(self) -> Layout | None:
        """Return what the collection holds, or None while there is none."""
        if self.shared.layout is None:
            with self.shared.lock:
                if self.shared.layout is None and self.connection.call("has_collection", self.name):
                    self.shared.layout = self._read_layout()
        return self.shared.layout

    def _read_layout(self) -> Layout:
        value = None
        if self.connection.call("has_collection", self.companion):
            self.connection.call("load_collection", self.companion)
            value = self.read_value(_LAYOUT)
        if value is None:
            msg = (
                f"collection {self.name!r} at {self.connection.address} was not made by Hybridge "
                "(it has no companion collection): choose another collection_name"
            )
            raise CollectionMismatchError(msg)
        layout = Layout.from_json(value, self.name)
        self.connection.call("load_collection", self.name)
        if (average_length := self.read_value(AVERAGE_LENGTH)) is not None:
            self.shared.average_length = average_length["tokens"]
            self.shared.weighed = average_length["documents"]
        return layout

    def create(self, layout: Layout) -> None:
        """Make the collection; the companion comes first, so that none is ever without."""
        with self.shared.lock:
            if self.connection.call("has_collection", self.companion):
                self.connection.call("drop_collection", self.companion)
            create_companion(self.connection, self.companion)
            self.write_value(_LAYOUT, layout.to_json())
            create_collection(self.connection, self.name, layout)
            self.shared.forget()
            self.shared.layout = layout

    def drop(self) -> None:
        """Remove the collection and its companion."""
        with self.shared.lock:
            for name in (self.name, self.companion):
                if self.connection.call("has_collection", name):
                    self.connection.call("drop_collection", name)
            self.shared.forget()

    def clear(self) -> None:
        """Remove all rows, by making the collection anew."""
        with self.shared.lock:
            layout = self.layout()
            if layout is not None:
                self.drop()
                self.create(layout)

    def freeze_average_length(self, tokens: float, documents: int) -> None:
        """Set the average length that document vectors are weighted by, that of so many documents.

        Args:
            tokens: The average.
            documents: How many documents it is the average of.
        """
        self.write_value(AVERAGE_LENGTH, {"tokens": tokens, "documents": documents})
        self.shared.average_length = tokens
        self.shared.weighed = documents
        self.shared.reported = False

    def read_value(self, kind: str) -> dict[str, Any] | None:
        """Return a value of the companion, or None if there is none of this kind."""
        rows = self.connection.call(
            "query", self.companion, filter=f'id == "{kind}"', output_fields=["value"]
        )
        return dict(rows[0]["value"]) if rows else None

    def write_value(self, kind: str, value: dict[str, Any]) -> None:
        """Keep a value in the companion, in the place of an older one of its kind."""
        row = {"id": kind, "kind": kind, "value": value, "frequencies": EMPTY_SPARSE}
        zeros = {"sign": 0, "documents": 0, "tokens": 0}
        self.connection.call("upsert", self.companion, data=[row | zeros])

    def delete_value(self, kind: str) -> None:
        """Remove a value from the companion."""
        self.connection.call("delete", self.companion, filter=f'id == "{kind}"')

    def read(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these ids, by id; missing ones are left out."""
        rows: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), IDS_PER_CALL):
            expression = ids_expression(ids[start : start + IDS_PER_CALL])
            for batch in self.select(expression, fields):
                rows.update((row["id"], row) for row in batch)
        return rows

    def select(self, expression: str, fields: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows that an expression selects, in batches; "" selects all."""
        with self._forgetting():
            yield from self.connection.query_all(self.name, expression, ["id", *fields])

    def count(self, expression: str) -> int:
        """Return how many rows an expression selects; "" selects all."""
        with self._forgetting():
            rows = self.connection.call(
                "query", self.name, filter=expression, output_fields=["count(*)"]
            )
        return int(rows[0]["count(*)"])

    def search(
        self,
        leg: Leg,
        vectors: Sequence[Any],
        limit: int,
        expression: str,
        fields: Sequence[str],
    ) -> list[list[dict[str, Any]]]:
        """Search one leg with several vectors in one call; return the engine's hits of each."""
        with self._forgetting():
            answer = self.connection.call(
                "search",
                self.name,
                data=list(vectors),
                anns_field=leg.name,
                limit=limit,
                filter=expression,
                output_fields=list(fields),
                search_params={"metric_type": leg.metric},
            )
        return [list(hits) for hits in answer]

    def search_fused(
        self,
        legs: Sequence[Leg],
        vectors: Mapping[str, Sequence[Any]],
        fusion: str,
        depths: Mapping[str, int],
        limit: int,
        expression: str,
        fields: Sequence[str],
    ) -> list[list[dict[str, Any]]]:
        """Search several legs in one call and let Milvus fuse them.

        `hybrid_search(filter=...)` is silently ignored, so each leg carries the expression. The
        ranker is made anew for each call, since pymilvus changes the one it is given.
        """
        engine = pymilvus()
        rankers = {
            "milvus-rrf": lambda: engine.RRFRanker(),
            "milvus-weighted": lambda: engine.WeightedRanker(*[1 / len(legs)] * len(legs)),
        }
        requests = [
            engine.AnnSearchRequest(
                data=list(vectors[leg.name]),
                anns_field=leg.name,
                param={"metric_type": leg.metric},
                limit=depths[leg.name],
                expr=expression,
            )
            for leg in legs
        ]
        with self._forgetting():
            answer = self.connection.call(
                "hybrid_search",
                self.name,
                reqs=requests,
                ranker=rankers[fusion](),
                limit=limit,
                output_fields=list(fields),
            )
        return [list(hits) for hits in answer]

    def upsert(self, rows: list[dict[str, Any]]) -> None:
        """Write rows."""
        with self.shared.changing(len(rows)):
            self.connection.call("upsert", self.name, data=rows)

    def update(self, rows: list[dict[str, Any]]) -> None:
        """Change the given fields of rows that are there, and leave their other fields alone."""
        with self.shared.changing(len(rows)):
            self.connection.call("upsert", self.name, data=rows, partial_update=True)

    def delete(self, ids: Sequence[str]) -> None:
        """Delete rows by id, which is always escaped: pymilvus's own `ids=` is not."""
        with self.shared.changing(len(ids)):
            self.connection.call("delete", self.name, filter=ids_expression(ids))

    def flush_waiting(self) -> None:
        """Flush before a read if enough rows wait; a server needs no flush to be fast."""
        if self.connection.address.is_path and self.shared.waiting >= shared.FLUSH_THRESHOLD:
            self.flush()

    def flush(self) -> None:
        """Make what was written durable and fast to search.

        Raises:
            StoreBrokenError: If it fails, now or before: writing on would lose rows.
        """
        with self.shared.lock:
            self.shared.refuse_if_broken()
            try:
                self.connection.call("flush", self.name)
                self.connection.call("flush", self.companion)
            except StoreError as error:
                self.shared.broken = str(error)
                raise self.shared.broken_error() from error
            self.shared.waiting = 0

    def close(self) -> None:
        """Flush on a path, and close the connection."""
        broken = self.shared.broken is not None
        try:
            if self.connection.address.is_path and not broken and self.shared.layout is not None:
                self.flush()
        finally:
            shared.release(self.connection.address, self.name)
            # Releasing the engine flushes once more, which after a failed flush loses rows.
            self.connection.close(release=self.shared.broken is None)

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forget the collection when the engine says that another process has dropped it."""
        try:
            yield
        except EngineError as error:
            if error.code == COLLECTION_NOT_FOUND:
                self.shared.forget()
            raise
