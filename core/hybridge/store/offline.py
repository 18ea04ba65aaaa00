"""Rows as `MilvusStore.add` writes them, made where the collection is not at hand.

What a row needs beside its record is a `Plan`: the layout, and the average length that BM25 weighs
by, which is known before the first row. Counts add up, so that many processes make rows by one
plan, block by block; the sum of their counts goes into the companion when the rows are there.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import Self

from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.records import Record
from hybridge.sparse.analyzer import Analyzer
from hybridge.sparse.statistics import Statistics
from hybridge.sparse.weighting import Weighting
from hybridge.store.batches import BATCH_SIZE
from hybridge.store.bm25.documents import BM25Documents
from hybridge.store.bm25.field import BM25Field
from hybridge.store.bm25.live import AVERAGED
from hybridge.store.encoding import ModelCheck
from hybridge.store.fields import VectorField
from hybridge.store.layout import Layout, LayoutRequest
from hybridge.store.metadata import MetadataEncoder
from hybridge.store.rows import (
    check_vectors,
    parse_record,
    record_key,
    schema_columns,
    tenant_key,
    to_record,
    to_row,
)
from hybridge.store.session import Opened
from hybridge.store.tenancy import Tenant
from hybridge.store.write import check_complete, lacking, owner_of, prepare, put_terms

Counts = Mapping[tuple[str, str], Statistics]
"""BM25 counts by field and `tenant_key`, which is "" where there are no tenants."""


def parse_records(
    records: Iterable[Record],
    there: Layout | LayoutRequest,
    encoder: MetadataEncoder | None = None,
) -> Iterator[Record]:
    """Yield the records as `add` takes them; one without an id gets that of its content.

    Args:
        records: The records.
        there: What their collection holds, or will hold.
        encoder: Makes metadata of what JSON cannot hold.

    Raises:
        InvalidInputError: If a record cannot be stored; it names the record.
    """
    anyone = Tenant()
    for position, record in enumerate(records):
        parsed = parse_record(record, position, there.columns, "content", encoder)
        yield anyone.mark(parsed, there.partition_key)


class PlannedBM25(BM25Documents):
    """BM25 by an average length that is known beforehand, or not needed since nothing is weighed.

    Args:
        field: The field.
        analyzer: Text to tokens.
        weighting: The BM25 parameters.
        average_length: The average length in tokens.
    """

    def __init__(
        self,
        field: BM25Field,
        analyzer: Analyzer,
        weighting: Weighting,
        average_length: float | None = None,
    ) -> None:
        super().__init__(field, analyzer, weighting)
        self._average_length = average_length

    @property
    def average_length(self) -> float | None:
        """What documents are weighed by, in tokens."""
        return self._average_length


@dataclass(frozen=True)
class Plan:
    """What rows are made by.

    Attributes:
        layout: What their collection holds.
        averages: The average length in tokens, by BM25 field.
        writer: Who writes them: their mark begins with it, and so do their counts.
    """

    layout: Layout
    averages: Mapping[str, float] = field(default_factory=dict[str, float])
    writer: str = field(default_factory=lambda: uuid.uuid4().hex[:16])

    @classmethod
    def of(
        cls,
        head: Sequence[Record],
        request: LayoutRequest,
        averages: Mapping[str, float] | float | None = None,
    ) -> Plan:
        """Return the plan of a new collection.

        Args:
            head: The first records, parsed.
            request: What a store's arguments ask for.
            averages: The average length, by field or of all; None takes that of the first 1,000
                records, as a store does.

        Raises:
            InvalidInputError: If there is no record, or what the collection holds is not known.
        """
        if not head:
            msg = "there are no records: without one it is not known what the collection holds"
            raise InvalidInputError(msg)
        first = prepare(
            head[:BATCH_SIZE],
            request.expected,
            ModelCheck(),
            partition_key=request.partition_key,
            is_first=True,
        )
        first.encoding.run()
        layout = first.layout(request)
        names = [name for name, one in layout.fields.items() if isinstance(one, BM25Field)]
        if averages is None:
            averages = _averages_of(head[:AVERAGED], request, layout)
        elif not isinstance(averages, Mapping):
            averages = dict.fromkeys(names, averages)
        return cls(layout, {name: averages[name] for name in names if name in averages})

    @property
    def mark(self) -> str:
        """The mark of the write that all rows come with."""
        return f"{self.writer}/1"

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns that rows are written to, by name, with Milvus's name of their type."""
        fields = self.layout.fields.values()
        return {
            **{name: kind for name, kind, _ in schema_columns(self.layout)},
            **{one.column: one.column_type for one in fields},
        }

    @property
    def moved(self) -> Mapping[str, VectorField]:
        """The fields whose vectors another store takes as they are, by name."""
        return {name: one for name, one in self.layout.fields.items() if not one.is_made_here}

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        layout = self.layout.to_json()
        return {"layout": layout, "averages": dict(self.averages), "writer": self.writer}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str) -> Self:
        """Return the plan that `to_json` wrote.

        Args:
            value: What it wrote.
            name: Where it was, for errors.

        Raises:
            CollectionMismatchError: If it is none, or a later version of Hybridge wrote it.
        """
        layout = Layout.from_json(value.get("layout", {}), name)
        return cls(layout, dict(value["averages"]), value["writer"])

    def check(self, opened: Opened) -> None:
        """Check that rows of the plan fit into a collection.

        Raises:
            CollectionMismatchError: If it holds something else.
        """
        there, planned = _essence(opened.layout), _essence(self.layout)
        if there != planned:
            differ = [key for key in planned if there[key] != planned[key]]
            msg = (
                f"the rows were made for another collection than {opened.collection.name!r}: "
                f"{', '.join(differ)} of the two differ ({[planned[key] for key in differ]} and "
                f"{[there[key] for key in differ]}): choose another collection_name"
            )
            raise CollectionMismatchError(msg)


def _essence(layout: Layout) -> dict[str, Any]:
    """Return what two layouts must share for rows of one to fit into the other."""
    described = layout.to_json()
    fields = {
        name: {key: one.get(key) for key in ("kind", "source", "dim", "metric", "analyzer")}
        for name, one in described["fields"].items()
    }
    columns = {**described["metadata_schema"], **described["added"]}
    return {
        "version": described["version"],
        "fields": fields,
        "metadata_schema": columns,
        "partition_key": described["partition_key"],
    }


def planned_bm25(
    request: LayoutRequest,
    fields: Iterable[VectorField],
    averages: Mapping[str, float] | None = None,
) -> list[PlannedBM25]:
    """Return the BM25 of those fields that have one.

    Args:
        request: What a store's arguments ask for.
        fields: The fields.
        averages: The average lengths by field, where documents are weighed.
    """
    return [
        PlannedBM25(
            one,
            *one.analysis(request.expected.get(one.name), "planned"),
            None if averages is None else averages[one.name],
        )
        for one in fields
        if isinstance(one, BM25Field)
    ]


def _averages_of(
    records: Sequence[Record], request: LayoutRequest, layout: Layout
) -> dict[str, float]:
    counted = count_lengths(records, planned_bm25(request, layout.fields.values()))
    return {name: one.average_length or 1.0 for name, one in counted.items()}


def count_lengths(records: Iterable[Record], bm25: Iterable[PlannedBM25]) -> dict[str, Statistics]:
    """Return how many documents and tokens records have, by field, without the frequencies."""
    records = list(records)
    counts = {one.field.name: one.count_rows(records) for one in bm25}
    return {name: Statistics(len(c), int(c.lengths.sum())) for name, c in counts.items()}


@dataclass(frozen=True)
class Made:
    """Rows that were made of one block of records.

    Attributes:
        rows: The rows, by column.
        counts: What BM25 counts of them.
        lacking: The fields that some of them lack.
    """

    rows: Sequence[Mapping[str, Any]]
    counts: Counts
    lacking: frozenset[str]


class RowMaker:
    """Makes rows of records by a plan.

    Args:
        plan: The plan.
        request: What a store's arguments ask for; its functions make the vectors.

    Raises:
        CollectionMismatchError: If the two contradict each other.
    """

    def __init__(self, plan: Plan, request: LayoutRequest) -> None:
        request.check(plan.layout, "planned")
        self.plan = plan
        fields = plan.layout.fields
        asked = {name: one.function for name, one in request.fields.items()}
        self._bm25 = planned_bm25(request, fields.values(), plan.averages)
        functions = {**asked, **{one.field.name: one for one in self._bm25}}
        self._fields = {name: one.of_function(functions.get(name)) for name, one in fields.items()}
        self._models = ModelCheck()

    def make(self, records: Sequence[Record]) -> Made:
        """Return the rows of parsed records, of which the last with one id counts.

        Raises:
            InvalidInputError: If a vector does not fit, or is missing and cannot be made.
            CollectionMismatchError: If a function is another model than the plan's.
        """
        layout = self.plan.layout
        batch = prepare(
            records,
            self._fields,
            self._models,
            partition_key=layout.partition_key,
            is_first=False,
        )
        batch.encoding.run()
        batch.models.check(batch.unknown, batch.encoding, "planned")
        encoded = {record_key(record, layout): record for record in batch.encoded()}
        check_vectors(list(encoded.values()), layout.fields)
        vectors = {key: dict(record.vectors) for key, record in encoded.items()}
        counts = self._put_terms(encoded, vectors)
        complete = [record.with_vectors(vectors[key]) for key, record in encoded.items()]
        check_complete(complete, layout)
        rows = [to_row(record, layout, self.plan.mark) for record in complete]
        return Made(rows, counts, frozenset(lacking(complete, layout)))

    def _put_terms(
        self, records: Mapping[str, Record], vectors: Mapping[str, dict[str, Any]]
    ) -> Counts:
        counts: dict[tuple[str, str], Statistics] = {}
        for tenant, some in self._by_tenant(records).items():
            for bm25 in self._bm25:
                counted = put_terms(bm25, some, vectors)
                counts[bm25.field.name, tenant] = counted.statistics()
        return counts

    def _by_tenant(self, records: Mapping[str, Record]) -> dict[str, dict[str, Record]]:
        tenants: dict[str, dict[str, Record]] = defaultdict(dict)
        for key, record in records.items():
            owner = owner_of(record, self.plan.layout)
            tenants["" if owner is None else tenant_key(owner)][key] = record
        return tenants

    def count(self, rows: Iterable[Mapping[str, Any]]) -> Counts:
        """Return what BM25 counts of rows that were made before."""
        records = {row[self.plan.layout.key]: to_record(row, {}) for row in rows}
        return {
            (bm25.field.name, tenant): bm25.count_rows(some.values()).statistics()
            for tenant, some in self._by_tenant(records).items()
            for bm25 in self._bm25
        }


def add_counts(total: dict[tuple[str, str], Statistics], counts: Counts) -> None:
    """Add counts to a total."""
    for key, statistics in counts.items():
        total.setdefault(key, Statistics()).add(statistics)


# --- the collection that takes them --------------------------------------------------------------


def freeze_averages(plan: Plan, opened: Opened, counts: Counts) -> None:
    """Fix the average lengths of a collection before rows of the plan arrive.

    They are those of all these rows, so that none is weighed anew before there are more.

    Raises:
        CollectionMismatchError: If others are fixed: the rows were weighed by another length.
    """
    for bm25 in opened.bm25:
        name = bm25.field.name
        planned = plan.averages[name]
        there = {tenant: one.documents for (field, tenant), one in counts.items() if field == name}
        for tenant, documents in (there or {"": 0}).items():
            own = bm25.of_tenant(tenant, "") if tenant else bm25
            if own.average_length is None:
                own.freeze(planned, max(documents, AVERAGED))
            elif abs(own.average_length / planned - 1) > 1e-9:
                msg = (
                    f"{opened.collection.name!r} weighs documents by an average length of "
                    f"{own.average_length}, and these were weighed by {planned}: make the rows "
                    f"with average_length={own.average_length}, or choose another collection_name"
                )
                raise CollectionMismatchError(msg)


def publish(plan: Plan, opened: Opened, counts: Counts, lacking_fields: Iterable[str]) -> None:
    """Put the counts of rows of the plan that are there into the companion; it may be done twice.

    Each field's counts are there whole or not at all: readers take no sum that lacks a part.
    """
    collection = opened.collection
    with collection.shared.lock:
        collection.note_lacking(set(lacking_fields))
        for bm25 in opened.bm25:
            for (name, tenant), statistics in counts.items():
                if name != bm25.field.name:
                    continue
                own = bm25.of_tenant(tenant, "") if tenant else bm25
                own.log.write_sum(plan.writer, 1, statistics)
                own.suspect()
