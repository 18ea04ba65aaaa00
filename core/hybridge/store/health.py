"""Measuring the health of fields; see `hybridge.retrieval.health`.

It is done after a write, and in memory: with the documents that were just written, or, where these
are too few, some that are there. The first documents are looked at, from 32 of them on, and again
when the collection has grown tenfold. It takes 64 encoded queries a field at most, holds no lock
meanwhile, and never makes a write fail. What comes of it is kept in the companion, so that readers
weigh fields by it, and no read ever measures.

A model that an API bills is only asked where the store was made with `health=True`. The store's own
BM25 finds words by construction: its health is 1. In a collection of tenants nothing is measured:
what one tenant has written would change the scores of the others.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import StorePermissionError
from hybridge.records import Record
from hybridge.retrieval.health import (
    SAMPLE,
    SMALLEST,
    Health,
    evenly,
    mean_reciprocal_rank,
    stretch,
)
from hybridge.store.encoding import Encoding
from hybridge.store.engine.companion import HEALTH
from hybridge.store.fields import VectorField
from hybridge.store.rows import to_record, vector_columns
from hybridge.store.session import Opened
from hybridge.store.write import Batch

logger = logging.getLogger("hybridge")

_OF_AN_API = ("api_key", "api_token", "api_base", "base_url", "endpoint", "credentials", "region")


@dataclass
class Examination:
    """The fields whose health is measured; nothing is encoded yet.

    Attributes:
        opened: The collection.
        size: How many rows it has.
        samples: The vectors of documents by field, and by the words that they are asked by.
        encoding: What must be encoded before it is finished.
    """

    opened: Opened
    size: int
    samples: Mapping[str, Mapping[str, Any]]
    encoding: Encoding = field(default_factory=Encoding)

    def finish(self) -> dict[str, Health]:
        """Return the health of each field; keep it, and say where it is low."""
        measured: dict[str, Health] = {}
        for name, sample in self.samples.items():
            one = self.opened.fields[name]
            queries = self.encoding.vectors(one, list(sample), "queries")
            found = mean_reciprocal_rank(queries, list(sample.values()), one.score)
            measured[name] = Health(round(found, 4), len(sample), self.size)
        self._keep(measured)
        return measured

    def _keep(self, measured: Mapping[str, Health]) -> None:
        collection = self.opened.collection
        shared = collection.shared
        with shared.lock:
            if shared.layout is not self.opened.layout:
                return  # dropped or made anew meanwhile
            known = shared.health
            shared.note_health({**known, **measured})
            for name, health in measured.items():
                if not self.opened.layout.has_companion:
                    break  # it has no companion: what was measured is known to this process
                collection.companion.write_value(f"{HEALTH}/{name}", health._asdict())
        for name, health in measured.items():
            if health.trust < 1 and not (name in known and known[name].trust < 1):
                logger.warning(
                    "the %s model finds %.0f %% of these documents by their own words: it may not "
                    "know their language; hybrid searches of %r trust it by %.2f",
                    name,
                    100 * health.found,
                    collection.name,
                    health.trust,
                )


def prepare_after(batch: Batch, opened: Opened, allowed: bool | None) -> Examination | None:
    """Return the examination that is due after a write, or None.

    Args:
        batch: What was written.
        opened: The collection.
        allowed: See `is_examined`.
    """
    fields = _examined(opened, allowed)
    if not fields:
        return None
    shared = opened.collection.shared
    size = shared.grow(len(batch.records), opened.collection.count)
    if not any(_is_due(one, opened, size) for one in fields):
        return None
    # Rows that were overwritten have been counted twice.
    size = shared.size = opened.collection.count("")
    due = [one for one in fields if _is_due(one, opened, size)]
    return prepare(due, opened, size, batch.encoded()) if due else None


def prepare(
    fields: Iterable[VectorField], opened: Opened, size: int, written: Sequence[Record] = ()
) -> Examination | None:
    """Return the examination of fields, or None where there are too few documents.

    Args:
        fields: The fields.
        opened: The collection.
        size: How many rows it has.
        written: Records that were just written, with their vectors.
    """
    fields = list(fields)
    records = written
    if len(written) < min(SAMPLE, size):
        records = _stored(opened, [one.name for one in fields])
    samples = {one.name: _sample(one, records) for one in fields}
    enough = {name: sample for name, sample in samples.items() if len(sample) >= SMALLEST}
    if not enough:
        return None
    examination = Examination(opened, size, enough)
    for name, sample in enough.items():
        examination.encoding.ask(opened.fields[name], sample, "queries")
    return examination


def examine(opened: Opened, allowed: bool | None) -> None:
    """Measure the health of all fields anew; who may not write knows it all the same.

    Args:
        opened: The collection.
        allowed: See `is_examined`.
    """
    fields = _examined(opened, allowed)
    examination = prepare(fields, opened, opened.collection.count("")) if fields else None
    if examination is not None:
        examination.encoding.run()
        with suppress(StorePermissionError):
            examination.finish()


def described(opened: Opened) -> dict[str, Any]:
    """Return what a collection holds, as JSON, with the health of its fields."""
    layout = opened.layout.to_json()
    fields = {name: {**one} for name, one in layout["fields"].items()}
    for name, one in opened.fields.items():
        known = opened.collection.shared.health.get(name)
        found = None if known is None else known.found
        fields[name].pop("probe")
        fields[name]["health"] = 1.0 if one.is_made_here else found
    shown = ("version", "metadata_schema", "partition_key")
    foreign = opened.layout.foreign
    library = {} if foreign is None else {"library": foreign.convention.library}
    searched = opened.collection.connection.searched
    return {
        **{key: layout[key] for key in shown},
        **library,
        "searched": searched,
        "fields": fields,
    }


def _examined(opened: Opened, allowed: bool | None) -> list[VectorField]:
    """Return the fields whose health is measured; none where it would tell of other tenants."""
    if opened.layout.partition_key is not None:
        return []
    return [one for one in opened.fields.values() if is_examined(one, allowed)]


def is_examined(one: VectorField, allowed: bool | None) -> bool:
    """Whether a field's health is measured.

    Args:
        one: The field.
        allowed: True for every model, False for none, None for those that no API bills.
    """
    if one.function is None or one.is_made_here or allowed is False:
        return False
    return allowed is True or not is_billed(one.function)


def is_billed(function: Any) -> bool:
    """Whether an API may bill what a function encodes.

    A function says so itself, by `is_billed`; of a framework's embedding it is told by what it
    holds: a key, an address.
    """
    declared = getattr(function, "is_billed", None)
    if isinstance(declared, bool):
        return declared
    embedding = getattr(function, "embedding", function)
    kind: type[Any] = type(embedding)
    names = {*getattr(kind, "model_fields", ()), *getattr(embedding, "__dict__", ())}
    return any(word in name.lower() for name in names for word in _OF_AN_API)


@contextmanager
def not_in_the_way() -> Generator[None]:
    """Say what went wrong with an examination, and go on: the rows are written."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever a model raises
        logger.warning(
            "whether the models know the documents could not be measured (%s): store.check() "
            "tries again, health=False leaves it out",
            type(error).__name__,
        )


def _is_due(one: VectorField, opened: Opened, size: int) -> bool:
    known = opened.collection.shared.health.get(one.name)
    return size >= SMALLEST if known is None else known.is_outgrown(size)


def _stored(opened: Opened, names: Sequence[str]) -> list[Record]:
    layout = opened.layout
    columns = ["id", *layout.data_columns, *vector_columns(layout, names)]
    fields = {name: layout.fields[name] for name in names}
    return [to_record(row, fields) for row in opened.collection.first_rows(columns, SAMPLE)]


def _sample(one: VectorField, records: Sequence[Record]) -> dict[str, Any]:
    """Return the vectors of some documents, by the words that they are asked by."""
    having = [record for record in records if one.name in record.vectors]
    texts = [(one.text_of(record) or "", record.vectors[one.name]) for record in having]
    told = {stretch(text): vector for text, vector in texts if text.strip()}
    return dict(evenly(list(told.items()))) if told else {}
