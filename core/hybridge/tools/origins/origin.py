"""What all origins have in common: they count and yield records with ready vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import (
    DenseField,
    Metric,
    SparseField,
    StoreArguments,
    VectorField,
    parse_metadata,
    plain_value,
)
from hybridge.tools.origins.nodes import holds_node, node_to_record

PAGE = 1000
"""How many rows are read at once."""

UNIT = 1e-3
"""How far from 1 the length of a unit vector may be."""


class Origin(ABC):
    """Where records come from that have their vectors already.

    An origin is read from its beginning each time, a page at a time: once to move it and twice to
    verify. Nothing is written to it, and no model is called.

    Attributes:
        metric: How the origin itself compares vectors.
    """

    metric: Metric = "COSINE"

    @abstractmethod
    def count(self) -> int:
        """Return how many records there are."""

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Yield each record with its id and its vectors."""

    def metric_of(self, field: str) -> Metric:
        """Return how the origin compares the vectors of a field."""
        return self.metric

    def arguments(self) -> StoreArguments:
        """Return what a new collection for the records is made with.

        Unit vectors are compared by cosine, which orders them as the other metrics do, and has the
        better relevance.
        """
        first = next(self.records(), None)
        vectors: Mapping[str, Any] = {} if first is None else first.vectors
        return {"fields": {name: self._field(name, vector) for name, vector in vectors.items()}}

    def _field(self, name: str, vector: Any) -> VectorField:
        if is_mapping(vector):
            return SparseField()
        is_unit = abs(float(np.linalg.norm(vector)) - 1) < UNIT
        return DenseField(metric="COSINE" if is_unit else self.metric_of(name))


def make_record(
    row_id: object,
    text: str | None,
    metadata: Mapping[str, Any] | None,
    vectors: Mapping[str, Any],
    **others: Any,
) -> Record:
    """Return the record of what an origin holds.

    Metadata that hold a LlamaIndex node become that node's record. What JSON cannot hold becomes
    what it can, as by `hybridge.plain_value`. A record without an id gets one of its content, so
    that it is the same when it is read again.

    Args:
        row_id: The id; None where there is none.
        text: The text.
        metadata: The metadata.
        vectors: The vectors by field, None where the row lacks one.
        **others: More attributes of the record.
    """
    made = {name: parse_vector(one) for name, one in vectors.items() if one is not None}
    if holds_node(metadata):
        return node_to_record(metadata, text).with_vectors(made)
    name = f"the metadata of {str(row_id)!r:.80}"
    record = Record(
        id=None if row_id is None else str(row_id),
        text=text or "",
        metadata=parse_metadata(metadata or {}, name, plain_value),
        vectors=made,
        **others,
    )
    return replace(record, id=record.content_id) if record.id is None else record


def parse_vector(value: Any) -> Any:
    """Return a dense vector as float32, a sparse one as a mapping of index to weight.

    Raises:
        InvalidInputError: If it is neither.
    """
    if is_mapping(value) and value.keys() >= {"indices", "values"}:
        return dict(zip(value["indices"], value["values"], strict=True))
    if is_mapping(value):
        return {int(index): weight for index, weight in value.items()}
    try:
        return np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"a vector is a list of numbers, not a {type(value).__name__} ({error})"
        raise InvalidInputError(msg) from error
