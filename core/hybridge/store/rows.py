"""Records, rows and hits: what a row's columns hold, and what a store accepts.

Everything that is wrong raises before anything is sent. Limits are in bytes of UTF-8, as a Milvus
server counts them; Milvus Lite counts characters, and accepts much that it then stores as something
else (NaN as null, a datetime as a string).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.filters import ID_COLUMN, Column
from hybridge.narrowing import is_iterable, is_mapping
from hybridge.records import FieldScore, Hit, Record, changed
from hybridge.store.fields import VectorField
from hybridge.store.metadata import MetadataEncoder, parse_metadata, utf8

if TYPE_CHECKING:
    from hybridge.store.layout import Layout

NewIds: TypeAlias = Literal["content"] | None
"""What records without an id get: a UUID, or an id made of their content."""

ID_BYTES = 512
DOCUMENT_ID_BYTES = 2048
TEXT_BYTES = 65_535
_WRITE_BYTES = 64
_KEY_BYTES = 64

COLUMN_NAMES = ("id", "key", "text", "context", "metadata", "document_id", "extra", "write")
COLUMN_PREFIX = "meta_"
HAS_PREFIX = "has_"
INPUT_PREFIX = "input_"
FIELDS_OF_VERSION_1 = ("text", "metadata", "document_id", "extra")
SCANNED = ("document_id", "metadata")
"""What a filter can ask for, beside the id."""


# --- columns -------------------------------------------------------------------------------------


def column(key: str) -> str:
    """Return the name of the column of a metadata key."""
    return COLUMN_PREFIX + key


def has_column(field: VectorField) -> str:
    """Return the name of the column that says whether a row has the field."""
    return HAS_PREFIX + field.name


def key_column(layout: Layout) -> Column:
    """Return the primary key: "id", or "key" where ids belong to tenants."""
    return Column("key", str, nullable=False) if layout.ids_are_tenants else ID_COLUMN


def data_columns(layout: Layout) -> list[str]:
    """Return the columns that records and hits are made of, beside the key and the vectors."""
    names = [*FIELDS_OF_VERSION_1, *(["context"] if layout.has_context else [])]
    return [*names, "id"] if layout.ids_are_tenants else names


def scanned_columns(layout: Layout) -> list[str]:
    """Return the columns that most filters are evaluated over, beside the key."""
    return [*SCANNED, "id"] if layout.ids_are_tenants else list(SCANNED)


def vector_columns(layout: Layout, fields: Iterable[str]) -> list[str]:
    """Return the columns that hold these vector fields, and say whether a row has them.

    What the engine makes by itself it does not show.
    """
    named = [layout.fields[name] for name in fields if not layout.fields[name].is_served]
    return [one.stored_in for one in named] + [has_column(one) for one in named if one.optional]


def schema_columns(layout: Layout) -> list[tuple[str, str, dict[str, Any]]]:
    """Return each scalar column of a collection: name, Milvus type and options."""
    optional: dict[str, Any] = {"nullable": True}
    key: list[tuple[str, str, dict[str, Any]]] = [
        ("id", "VARCHAR", {"max_length": ID_BYTES, "is_primary": True})
    ]
    if layout.ids_are_tenants:
        key = [("key", "VARCHAR", {"max_length": _KEY_BYTES, "is_primary": True})]
        key.append(("id", "VARCHAR", {"max_length": ID_BYTES}))
    has = [(has_column(one), "BOOL", optional) for one in layout.fields.values() if one.optional]
    return [
        *key,
        ("text", "VARCHAR", {"max_length": TEXT_BYTES}),
        ("context", "VARCHAR", {"max_length": TEXT_BYTES, **optional}),
        ("metadata", "JSON", {}),
        ("document_id", "VARCHAR", {"max_length": DOCUMENT_ID_BYTES, **optional}),
        ("extra", "JSON", optional),
        ("write", "VARCHAR", {"max_length": _WRITE_BYTES, **optional}),
        *has,
        *(metadata_column(key, kind, layout) for key, kind in layout.columns.items()),
    ]


def metadata_column(key: str, kind: type, layout: Layout) -> tuple[str, str, dict[str, Any]]:
    """Return the column of a metadata key: name, Milvus type and options."""
    types: Mapping[type, tuple[str, dict[str, Any]]] = {
        str: ("VARCHAR", {"max_length": TEXT_BYTES}),
        int: ("INT64", {}),
        float: ("DOUBLE", {}),
        bool: ("BOOL", {}),
    }
    name, options = types[kind]
    owner = key == layout.partition_key
    return column(key), name, {**options, "nullable": not owner, "is_partition_key": owner}


# --- records to rows, rows to records and hits ---------------------------------------------------


def row_key(row_id: str, tenant: str | None) -> str:
    """Return the primary key of a row: its id, or in a collection of tenants a hash of both.

    A hash, since both may have 512 bytes; the length keeps the two apart.
    """
    if tenant is None:
        return row_id
    both = f"{len(tenant)}:{tenant}{row_id}".encode()
    return hashlib.sha256(both).hexdigest()


def tenant_key(tenant: str) -> str:
    """Return what tells a tenant's rows of the companion from others': a name may be too long."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:32]


def record_key(record: Record, layout: Layout) -> str:
    """Return the primary key of a record."""
    owner = layout.owner
    return row_key(str(record.id), None if owner is None else record.metadata[owner])


def to_row(record: Record, layout: Layout, write: str) -> dict[str, Any]:
    """Return the row of a record, with a placeholder for each vector field that it lacks.

    Args:
        record: The record, complete.
        layout: What the collection holds.
        write: The mark of the write that the row comes with.
    """
    if layout.foreign is not None:
        vectors = {
            one.stored_in: record.vectors[name]
            for name, one in layout.fields.items()
            if not one.is_served
        }
        return {**layout.foreign.row(record), **vectors}
    row: dict[str, Any] = {
        "id": record.id,
        layout.key: record_key(record, layout),
        "text": record.text,
        "metadata": dict(record.metadata),
        "document_id": record.document_id or None,
        "extra": None if record.extra is None else dict(record.extra),
    }
    if layout.has_context:
        row |= {"context": record.context or None, "write": write}
    for name, field in layout.fields.items():
        vector = record.vectors.get(name)
        row[field.column] = vector if vector is not None and len(vector) else field.placeholder()
        if field.optional:
            row[has_column(field)] = vector is not None
    row |= {column(key): record.metadata.get(key) for key in layout.columns}
    return row


def to_record(row: Mapping[str, Any], fields: Mapping[str, VectorField]) -> Record:
    """Return the record that a row holds, with the vectors that were read."""
    return Record(id=row["id"], vectors=read_vectors(row, fields), **_data(row))


def to_hit(
    row: Mapping[str, Any],
    fields: Mapping[str, VectorField],
    score: float,
    relevance: float | None,
    scores: Mapping[str, FieldScore],
) -> Hit:
    """Return the hit of a row that a search found."""
    return Hit(
        id=row["id"],
        score=score,
        relevance=relevance,
        scores=scores,
        vectors=read_vectors(row, fields),
        **_data(row),
    )


def _data(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (*FIELDS_OF_VERSION_1, "context")
    return {name: row[name] for name in names if name in row}


def read_vectors(row: Mapping[str, Any], fields: Mapping[str, VectorField]) -> dict[str, Any]:
    """Return the vectors of those fields that were read, and that the row has."""
    return {
        name: field.read(row[field.stored_in])
        for name, field in fields.items()
        if row.get(field.stored_in) is not None
        and not (field.optional and row.get(has_column(field)) is False)
    }


# --- what a store accepts ------------------------------------------------------------------------


def parse_record(
    record: Any,
    position: int,
    columns: Mapping[str, type],
    ids: NewIds = None,
    encoder: MetadataEncoder | None = None,
) -> Record:
    """Return the record with an id, if the store can hold it; its vectors are looked at later.

    Args:
        record: The record.
        position: Its place among those given, for the error.
        columns: The metadata keys that are columns as well, and their types.
        ids: What id a record without one gets: a UUID, or with "content" its `content_id`.
        encoder: Makes metadata of what JSON cannot hold.

    Raises:
        InvalidInputError: Naming the record, and the metadata key where there is one.
    """
    if not isinstance(record, Record):
        msg = f"record {position} is a {type(record).__name__}: give hybridge.Record objects"
        raise InvalidInputError(msg)
    name = f"record {position}"
    if record.id is not None:
        name = f"record {position} (id {shown(record.id)})"
        parse_id(record.id, name)
    check_text(record.text, TEXT_BYTES, f"{name}: the text", "split it into smaller chunks")
    if record.document_id is not None:
        what = f"{name}: the document_id"
        check_text(record.document_id, DOCUMENT_ID_BYTES, what, "use a shorter one")
    if record.context is not None:
        check_text(record.context, TEXT_BYTES, f"{name}: the context", "shorten it")
    metadata = parse_metadata(record.metadata, f"{name}: metadata", encoder)
    if record.extra is not None:
        parse_metadata(record.extra, f"{name}: extra")
    if not is_mapping(record.vectors):
        msg = f"{name}: vectors is a {type(record.vectors).__name__}: give a mapping of field names"
        raise InvalidInputError(msg)
    check_columns(metadata, columns, name)
    plain = changed(record, metadata=metadata)
    if record.id is not None:
        return plain
    return changed(plain, id=plain.content_id if ids == "content" else str(uuid.uuid4()))


def parse_id(value: Any, name: str = "the id") -> str:
    """Return the id if it can be a primary key.

    Raises:
        InvalidInputError: If it is not a string, empty, or too long.
    """
    if isinstance(value, str) and not value:
        msg = f"{name}: the id is empty: leave it out (None) to get a new one"
        raise InvalidInputError(msg)
    if not isinstance(value, str):
        msg = f"{name}: the id is a {type(value).__name__}, not a string: write str({shown(value)})"
        raise InvalidInputError(msg)
    check_text(value, ID_BYTES, f"{name}: the id", "use a shorter one, or a hash of it")
    return str(value)


def parse_ids(ids: Any) -> list[str]:
    """Return the ids as a list of strings.

    Raises:
        InvalidInputError: If it is no sequence of ids, or one id is no string.
    """
    if not is_iterable(ids):
        given = shown(ids)
        msg = f"ids is the {type(ids).__name__} {given}: give a list, such as [{given}]"
        raise InvalidInputError(msg)
    return [parse_id(value, f"ids[{position}]") for position, value in enumerate(ids)]


def check_text(value: object, limit: int, what: str, cure: str) -> None:
    """Check that a value is a string that Milvus can hold.

    Raises:
        InvalidInputError: If it is none, too long, or no encoding can store it.
    """
    if not isinstance(value, str):
        msg = f"{what} is a {type(value).__name__}, not a string"
        raise InvalidInputError(msg)
    size = len(utf8(value, what))
    if size > limit:
        msg = f"{what} has {size:,} bytes in UTF-8, and Milvus takes {limit:,}: {cure}"
        raise InvalidInputError(msg)


def check_columns(metadata: Mapping[str, Any], columns: Mapping[str, type], name: str) -> None:
    """Check that metadata fits the columns that hold some of it as well.

    Args:
        metadata: The metadata.
        columns: The metadata keys that are columns, and their types.
        name: Whose metadata it is, for the error.

    Raises:
        InvalidInputError: If a value is of another type, or too long.
    """
    for key, kind in columns.items():
        value = metadata.get(key)
        if value is not None and type(value) is not kind:
            msg = (
                f"{name}: metadata[{key!r}] is {shown(value)} of type {type(value).__name__}, but "
                f"metadata_schema says {kind.__name__}: convert it"
            )
            raise InvalidInputError(msg)
        if kind is str and isinstance(value, str):
            what = f"{name}: metadata[{key!r}]"
            check_text(value, TEXT_BYTES, what, "take the key out of metadata_schema")


def check_vectors(records: Sequence[Record], fields: Mapping[str, VectorField]) -> None:
    """Check that there is a field for each vector.

    Raises:
        InvalidInputError: If a record has a vector of a field that the collection lacks.
    """
    for record in records:
        for name in record.vectors:
            if name not in fields:
                msg = (
                    f"record {shown(record.id)}: its vector {shown(name)} has no place: the "
                    f"collection holds {sorted(fields)}"
                )
                raise InvalidInputError(msg)
