"""Collections that another library made: what their columns mean, and rows out of them and in.

What such a collection is follows from its schema, each time that it is opened, and nothing is
written to remember it: there is no mark of a write, and no companion and no BM25 of ours but by
`hybridge.store.bm25.enabling`. How a library names its columns is a `Convention`; columns that none
knows are named by the store's `text=`, `metadata=` and `fields=`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.filters import Column, RowKey, is_decimal
from hybridge.narrowing import is_mapping
from hybridge.records import Record, is_random_id
from hybridge.store.bm25.milvus import MilvusBM25Field
from hybridge.store.fields import DenseField, SparseField, VectorField
from hybridge.store.node_content import CONTENT, TYPE, content_of, parse_content, record_of

DYNAMIC = "$meta"
"""Milvus's name of all that rows have beside their columns."""

COPY = "copy it to a collection of Hybridge's: hybridge.tools.copy(store, uri='./new.db')"
"""What can be done where such a collection cannot have what is asked for."""

_TYPES: Mapping[str, type] = {
    "VARCHAR": str, "BOOL": bool, "DOUBLE": float,
    "INT8": int, "INT16": int, "INT32": int, "INT64": int,
}  # fmt: skip
_VECTORS = {"FLOAT_VECTOR", "SPARSE_FLOAT_VECTOR"}


@dataclass(frozen=True)
class Convention:
    """How a library names the columns of its collections.

    Attributes:
        library: The library.
        known_by: Columns that all its collections have.
        text: What it calls the text.
        document_id: What it calls the id of the document that a row is a part of.
        no_document: What it writes there for none.
        dense: What it calls the dense vectors, the likeliest first.
        sparse: What it calls the sparse ones.
        own: Keys beside the columns that are no metadata.
        node: Whether one of them holds a LlamaIndex node.
    """

    library: str
    known_by: frozenset[str] = frozenset()
    text: tuple[str, ...] = ("text",)
    document_id: str | None = None
    no_document: str | None = None
    dense: tuple[str, ...] = ("vector", "dense")
    sparse: tuple[str, ...] = ("sparse",)
    own: frozenset[str] = frozenset()
    node: bool = False


CONVENTIONS = (
    Convention(
        "llama-index-vector-stores-milvus",
        known_by=frozenset({"id", "doc_id", "text"}),
        document_id="doc_id",
        no_document="None",
        dense=("embedding",),
        sparse=("sparse_embedding",),
        own=frozenset({CONTENT, TYPE, "doc_id", "document_id", "ref_doc_id"}),
        node=True,
    ),
    Convention("langchain-milvus", known_by=frozenset({"pk", "text"})),
    Convention("another library", text=("text", "content", "page_content", "body", "document")),
)
"""The conventions there are; the first that fits is taken."""


@dataclass(frozen=True)
class Naming:
    """What a store's arguments say of the columns of a collection that another library made.

    Attributes:
        text: The column of the text.
        metadata: The JSON column of the metadata.
        fields: Vector columns that are fields of the same name.
    """

    text: str | None = None
    metadata: str | None = None
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Foreign:
    """Where the rows of such a collection hold what rows of ours hold.

    Attributes:
        convention: How its columns are named.
        key: The primary key.
        numbered: Whether that is an integer: ids are its decimal digits.
        automatic: Whether Milvus makes it, so that no row can be overwritten.
        text: The column of the text, where there is one; of rows that have more than columns, the
            key of that name.
        metadata: The JSON column of the metadata, where there is one.
        dynamic: Whether rows have metadata beside their columns.
        text_is_key: Whether the text is no column.
        columns: The metadata keys that are columns, with their types; None for a type that filters
            are not compiled for.
        required: Those of them that every row must have.
        vectors: The columns of vectors, which no metadata can be named like.
        number: Milvus's own number of the collection: another one of its name has another.
    """

    convention: Convention
    key: str
    numbered: bool
    automatic: bool
    text: str | None
    metadata: str | None
    dynamic: bool
    text_is_key: bool
    columns: Mapping[str, type | None]
    required: frozenset[str]
    vectors: frozenset[str]
    number: int | None

    def to_json(self) -> dict[str, Any]:
        """Return what the companion keeps: which collection it is of, and what is counted."""
        return {"collection": self.number, "text": self.text}

    @cached_property
    def key_column(self) -> Column:
        """The primary key, as filters ask for it."""
        return Column(self.key, int if self.numbered else str, False, decimal=self.numbered)

    @cached_property
    def row_columns(self) -> Mapping[RowKey, Column]:
        """The row's own values that filters can ask the engine for."""
        known = {RowKey.ID: self.key_column}
        if self.text is not None and not self.text_is_key:
            known[RowKey.TEXT] = Column(self.text, str)
        return known

    @cached_property
    def filter_columns(self) -> Mapping[str, Column]:
        """The metadata keys that filters can ask the engine for."""
        return {key: Column(key, kind) for key, kind in self.columns.items() if kind is not None}

    # --- rows out of it ------------------------------------------------------------------------

    def output(self, names: Iterable[str]) -> list[str]:
        """Return the columns to read for those of a row of ours; vectors have their own names."""
        meant: Mapping[str, Sequence[str | None]] = {
            "id": (self.key,),
            "text": (self.text,),
            "document_id": (self.convention.document_id,),
            "metadata": self._metadata_columns,
            "extra": (DYNAMIC,) if self.convention.node and self.dynamic else (),
        }
        columns = [one for name in names for one in meant.get(name, (name,))]
        return list(dict.fromkeys([self.key, *(one for one in columns if one is not None)]))

    @cached_property
    def _metadata_columns(self) -> list[str]:
        named = [] if self.metadata is None else [self.metadata]
        return [*named, *self.columns, *([DYNAMIC] if self.dynamic else [])]

    def read(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row as ours are, of what was read of it."""
        row_id = str(row[self.key])
        kept = {name: row[name] for name in (*self.vectors, "distance") if name in row}
        made: dict[str, Any] = {**kept, self.key: row_id, "id": row_id, "extra": None}
        made["text"] = "" if self.text is None else row.get(self.text, "") or ""
        document_id = row.get(self.convention.document_id or "")
        made["document_id"] = None if document_id == self.convention.no_document else document_id
        made["metadata"] = self._metadata(row)
        content = parse_content(row.get(CONTENT)) if self.convention.node else None
        if content is not None:
            record = record_of(content, row_id, made["text"])
            made |= {"metadata": record.metadata, "extra": record.extra}
            made["document_id"] = record.document_id or made["document_id"]
        return made

    def _metadata(self, row: Mapping[str, Any]) -> dict[str, Any]:
        told: Any = row.get(self.metadata or "")
        metadata = dict(told) if is_mapping(told) else {}
        metadata |= {key: _plain(row[key]) for key in self.columns if row.get(key) is not None}
        if self.dynamic:
            metadata |= {key: value for key, value in row.items() if key not in self._not_metadata}
        return metadata

    @cached_property
    def _placed(self) -> frozenset[str]:
        """The columns there are."""
        own = {self.key, self.text, self.metadata, self.convention.document_id, *self.columns}
        return self.vectors.union(name for name in own if name is not None)

    @cached_property
    def _not_metadata(self) -> frozenset[str]:
        """What a row that was read has beside metadata."""
        return self._placed | {"distance"} | self.convention.own

    # --- rows into it --------------------------------------------------------------------------

    def placed(self, record: Record) -> Record:
        """Return a record without what the collection has no place for."""
        if self.convention.node:
            return record
        documents = self.convention.document_id is not None
        return replace(record, extra=None, document_id=record.document_id if documents else None)

    def check_record(self, record: Record) -> None:
        """Check that the collection has a place for a record's id and metadata.

        Raises:
            InvalidInputError: If it has not; it says for what.
        """
        name = f"record {record.id!r:.80}"
        if self.automatic and not is_random_id(record.id):
            msg = f"{name}: Milvus numbers the rows of this collection: leave the id out"
            raise InvalidInputError(msg)
        if self.numbered and not self.automatic and not is_decimal(record.id or ""):
            msg = f"{name}: the ids of this collection are integers: give one, as a string"
            raise InvalidInputError(msg)
        if self.text is None and record.text:
            msg = f"{name}: this collection has no column for a text: add its vectors alone"
            raise InvalidInputError(msg)
        self._check_metadata(record, name)

    def _check_metadata(self, record: Record, name: str) -> None:
        if missing := sorted(self.required - record.metadata.keys()):
            msg = f"{name}: its metadata lacks {missing}, which every row of this collection has"
            raise InvalidInputError(msg)
        if self.metadata is not None:
            return
        if self.dynamic:
            homeless = record.metadata.keys() & (self._placed - self.columns.keys())
        else:
            homeless = record.metadata.keys() - self.columns.keys()
        if homeless:
            msg = (
                f"{name}: this collection, which {self.convention.library} made, has no place for "
                f"the metadata {sorted(map(str, homeless))}: leave them out, or {COPY}"
            )
            raise InvalidInputError(msg)

    def row(self, record: Record) -> dict[str, Any]:
        """Return the row that holds a record, without its vectors."""
        row: dict[str, Any] = {}
        if not self.automatic:
            row[self.key] = int(record.id or 0) if self.numbered else record.id
        if self.text is not None:
            row[self.text] = record.text
        if self.convention.document_id is not None:
            row[self.convention.document_id] = record.document_id or self.convention.no_document
        row |= {key: record.metadata.get(key) for key in self.columns}
        if self.metadata is not None:
            row[self.metadata] = dict(record.metadata)
        elif self.dynamic:
            row |= {key: value for key, value in record.metadata.items() if key not in row}
        if self.convention.node:
            row |= self._node(record)
        return row

    def _node(self, record: Record) -> dict[str, Any]:
        content, document = content_of(record), record.document_id or self.convention.no_document
        named = {CONTENT: json.dumps(content, ensure_ascii=False), TYPE: content["class_name"]}
        return {**named, "document_id": document, "ref_doc_id": document}


def _plain(value: Any) -> Any:
    """Return a column's value as JSON has it: an array comes as the wire's own list."""
    if isinstance(value, (str, int, float)) or is_mapping(value):
        return value
    return list(value)


# --- what a schema says --------------------------------------------------------------------------


def recognise(
    schema: Mapping[str, Any], indexes: Mapping[str, Mapping[str, Any]], naming: Naming, name: str
) -> tuple[Foreign, dict[str, VectorField]]:
    """Return where a collection's rows hold what, and its vector fields.

    Args:
        schema: What Milvus says of the collection.
        indexes: What it says of the indexes, by column.
        naming: What the store's arguments say.
        name: The collection.

    Raises:
        CollectionMismatchError: If an argument names a column that there is not, or it is not
            known which column holds the text.
    """
    columns = {one["name"]: one for one in schema.get("fields", ())}
    convention = next(one for one in CONVENTIONS if one.known_by <= columns.keys())
    [key] = [one for one in columns.values() if one.get("is_primary")]
    types = {name: _type_name(one) for name, one in columns.items()}
    vectors = [column for column, kind in types.items() if kind.endswith("VECTOR")]
    dynamic = bool(schema.get("enable_dynamic_field"))
    text = _text(columns, types, convention, naming, name, dynamic=dynamic)
    metadata = _metadata(types, naming, name)
    own = {key["name"], text, metadata, convention.document_id, *vectors}
    scalars = {column: _TYPES.get(kind) for column, kind in types.items() if column not in own}
    required = {one for one in scalars if not columns[one].get("nullable")}
    foreign = Foreign(
        convention=convention,
        key=key["name"],
        numbered=types[key["name"]] == "INT64",
        automatic=bool(key.get("auto_id")),
        text=text,
        metadata=metadata,
        dynamic=dynamic,
        text_is_key=text is not None and text not in columns,
        columns=scalars,
        required=frozenset(one for one in required if "default_value" not in columns[one]),
        vectors=frozenset(vectors),
        number=schema.get("collection_id"),
    )
    return foreign, _fields(schema, types, indexes, convention, naming)


def is_of(adopted: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether a companion is that of a collection, and not of one that had its name.

    Args:
        adopted: What `Foreign.to_json` gave.
        schema: What Milvus says of the collection.
    """
    return adopted.get("collection") == schema.get("collection_id")


def _type_name(column: Mapping[str, Any]) -> str:
    return str(getattr(column["type"], "name", column["type"]))


def _text(
    columns: Mapping[str, Any],
    types: Mapping[str, str],
    convention: Convention,
    naming: Naming,
    name: str,
    *,
    dynamic: bool,
) -> str | None:
    strings = [column for column, kind in types.items() if kind == "VARCHAR"]
    if naming.text is not None:
        if dynamic and naming.text not in columns:
            return naming.text
        _check_named(naming.text, "text", strings, name)
        return naming.text
    known = [one for one in convention.text if one in strings]
    others = [one for one in strings if not columns[one].get("is_primary")]
    if known:
        return known[0]
    if not others:
        return convention.text[0] if dynamic else None
    msg = (
        f"collection {name!r} was not made by Hybridge, and which of its columns {others} holds "
        "the text is not known: name it, text=...; or choose another collection_name"
    )
    raise CollectionMismatchError(msg)


def _metadata(types: Mapping[str, str], naming: Naming, name: str) -> str | None:
    known = [column for column, kind in types.items() if kind == "JSON"]
    if naming.metadata is not None:
        _check_named(naming.metadata, "metadata", known, name)
        return naming.metadata
    return known[0] if len(known) == 1 else None


def _check_named(column: str, argument: str, known: Sequence[str], name: str) -> None:
    if column not in known:
        msg = (
            f"collection {name!r} has no column for {argument}={shown(column)}: its columns of "
            f"that type are {list(known)}"
        )
        raise CollectionMismatchError(msg)


def _fields(
    schema: Mapping[str, Any],
    types: Mapping[str, str],
    indexes: Mapping[str, Mapping[str, Any]],
    convention: Convention,
    naming: Naming,
) -> dict[str, VectorField]:
    """Return the vector fields that can be searched: those that have an index."""
    searched = {one: kind for one, kind in types.items() if kind in _VECTORS and one in indexes}
    names = {one: one for one in searched}
    for name, kind, known in (
        ("dense", "FLOAT_VECTOR", convention.dense),
        ("sparse", "SPARSE_FLOAT_VECTOR", convention.sparse),
    ):
        mine = [one for one in searched if searched[one] == kind and one not in naming.fields]
        likely = [one for one in known if one in mine] or (mine if len(mine) == 1 else [])
        if likely and name not in searched:
            names[likely[0]] = name
    inputs = {
        column: function["input_field_names"][0]
        for function in schema.get("functions") or ()
        for column in function["output_field_names"]
    }
    dims = {one["name"]: one.get("params", {}).get("dim") for one in schema["fields"]}
    return {
        names[column]: _field(column, names[column], indexes[column], dims[column], inputs)
        for column in searched
    }


def _field(
    column: str,
    name: str,
    index: Mapping[str, Any],
    dim: Any,
    inputs: Mapping[str, str],
) -> VectorField:
    stored_as = column if column != name else None
    if column in inputs:
        return MilvusBM25Field(name=name, stored_as=stored_as, input_column=inputs[column])
    if dim is None:
        return SparseField(name=name, stored_as=stored_as, source=None)
    metric: Any = str(index.get("metric_type") or "COSINE").upper()
    return DenseField(name=name, stored_as=stored_as, source=None, dim=int(dim), metric=metric)
