"""What a collection holds: asked for by arguments, made for a new one, read back from an old one.

Version 2 has every column that is planned, since Milvus Lite cannot add one: `context`,
`has_<field>` for the fields that rows may lack, the `write` that a row came with, and, in a
collection of tenants, a primary key made of tenant and id. A collection of version 1 works as it
was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import signature
from typing import Any

from hybridge.arguments import check_label, shown
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.filters import Column, RowKey
from hybridge.filters.compile import ROW_COLUMNS
from hybridge.filters.words import Words
from hybridge.narrowing import is_mapping
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.store.bm25.field import BM25Field
from hybridge.store.bm25.milvus import MilvusBM25Field
from hybridge.store.fields import AUTO, Auto, DenseField, SparseField, VectorField
from hybridge.store.foreign import COPY, Foreign, Naming, is_of, recognise
from hybridge.store.rows import (
    COLUMN_NAMES,
    COLUMN_PREFIX,
    FIELDS_OF_VERSION_1,
    HAS_PREFIX,
    INPUT_PREFIX,
    column,
    data_columns,
    key_column,
    scanned_columns,
)

VERSION = 2
ADOPTED = "adopted"
"""What the companion says of the collection, where another library made that."""

COLUMN_TYPES: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
KINDS: Mapping[str, type[VectorField]] = {
    one.kind: one for one in (DenseField, SparseField, BM25Field, MilvusBM25Field)
}
_COLUMN_KEY = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)
_RESERVED = ("hybrid", "rerank")
_PREFIXES = (COLUMN_PREFIX, HAS_PREFIX, INPUT_PREFIX)


@dataclass(frozen=True)
class Layout:
    """What a collection holds.

    Attributes:
        fields: The vector fields, by name.
        metadata_schema: The metadata keys that are columns as well, and their types.
        partition_key: The metadata key that tells tenants apart, where there are tenants.
        version: The version of the layout.
        added: The metadata keys that became columns later, and their types.
        filling: Those of them whose columns do not hold the values of all rows yet.
        foreign: Where the rows hold what, in a collection that another library made.
    """

    fields: Mapping[str, VectorField]
    metadata_schema: Mapping[str, type] = field(default_factory=dict[str, type])
    partition_key: str | None = None
    version: int = VERSION
    added: Mapping[str, type] = field(default_factory=dict[str, type])
    filling: frozenset[str] = frozenset()
    foreign: Foreign | None = None

    @cached_property
    def columns(self) -> Mapping[str, type]:
        """The metadata keys that are columns, the partition key included, and their types."""
        if self.foreign is not None:
            return {key: kind for key, kind in self.foreign.columns.items() if kind is not None}
        return _with_partition_key({**self.metadata_schema, **self.added}, self.partition_key)

    @cached_property
    def filter_columns(self) -> Mapping[str, Column]:
        """The metadata keys that filters can ask the engine for."""
        if self.foreign is not None:
            return self.foreign.filter_columns
        return {
            key: Column(column(key), kind)
            for key, kind in self.columns.items()
            if key not in self.filling
        }

    @cached_property
    def row_columns(self) -> Mapping[RowKey, Column]:
        """The row's own values that filters can ask the engine for."""
        return ROW_COLUMNS if self.foreign is None else self.foreign.row_columns

    @cached_property
    def words(self) -> Words | None:
        """Where the engine looks up the words of a row's text, where it can."""
        known = (one.words for one in self.fields.values())
        return next((words for words in known if words is not None), None)

    @cached_property
    def key(self) -> str:
        """The name of the primary key."""
        return self.key_column.name

    @cached_property
    def key_column(self) -> Column:
        """The primary key."""
        return key_column(self) if self.foreign is None else self.foreign.key_column

    @cached_property
    def data_columns(self) -> list[str]:
        """The columns that records and hits are made of, beside the key and the vectors."""
        return data_columns(self)

    @cached_property
    def scanned_columns(self) -> list[str]:
        """The columns that most filters are evaluated over, beside the key."""
        return scanned_columns(self)

    @cached_property
    def has_context(self) -> bool:
        """Whether rows have a context, and the mark of the write that they came with."""
        return self.version > 1 and self.foreign is None

    @cached_property
    def has_companion(self) -> bool:
        """Whether there is a companion: another library's collection has one for BM25 alone."""
        return self.foreign is None or any(one.is_counted for one in self.fields.values())

    @cached_property
    def ids_are_tenants(self) -> bool:
        """Whether two tenants may use one id: the primary key is made of both."""
        return self.owner is not None

    @cached_property
    def owner(self) -> str | None:
        """The partition key, where each tenant has ids and BM25 counts of its own."""
        return self.partition_key if self.version > 1 else None

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON, for the companion collection."""
        old = {"sparse": self._sparse_of_version_1} if self.version == 1 else {}
        adopted = {} if self.foreign is None else {ADOPTED: self.foreign.to_json()}
        return {
            **old,
            **adopted,
            "version": self.version,
            "fields": {name: one.to_json() for name, one in self.fields.items()},
            "metadata_schema": {key: kind.__name__ for key, kind in self.metadata_schema.items()},
            "partition_key": self.partition_key,
            "added": {key: kind.__name__ for key, kind in self.added.items()},
            "filling": sorted(self.filling),
        }

    @property
    def _sparse_of_version_1(self) -> dict[str, Any] | None:
        sparse = self.fields.get("sparse")
        if sparse is None:
            return None
        kind = "bm25" if isinstance(sparse, BM25Field) else "function"
        return {**sparse.to_json(), "kind": kind}

    def with_column(self, key: str, kind: type) -> Layout:
        """Return the layout with one more column, which is being filled."""
        return replace(self, added={**self.added, key: kind}, filling=self.filling | {key})

    def with_filled(self, key: str) -> Layout:
        """Return the layout with a column that holds the values of all rows."""
        return replace(self, filling=self.filling - {key})

    def with_field(self, field: VectorField) -> Layout:
        """Return the layout with a field in the place of the one of its name."""
        return replace(self, fields={**self.fields, field.name: field})

    @classmethod
    def recognise(
        cls,
        schema: Mapping[str, Any],
        indexes: Mapping[str, Mapping[str, Any]],
        naming: Naming,
        name: str,
        stored: Mapping[str, Any] | None = None,
    ) -> Layout:
        """Return what a collection holds that another library made.

        Args:
            schema: What Milvus says of it.
            indexes: What Milvus says of its indexes, by column.
            naming: What the store's arguments say of its columns.
            name: The collection.
            stored: What its companion says, where it was given one for BM25.

        Raises:
            CollectionMismatchError: If it is one of ours that has lost its companion, or which
                columns hold what is not known.
        """
        columns = {one["name"] for one in schema.get("fields", ())}
        if columns >= {"id", *FIELDS_OF_VERSION_1}:
            msg = (
                f"collection {name!r} has lost its companion {name}__hybridge, which holds its "
                "layout and its counts: bring it back from a backup, or choose another "
                "collection_name"
            )
            raise CollectionMismatchError(msg)
        own: Mapping[str, VectorField] = {}
        adopted = None if stored is None else stored.get(ADOPTED)
        if stored is not None and is_mapping(adopted) and is_of(adopted, schema):
            kept = cls.from_json(stored, name).fields
            own = {key: one for key, one in kept.items() if one.is_counted and key in indexes}
            columns_of = naming.fields.union(own)
            naming = replace(naming, text=adopted["text"], fields=columns_of)
        foreign, fields = recognise(schema, indexes, naming, name)
        return cls({**fields, **own}, foreign=foreign)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str) -> Layout:
        """Return the layout that `to_json` wrote, in this version or the one before.

        Raises:
            CollectionMismatchError: If a later version of Hybridge wrote it.
        """
        version = value.get("version")
        if version not in (1, VERSION):
            msg = (
                f"collection {name!r} has layout version {version!r}, and this Hybridge reads 1 "
                f"and {VERSION}: upgrade hybridge"
            )
            raise CollectionMismatchError(msg)
        try:
            return cls._parse(value, int(version))
        except (LookupError, AttributeError, TypeError, ValueError, OverflowError) as error:
            msg = (
                f"the layout of collection {name!r}, in its companion {name}__hybridge, is none "
                f"that Hybridge wrote ({type(error).__name__}: {error!s:.80}): bring the companion "
                "back from a backup, or pass overwrite=True to make both anew"
            )
            raise CollectionMismatchError(msg) from error

    @classmethod
    def _parse(cls, value: Mapping[str, Any], version: int) -> Layout:
        described = _fields_of_version_1(value) if version == 1 else value["fields"]
        fields = {name: KINDS[one["kind"]].from_json(name, one) for name, one in described.items()}
        schema, added = (
            {key: COLUMN_TYPES[kind] for key, kind in value.get(name, {}).items()}
            for name in ("metadata_schema", "added")
        )
        check_metadata_schema(_with_partition_key({**schema, **added}, value["partition_key"]))
        filling = frozenset(value.get("filling", ()))
        return cls(fields, schema, value["partition_key"], version, added, filling)


def _fields_of_version_1(value: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = {}
    if value["dim"] is not None:
        dense = {"kind": "dense", "dim": value["dim"], "metric": "COSINE"}
        fields["dense"] = {**dense, "model": value["dense_model"]}
    if value["sparse"] is not None:
        kind = {"bm25": "bm25", "function": "sparse"}[value["sparse"]["kind"]]
        fields["sparse"] = {**value["sparse"], "kind": kind}
    return fields


@dataclass(frozen=True)
class LayoutRequest:
    """What a store's arguments ask of its collection. What they leave out is taken as it is there.

    Attributes:
        fields: The vector fields, by name.
        sparse: AUTO takes the sparse field that is there, None demands that there is none.
        metadata_schema: The metadata keys that are columns as well; None takes what there is.
        partition_key: The metadata key that tells tenants apart; None takes what there is.
        naming: Which columns hold what, of a collection that another library made.
    """

    fields: Mapping[str, VectorField]
    sparse: Auto | None = None
    metadata_schema: Mapping[str, type] | None = None
    partition_key: str | None = None
    naming: Naming = field(default_factory=Naming)

    @classmethod
    def parse_arguments(cls, given: Mapping[str, Any]) -> LayoutRequest:
        """Return what those of a store's arguments ask for that are about its layout.

        Raises:
            InvalidInputError: As `parse` does.
        """
        names = signature(cls.parse).parameters
        return cls.parse(**{name: given[name] for name in names})

    @classmethod
    def parse(
        cls,
        *,
        dense: DenseEmbeddingFunction | str | None,
        sparse: Any,
        fields: Mapping[str, VectorField] | None,
        dim: int | None,
        metadata_schema: Mapping[str, type] | None,
        partition_key: str | None,
        text: str | None = None,
        metadata: str | None = None,
    ) -> LayoutRequest:
        """Return the arguments of a store as a request.

        Raises:
            InvalidInputError: If one makes no sense, or two contradict each other.
        """
        if fields is not None and not is_mapping(fields):
            msg = f"fields={shown(fields)}: give a dictionary of name to DenseField or SparseField"
            raise InvalidInputError(msg)
        asked: dict[str, VectorField] = {}
        if dense is not None or dim is not None:
            asked["dense"] = DenseField(dense, dim=dim)
        if sparse is not None and not isinstance(sparse, Auto):
            asked["sparse"] = SparseField(sparse)
        for name, one in (fields or {}).items():
            if name in asked:
                msg = f"{name}= and fields[{name!r}] both say what the field is: give one of them"
                raise InvalidInputError(msg)
            name = _parse_field_name(name)
            asked[name] = _parse_field(one, name)
        given = _sharing({name: _resolved(replace(one, name=name)) for name, one in asked.items()})
        auto = None if sparse is None or "sparse" in given else AUTO
        columns = _with_partition_key(
            {} if metadata_schema is None else metadata_schema, partition_key
        )
        check_metadata_schema(columns)
        for argument, value in (("text", text), ("metadata", metadata)):
            if value is not None:
                check_label(value, argument)
        naming = Naming(text, metadata, frozenset(given) - {"dense", "sparse"})
        return cls(given, auto, metadata_schema, partition_key, naming)

    @property
    def columns(self) -> Mapping[str, type]:
        """The metadata keys that a new collection has as columns, and their types."""
        return _with_partition_key(self.metadata_schema or {}, self.partition_key)

    @property
    def expected(self) -> dict[str, VectorField]:
        """The fields that a new collection has as far as they are known before its first row."""
        fields = dict(self.fields)
        if self.sparse is AUTO:
            fields["sparse"] = BM25Field.of(SparseField("bm25", name="sparse").resolved())
        order = {"dense": 0, "sparse": 1}
        return dict(sorted(fields.items(), key=lambda item: order.get(item[0], 2)))

    def layout(
        self,
        fields: Mapping[str, VectorField],
        vectors: Mapping[str, Any],
        probes: Mapping[str, Any],
    ) -> Layout:
        """Return the layout of a new collection.

        Args:
            fields: The vector fields, with their functions.
            vectors: The first vectors, by field; they tell lengths that nothing else told.
            probes: The vectors of `PROBE`, by field.

        Raises:
            InvalidInputError: If the collection would hold no vectors, or a length is not known.
        """
        if self.naming.text or self.naming.metadata:
            msg = "text= and metadata= name columns of a collection that is there: leave them out"
            raise InvalidInputError(msg)
        if not fields:
            msg = (
                "nothing to index: give the store an embedding or its name, dim= or ready vectors, "
                "or let it use BM25 (sparse='bm25')"
            )
            raise InvalidInputError(msg)
        made = {name: one.new(name) for name, one in fields.items()}
        for name, one in made.items():
            if isinstance(one, DenseField) and one.dim is None:
                made[name] = replace(one, dim=_length(vectors.get(name), name))
            if name in probes:
                made[name] = replace(made[name], probe=one.probe_of(probes[name]))
        return Layout(made, dict(self.metadata_schema or {}), self.partition_key)

    def check(self, layout: Layout, name: str) -> None:
        """Check an existing collection against what is asked for.

        Raises:
            CollectionMismatchError: If they contradict each other; it shows both.
        """
        there, asked = self.contradictions(layout)
        if asked:
            msg = (
                f"collection {name!r} has {there}, but the store asks for {asked}: leave the "
                "argument out to take what is there, choose another collection_name, or pass "
                "overwrite=True to replace the collection and all its rows"
            )
            if layout.foreign is not None:
                msg = (
                    f"collection {name!r}, which {layout.foreign.convention.library} made, has "
                    f"{there}, but the store asks for {asked}: leave the argument out to take what "
                    f"is there; enable_bm25() adds BM25 where the server can; or {COPY}"
                )
            raise CollectionMismatchError(msg)

    def contradictions(self, layout: Layout) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is there and what is asked for, by argument, where they differ."""
        there: dict[str, Any] = {}
        asked: dict[str, Any] = {}
        for name, one in self.fields.items():
            stored = layout.fields.get(name)
            if _differ(one, stored):
                there |= {_argument(name, one): None if stored is None else stored.shown()}
                asked |= {_argument(name, one): one.shown()}
        if self.sparse is None and "sparse" not in self.fields and "sparse" in layout.fields:
            there["sparse"], asked["sparse"] = layout.fields["sparse"].shown(), None
        if not self._takes_columns(layout):
            there["metadata_schema"] = {**layout.metadata_schema, **layout.added}
            asked["metadata_schema"] = self.metadata_schema
        named = Naming("text", "metadata") if layout.foreign is None else layout.foreign
        for argument in ("text", "metadata"):
            wanted = getattr(self.naming, argument)
            if wanted not in (None, getattr(named, argument)):
                there[argument], asked[argument] = getattr(named, argument), wanted
        if self.partition_key not in (None, layout.partition_key):
            there["partition_key"] = layout.partition_key
            asked["partition_key"] = self.partition_key
        return there, asked

    def _takes_columns(self, layout: Layout) -> bool:
        """Whether the columns are those that are asked for; those added later may be left out."""
        if self.metadata_schema is None:
            return True
        wanted, has = self.metadata_schema.items(), layout.metadata_schema.items()
        return has <= wanted <= {**layout.metadata_schema, **layout.added}.items()


def _differ(asked: VectorField, stored: VectorField | None) -> bool:
    """Whether a field that is asked for contradicts what is there.

    A framework hands its embedding to every store, so that a dense function is no demand to have
    the field "dense"; a length is one.
    """
    if stored is None:
        return asked.name != "dense" or bool(asked.demands())
    return asked.contradicts(stored)


def _argument(name: str, asked: VectorField) -> str:
    """Return the argument of a store that says what a field is."""
    if name == "dense" and asked.demands().keys() <= {"dim"}:
        return "dim"
    return "sparse" if name == "sparse" else f"fields[{name!r}]"


def _resolved(asked: VectorField) -> VectorField:
    """Return the field, as one of BM25 where its function is an unfitted one, or the server's."""
    if isinstance(asked, SparseField) and MilvusBM25Field.names(asked.function):
        return MilvusBM25Field.of(asked)
    asked = asked.resolved()
    function = asked.function
    unfitted = isinstance(function, BM25EmbeddingFunction) and not function.fitted
    is_bm25 = isinstance(asked, SparseField) and unfitted
    return BM25Field.of(asked) if is_bm25 else asked  # type: ignore[arg-type]


def _sharing(fields: Mapping[str, VectorField]) -> dict[str, VectorField]:
    """Return the fields; where functions are equal, such as two wrappers, they have one of them."""
    functions: list[Any] = []
    shared: dict[str, VectorField] = {}
    for name, one in fields.items():
        function = next((known for known in functions if known == one.function), one.function)
        functions.append(function)
        shared[name] = one.of_function(function)
    return shared


def _parse_field(value: Any, name: str) -> VectorField:
    if not isinstance(value, VectorField):
        msg = f"fields[{name!r}] is a {type(value).__name__}: give a DenseField or a SparseField"
        raise InvalidInputError(msg)
    return value


def _parse_field_name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        msg = f"fields: {shown(name)} cannot name a field: use ASCII letters, digits and _"
        raise InvalidInputError(msg)
    if name in (*COLUMN_NAMES, *_RESERVED) or name.startswith(_PREFIXES):
        msg = f"fields: the name {name!r} is taken by the store: choose another"
        raise InvalidInputError(msg)
    return name


def _length(vector: Any, name: str) -> int:
    if vector is None:
        msg = f"the length of the field {name!r} is not known: give its vectors, a function or dim="
        raise InvalidInputError(msg)
    return len(vector)


def check_metadata_schema(schema: Mapping[Any, Any]) -> None:
    """Check that each key can name a column.

    Raises:
        InvalidInputError: If a key has other characters than ASCII letters, digits and `_`, or a
            type is not one of str, int, float, bool.
    """
    for key, kind in schema.items():
        check_metadata_column(key, kind)


def check_metadata_column(key: object, kind: object) -> None:
    """Check that a metadata key can be a column of a type.

    Raises:
        InvalidInputError: As `check_metadata_schema` does.
    """
    if not isinstance(key, str) or not _COLUMN_KEY.fullmatch(key):
        msg = (
            f"metadata_schema: {shown(key)} cannot name a column (ASCII letters, digits and "
            "_): leave it out; it can be filtered on all the same"
        )
        raise InvalidInputError(msg)
    if not any(kind is one for one in COLUMN_TYPES.values()):
        msg = f"metadata_schema[{key!r}] is {shown(kind)}: use one of str, int, float, bool"
        raise InvalidInputError(msg)


def _with_partition_key(schema: Any, key: Any) -> dict[str, type]:
    """Return the schema with the partition key, which is a string column, if there is one."""
    if not is_mapping(schema):
        msg = f"metadata_schema={shown(schema)}: give a dictionary such as {{'year': int}}"
        raise InvalidInputError(msg)
    if key is not None and not isinstance(key, str):
        msg = f"partition_key={shown(key)}: give the metadata key that tells tenants apart"
        raise InvalidInputError(msg)
    return dict(schema) if key is None else {**schema, key: str}
