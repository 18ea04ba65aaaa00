"""Writing: batches, what is kept of the rows that are overwritten, upserts and deletions.

A batch is prepared (checked), encoded and committed. Under the lock the old rows are read, since an
upsert sets what it leaves out to NULL: a framework that knows nothing of `document_id`, `extra` or
another field's vectors would erase what the other one stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from hybridge.arguments import check_flag
from hybridge.errors import InvalidInputError, PartialWriteError
from hybridge.records import Record
from hybridge.sparse.counting import TermCounts
from hybridge.store.batches import batched
from hybridge.store.bm25.counted import Change, counted
from hybridge.store.bm25.documents import BM25Documents
from hybridge.store.bm25.field import BM25Field
from hybridge.store.bm25.live import LiveBM25
from hybridge.store.bm25.reencoding import settle
from hybridge.store.bm25.reindexing import note_outdated
from hybridge.store.encoding import Encoding, ModelCheck
from hybridge.store.fields import EMPTY_SPARSE, PROBE, DenseField, VectorField
from hybridge.store.layout import Layout, LayoutRequest
from hybridge.store.rows import (
    check_vectors,
    column,
    record_key,
    to_record,
    to_row,
    vector_columns,
)
from hybridge.store.selection import Selection
from hybridge.store.session import Opened

logger = logging.getLogger("hybridge")

_ERASED_AT_ONCE = 1000
_EVIDENCE = 16  # rows by which a deletion that was cut short can be told

# What `extra` may say about the row's own text and metadata, kept true when they are overwritten.
OFFSETS = "offsets"  # where in its document the text stood
METADATA = "metadata"  # null: the metadata that the rest of `extra` speaks of are the row's
CONTEXT = "context"  # "derived": the context was made of the metadata
DERIVED = "derived"


class WriteProgress:
    """What one call of `add` has written so far, with a progress bar; a context manager.

    Args:
        total: How many records there are, where that is known.
        progress: Whether to show the bar.

    Raises:
        PartialWriteError: On leaving with an error, if anything was written before it.
    """

    def __init__(self, total: int | None, progress: bool) -> None:
        check_flag(progress, "progress")
        self.ids: list[str] = []
        self._bar = tqdm(total=total, disable=not progress, desc="add", unit="record")

    def count(self, batch: Sequence[Record], numbers: Mapping[str, str]) -> None:
        """Note that these records were written, some by ids that Milvus gave."""
        ids = [str(record.id) for record in batch]
        self.ids += [numbers.get(row_id, row_id) for row_id in ids]
        self._bar.update(len(batch))

    def __enter__(self) -> WriteProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()
        if self.ids and isinstance(error, Exception):
            msg = f"{len(self.ids)} records were written before this: {error}"
            raise PartialWriteError(msg, self.ids) from error


# --- prepared ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Records with distinct ids that were checked; nothing is encoded yet.

    Attributes:
        records: The records, their vectors checked.
        fields: The vector fields that there are, or that a new collection will have.
        models: Whose functions are compared with the collection's models.
        encoding: What must be encoded before the batch is committed.
        unknown: The fields whose function is compared.
        is_first: Whether there is no collection yet.
    """

    records: Sequence[Record]
    fields: Mapping[str, VectorField]
    models: ModelCheck
    encoding: Encoding = field(default_factory=Encoding)
    unknown: Sequence[VectorField] = ()
    is_first: bool = False

    def encoded(self) -> list[Record]:
        """Return the records with the vectors that were made."""
        vectors: dict[int, dict[str, Any]] = {}
        for one in filter(_is_encoded, self.fields.values()):
            texts = {
                place: text
                for place, record in enumerate(self.records)
                if (text := text_to_encode(one, record)) is not None
            }
            made = self.encoding.vectors(one, list(texts.values()), "documents")
            for place, vector in zip(texts, made, strict=True):
                vectors.setdefault(place, {})[one.name] = vector
        return [
            record.with_vectors({**record.vectors, **vectors[place]})
            if place in vectors
            else record
            for place, record in enumerate(self.records)
        ]

    def layout(self, request: LayoutRequest) -> Layout:
        """Return the layout of a new collection whose first batch this is.

        Raises:
            InvalidInputError: If it would hold no vectors, or a length is not known.
        """
        vectors = {
            name: vector
            for record in reversed(self.encoded())
            for name, vector in record.vectors.items()
        }
        return request.layout(self.fields, vectors, self.probes())

    def probes(self) -> dict[str, Any]:
        """Return the vectors of `PROBE` that the models of a new collection made."""
        return {
            one.name: self.encoding.vectors(one, [PROBE], "documents")[0]
            for one in self.fields.values()
            if self.is_first and _is_encoded(one)
        }


def prepare(
    records: Sequence[Record],
    fields: Mapping[str, VectorField],
    models: ModelCheck,
    *,
    partition_key: str | None,
    is_first: bool,
) -> Batch:
    """Check the vectors of parsed records and say what must be encoded.

    Args:
        records: The records; the last of several with one id wins.
        fields: The vector fields that there are, or that a new collection will have.
        models: Whose functions are compared with the collection's models.
        partition_key: The metadata key that tells tenants apart, whose ids may be alike.
        is_first: Whether there is no collection yet.

    Raises:
        InvalidInputError: If a vector does not fit, or is missing and cannot be made.
    """
    distinct = list({_identity(record, partition_key): record for record in records}.values())
    if is_first:
        fields = _with_first_dense(distinct, fields)
        fields = {name: one.new(name) for name, one in fields.items()}
    check_vectors(distinct, fields)
    parsed = _with_parsed_vectors(distinct, fields)
    encoding = Encoding()
    for one in fields.values():
        _ask(encoding, one, parsed)
        if is_first and _is_encoded(one):
            encoding.ask(one, [PROBE], "documents")
    unknown = (
        [one for one in fields.values() if _is_encoded(one)]
        if is_first
        else models.ask(fields.values(), encoding)
    )
    return Batch(parsed, fields, models, encoding, unknown, is_first)


def _ask(encoding: Encoding, one: VectorField, records: Sequence[Record]) -> bool:
    """Ask for the vectors of a field that records lack; return whether there are any."""
    texts = [text_to_encode(one, record) for record in records]
    wanted = [text for text in texts if text is not None]
    encoding.ask(one, wanted, "documents")
    return bool(wanted)


def fitted(records: Sequence[Record], opened: Opened) -> list[Record]:
    """Return the records as a collection takes them that has no column for contexts.

    One that an earlier version made has none, and one that another library made may have no place
    for document ids either, and for what a framework keeps of its own.

    Raises:
        InvalidInputError: If a record does not fit into another library's collection.
    """
    foreign, shared = opened.layout.foreign, opened.collection.shared
    kept = [replace(record, context=None) for record in records]
    if foreign is not None:
        for record in kept:
            foreign.check_record(record)
        kept = [foreign.placed(record) for record in kept]
    if not shared.dropped and kept != list(records):
        shared.dropped = True
        logger.warning(
            "%r, which an earlier version or another library made, keeps no context%s: only the "
            "texts are indexed; copy it to a new one to have both",
            opened.collection.name,
            "" if foreign is None else " and nothing else that it has no columns for",
        )
    return kept


def text_to_encode(one: VectorField, record: Record) -> str | None:
    """Return the text that the field's function encodes of a record, or None if it need not.

    Raises:
        InvalidInputError: If the vector is missing and cannot be made.
    """
    text = one.text_of(record)
    if isinstance(one, BM25Field) or one.name in record.vectors:
        return None
    if text is not None and one.function is None and not one.optional:
        raise _missing(one, record)
    return None if one.function is None else text


def _missing(one: VectorField, record: Record) -> InvalidInputError:
    return InvalidInputError(
        f"the {one.name} vector of record {record.id!r:.80} is missing: {one.function_cure()}"
    )


def _is_encoded(one: VectorField) -> bool:
    return one.function is not None and not isinstance(one, BM25Field)


def _identity(record: Record, partition_key: str | None) -> tuple[Any, Any]:
    """Return what tells records apart: two tenants may use one id."""
    return (None if partition_key is None else record.metadata[partition_key], record.id)


def _with_first_dense(
    records: Sequence[Record], fields: Mapping[str, VectorField]
) -> Mapping[str, VectorField]:
    """Return the fields, with "dense" where the first records bring its vectors."""
    if "dense" in fields or not any("dense" in record.vectors for record in records):
        return fields
    return {"dense": DenseField(name="dense"), **fields}


def _with_parsed_vectors(
    records: Sequence[Record], fields: Mapping[str, VectorField]
) -> list[Record]:
    vectors: list[dict[str, Any]] = [{} for _ in records]
    for name, one in fields.items():
        having = [place for place, record in enumerate(records) if name in record.vectors]
        for place, vector in zip(
            having, _parsed(one, [records[place] for place in having]), strict=True
        ):
            vectors[place][name] = vector
    return [
        record.with_vectors(some) if some else record
        for record, some in zip(records, vectors, strict=True)
    ]


def _parsed(one: VectorField, records: Sequence[Record]) -> list[Any]:
    """Return the vectors that records have of a field, parsed."""
    names = [f"the {one.name} vector of record {record.id!r:.80}" for record in records]
    return one.parse_vectors([record.vectors[one.name] for record in records], names)


# --- committed -----------------------------------------------------------------------------------


class Committed(NamedTuple):
    """What comes of a batch that was committed.

    Attributes:
        again: The records that were not written, since the stored rows have a context that must be
            encoded with them: they carry it now.
        numbers: The ids that Milvus gave rows, by those that the records had for the time being.
    """

    again: list[Record]
    numbers: Mapping[str, str]


def commit(
    batch: Batch,
    opened: Opened,
    first: Sequence[Record],
    average_length: float | None = None,
) -> Committed:
    """Write a batch that was encoded, under the shared lock that the caller holds.

    Args:
        batch: The batch.
        opened: The collection.
        first: The first documents, which fix the average length where nothing has.
        average_length: That length, where it was given.

    Returns:
        What is left to do, and the ids that Milvus gave.

    Raises:
        InvalidInputError: If the vectors do not fit the collection, or a row belongs to another
            tenant; nothing was sent.
    """
    layout = opened.layout
    # The collection may be another's: both found none and prepared a first batch.
    unknown = [opened.fields[one.name] for one in batch.unknown if one.name in opened.fields]
    batch.models.check(unknown, batch.encoding, opened.collection.name)
    records = {record_key(record, layout): record for record in batch.encoded()}
    check_vectors(list(records.values()), layout.fields)
    old = _old_records(records, opened)
    _check_tenants(records, old, layout)
    kept = {key: _keep(record, old.get(key), opened) for key, record in records.items()}
    given = {record_key(record, layout): record for record in batch.records}
    stale = {key: kept.pop(key) for key in records if _is_stale(given[key], kept[key], opened)}
    again = [
        replace(given[key], context=one.context, extra=one.extra) for key, one in stale.items()
    ]
    replaced = {key: row for key, row in old.items() if key in kept}
    return Committed(again, put(kept, replaced, opened, first, average_length))


def put(
    records: Mapping[str, Record],
    old: Mapping[str, Record],
    opened: Opened,
    first: Sequence[Record] = (),
    average_length: float | None = None,
) -> Mapping[str, str]:
    """Write complete records by key, and keep the BM25 counts true, under the shared lock.

    Args:
        records: The records, with all their vectors but those of BM25.
        old: The rows that they replace.
        opened: The collection.
        first: The first documents, which fix the average length where nothing has.
        average_length: That length, where it was given.

    Returns:
        The ids that Milvus gave the rows, by key, where it numbers them.

    Raises:
        InvalidInputError: If it does, and there are rows to replace.
    """
    if not records:
        return {}
    collection, layout = opened.collection, opened.layout
    rows = {key: dict(record.vectors) for key, record in records.items()}
    owners = {key: owner_of(record, layout) for key, record in records.items()}
    changes: list[Change] = []
    for tenant, own, keys in _by_tenant(owners, opened):
        mine = {key: records[key] for key in keys}
        firsts = [record for record in first if owner_of(record, layout) == tenant]
        for bm25 in own.bm25:
            if bm25.differs:
                note_outdated(bm25)
                _leave_without_terms(bm25, mine, rows)
                continue
            bm25.freeze_by(firsts or list(mine.values()), average_length)
            changes.append(_weigh(bm25, mine, old, rows))
    complete = [record.with_vectors(rows[key]) for key, record in records.items()]
    check_complete(complete, layout)
    if layout.foreign is not None and layout.foreign.automatic:
        return _inserted(complete, old, opened)
    collection.note_lacking(lacking(complete, layout))
    with counted(collection, changes) as write:
        collection.upsert([to_row(record, layout, write) for record in complete])
    for change in changes:
        if not change.bm25.is_outdated:
            settle(change.bm25)
    return {}


def _inserted(
    records: Sequence[Record], old: Mapping[str, Record], opened: Opened
) -> dict[str, str]:
    """Insert records into a collection whose rows Milvus numbers; return the numbers by id."""
    if old:
        msg = (
            f"Milvus numbers the rows of {opened.collection.name!r}, so that {sorted(old)[:3]} "
            "cannot be overwritten: delete them, and add them as new ones"
        )
        raise InvalidInputError(msg)
    rows = [to_row(record, opened.layout, "") for record in records]
    numbers = opened.collection.insert(rows)
    return {str(one.id): number for one, number in zip(records, numbers, strict=True)}


def owner_of(record: Record, layout: Layout) -> str | None:
    """Return the tenant whose counts a record belongs to."""
    return None if layout.owner is None else record.metadata[layout.owner]


def _by_tenant(
    owners: Mapping[str, str | None], opened: Opened
) -> Iterator[tuple[str | None, Opened, list[str]]]:
    """Yield each tenant, the collection as it has it, and the keys of its rows."""
    keys: dict[str | None, list[str]] = {}
    for key, owner in owners.items():
        keys.setdefault(owner, []).append(key)
    for tenant, some in keys.items():
        yield tenant, opened if tenant is None else opened.of_tenant(tenant), some


def _weigh(
    bm25: LiveBM25,
    records: Mapping[str, Record],
    old: Mapping[str, Record],
    rows: Mapping[str, dict[str, Any]],
) -> Change:
    """Put the BM25 vectors into the rows; return what it changes."""
    counts = put_terms(bm25, records, rows)
    if not old:
        return Change.of(bm25, counts)
    texts = _texts(bm25.field, records)
    gone = _texts(bm25.field, {key: old[key] for key in records if key in old})
    added = [text for key, text in texts.items() if gone.get(key) != text]
    removed = [text for key, text in gone.items() if texts.get(key) != text]
    return Change.of(bm25, bm25.count(added), bm25.count(removed))


def put_terms(
    bm25: BM25Documents, records: Mapping[str, Record], rows: Mapping[str, dict[str, Any]]
) -> TermCounts:
    """Put the BM25 vectors of records into their rows, by key; return what was counted."""
    texts = _texts(bm25.field, records)
    counts = bm25.count(texts.values())
    for key in records:
        rows[key].pop(bm25.field.name, None)
    for key, vector in zip(texts, bm25.weigh(counts), strict=True):
        rows[key][bm25.field.name] = vector
    return counts


def _leave_without_terms(
    bm25: LiveBM25, records: Mapping[str, Record], rows: Mapping[str, dict[str, Any]]
) -> None:
    """Leave the terms to `reindex_sparse`."""
    for key in records:
        rows[key].pop(bm25.field.name, None)
    for key in _texts(bm25.field, records):
        rows[key][bm25.field.name] = EMPTY_SPARSE


def _texts(one: VectorField, records: Mapping[str, Record]) -> dict[str, str]:
    texts = {key: one.text_of(record) for key, record in records.items()}
    return {key: text for key, text in texts.items() if text is not None}


def check_complete(records: Sequence[Record], layout: Layout) -> None:
    """Check that records have the vectors that their rows need.

    Raises:
        InvalidInputError: If one is missing, or is none.
    """
    for one in layout.fields.values():
        having = [record for record in records if record.vectors.get(one.name) is not None]
        if not one.is_checked:
            _parsed(one, having)
        if len(having) == len(records):
            continue
        for record in records:
            # Where a model made the others' vectors, a row with a source is not left without.
            is_made = one.probe is not None and one.text_of(record) is not None
            if record.vectors.get(one.name) is None and (is_made or not one.optional):
                raise _missing(one, record)


def lacking(records: Sequence[Record], layout: Layout) -> set[str]:
    """Return the fields that some of the records lack, and a search would find all the same."""
    optional = [one for one in layout.fields.values() if one.optional and one.empty_is_found]
    return {one.name for one in optional if any(one.name not in r.vectors for r in records)}


# --- what is kept of overwritten rows ------------------------------------------------------------


def _old_records(records: Mapping[str, Record], opened: Opened) -> dict[str, Record]:
    """Return the rows that the records will replace, with the vectors that may be kept."""
    layout = opened.layout
    keepable = [
        name
        for name, one in layout.fields.items()
        if one.optional and any(name not in record.vectors for record in records.values())
    ]
    columns = ["id", *layout.data_columns, *vector_columns(layout, keepable)]
    rows = _read_to_change(list(records), columns, opened)
    fields = {name: layout.fields[name] for name in keepable}
    return {key: to_record(row, fields) for key, row in rows.items()}


def _read_to_change(
    keys: Sequence[str], columns: Sequence[str], opened: Opened, expression: str = ""
) -> dict[str, dict[str, Any]]:
    """Return rows that are about to be overwritten or deleted, with their marks."""
    collection, layout = opened.collection, opened.layout
    if not collection.shows_marks:
        return collection.read(keys, columns, expression)
    owner = [] if layout.owner is None else [column(layout.owner)]
    rows = collection.read(keys, [*columns, "write", *owner], expression)
    owners = {key: row[owner[0]] if owner else None for key, row in rows.items()}
    for _, own, some in _by_tenant(owners, opened):
        for bm25 in own.bm25:
            bm25.settle_for({key: rows[key]["write"] for key in some})
    return rows


def _keep(record: Record, old: Record | None, opened: Opened) -> Record:
    """Return the record with what the row held and the record does not say."""
    if old is None:
        return record
    context = _kept_context(record, old)
    document_id = old.document_id if record.document_id is None else record.document_id
    kept = replace(
        record,
        document_id=document_id,
        context=context,
        extra=_kept_extra(record, old, context),
    )
    vectors = dict(record.vectors)
    for name, one in opened.layout.fields.items():
        if name in old.vectors and name not in vectors:
            if one.text_of(kept) == one.text_of(old):
                vectors[name] = old.vectors[name]
            elif one.text_of(kept) is not None and not isinstance(one, BM25Field):
                one.of_function(opened.fields[name].function).check_function()
    return kept.with_vectors(vectors)


def _kept_context(record: Record, old: Record) -> str | None:
    """Return the context that a row has after it is overwritten.

    None keeps a given context. A derived one is dropped with the metadata that it was made of, or
    by the framework that derives it; it never replaces a given one.
    """
    was_derived = is_derived(old.extra)
    if record.context is None:
        dropped = was_derived and (record.extra is not None or record.metadata != old.metadata)
        return None if dropped else old.context
    if is_derived(record.extra) and old.context and not was_derived:
        return old.context
    return record.context


def _kept_extra(record: Record, old: Record, context: str | None) -> Mapping[str, Any] | None:
    if record.extra is not None:
        extra = dict(record.extra)
        if is_derived(extra) and context != record.context:
            del extra[CONTEXT]
        return extra
    if old.extra is None:
        return None
    extra = dict(old.extra)
    if old.text != record.text:
        extra.pop(OFFSETS, None)
    if METADATA in extra and extra[METADATA] is None and old.metadata != record.metadata:
        extra[METADATA] = old.metadata
    if context != old.context:
        extra.pop(CONTEXT, None)
    return extra


def is_derived(extra: Mapping[str, Any] | None) -> bool:
    """Whether the context of a row was made of its metadata."""
    return extra is not None and extra.get(CONTEXT) == DERIVED


def _is_stale(given: Record, kept: Record, opened: Opened) -> bool:
    """Whether a vector was made of another text than the row will have."""
    if (given.context or None) == (kept.context or None):
        return False
    return any(
        _is_encoded(one)
        and one.name not in given.vectors
        and one.text_of(given) != one.text_of(kept)
        for one in opened.fields.values()
    )


def _check_tenants(
    records: Mapping[str, Record], old: Mapping[str, Record], layout: Layout
) -> None:
    """Where tenants share the ids, an upsert would take the row from the one that has it."""
    owner = layout.partition_key
    if owner is None or layout.ids_are_tenants:
        return
    for key, record in records.items():
        if key in old and old[key].metadata.get(owner) != record.metadata.get(owner):
            msg = f"the id {record.id!r:.80} belongs to another tenant: use another id"
            raise InvalidInputError(msg)


# --- changed and erased --------------------------------------------------------------------------


def read_marks(keys: Sequence[str], opened: Opened) -> dict[str, Any]:
    """Return the marks by which it can be told that another process has changed rows."""
    collection = opened.collection
    if not collection.shows_marks:
        return {}
    return {key: row["write"] for key, row in _read_to_change(keys, [], opened).items()}


def update(
    old: Sequence[Record], changed: Sequence[Record], marks: Mapping[str, Any], opened: Opened
) -> bool:
    """Put rows back with other metadata, under the shared lock.

    Only the fields whose source has changed are encoded again.

    Args:
        old: The rows, with their vectors.
        changed: The same, with the metadata that they get.
        marks: What `read_marks` gave before the rows were read.
        opened: The collection.

    Returns:
        False, and nothing is written, if another process has changed a row since.

    Raises:
        InvalidInputError: If a field must be encoded again and has no function.
    """
    pairs = zip(old, changed, strict=True)
    kept = [_with_kept(before, after, opened) for before, after in pairs]
    batch = _prepare_changed(kept, opened)
    batch.encoding.run()
    batch.models.check(batch.unknown, batch.encoding, opened.collection.name)
    keys = [record_key(record, opened.layout) for record in old]
    if read_marks(keys, opened) != marks:
        return False
    put(dict(zip(keys, batch.encoded(), strict=True)), dict(zip(keys, old, strict=True)), opened)
    return True


def _prepare_changed(records: Sequence[Record], opened: Opened) -> Batch:
    """Say what must be encoded of rows that were read, changed and are put back."""
    encoding, models = Encoding(), ModelCheck()
    asked = [one for one in opened.fields.values() if _ask(encoding, one, records)]
    unknown = models.ask(asked, encoding)
    return Batch(records, opened.fields, models, encoding, unknown)


def _with_kept(before: Record, after: Record, opened: Opened) -> Record:
    """Return the changed record with what stays true: not the vectors whose source has changed.

    A vector that came from outside stays where only the context has changed.
    """
    vectors = dict(before.vectors)
    same_context = replace(after, context=before.context)
    for name, one in opened.fields.items():
        if one.text_of(after) != one.text_of(before):
            if one.function is None and one.text_of(same_context) == one.text_of(before):
                continue
            vectors.pop(name, None)
            if one.text_of(after) is not None:
                one.check_function()
    extra = _kept_extra(replace(after, extra=None), before, before.context)
    if extra is not None and after.context is None and before.context is not None:
        extra = {key: value for key, value in extra.items() if key != CONTEXT}
    return replace(after.with_vectors(vectors), extra=extra)


def erase_all(keys: Iterable[str], opened: Opened, selection: Selection) -> int:
    """Delete rows, one batch at a time under the shared lock; return how many there were.

    A row that is no longer selected by then, since it was overwritten meanwhile, stays.
    """
    shared = opened.collection.shared
    erased = 0
    for batch in batched(keys, _ERASED_AT_ONCE):
        with shared.lock:
            opened.collection.check_writable()
            erased += _erase(batch, opened, selection)
    return erased


def _erase(keys: Sequence[str], opened: Opened, selection: Selection) -> int:
    collection, layout = opened.collection, opened.layout
    columns = ["id", *layout.data_columns] if opened.bm25 else ["id", *selection.columns]
    found = _read_to_change(keys, columns, opened, selection.expression)
    rows = {row[layout.key]: row for row in selection.matching(list(found.values()))}
    if not rows:
        return 0
    old = {key: to_record(row, {}) for key, row in rows.items()} if opened.bm25 else {}
    owners = {key: owner_of(record, layout) for key, record in old.items()}
    touched = [(bm25, some) for _, own, some in _by_tenant(owners, opened) for bm25 in own.bm25]
    for bm25, _ in touched:
        if bm25.differs:
            note_outdated(bm25)
    changes = [
        Change.of(bm25, removed=bm25.count_rows(old[key] for key in some))
        for bm25, some in touched
        if not bm25.differs
    ]
    erased = {key: row.get("write") for key, row in islice(rows.items(), _EVIDENCE)}
    with counted(collection, changes, erased):
        collection.delete(list(rows), _marks(rows, opened, selection))
    return len(rows)


def _marks(
    rows: Mapping[str, Mapping[str, Any]], opened: Opened, selection: Selection
) -> list[str]:
    """Return the marks that rows must still have to be deleted, where others write, too.

    A row that one of them overwrites just now is not the one that was selected.
    """
    if selection.is_all or not opened.collection.shows_marks:
        return []
    marks = dict.fromkeys(row["write"] for row in rows.values())
    return [] if None in marks else list(marks)
