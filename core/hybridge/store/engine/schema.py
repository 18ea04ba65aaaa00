"""The collection and its companion, as Milvus is told about them."""

from __future__ import annotations

from typing import Any

from hybridge.errors import CollectionMismatchError, EngineError
from hybridge.store.engine.connection import Connection
from hybridge.store.engine.pymilvus_import import pymilvus
from hybridge.store.fields import SparseField, VectorField
from hybridge.store.layout import Layout
from hybridge.store.rows import ID_BYTES, column, metadata_column, schema_columns

_ADDED = "added by Hybridge"
"""The description of a field that was added to another library's collection."""


def create_collection(connection: Connection, name: str, layout: Layout) -> None:
    """Create, index and load the collection that holds the rows."""
    types, engine = pymilvus().DataType, connection.dialect.engine
    schema = _empty_schema()
    for column_name, kind, options in schema_columns(layout):
        schema.add_field(column_name, types[kind], **options)
    for field in layout.fields.values():
        field.add_to(schema, types)
    _create(connection, name, schema, **engine.creation(connection.options))
    finish_collection(connection, name, layout)


def finish_collection(connection: Connection, name: str, layout: Layout) -> None:
    """Index and load the collection, which may be done twice."""
    engine = connection.dialect.engine
    indexes = [field.index(engine.exact_indexes) for field in layout.fields.values()]
    if engine.column_indexes:
        indexes += [_column_index(key) for key in layout.columns]
    _finish(connection, name, indexes)
    if connection.reads_here:  # else the engine writes all vectors a second time, as its index
        connection.call("release_collection", name)


def create_column(connection: Connection, name: str, key: str, kind: type, layout: Layout) -> None:
    """Add the column of a metadata key to a collection that is there, and index it.

    It may be done twice: a killed process may have done it before.
    """
    column_name, type_name, options = metadata_column(key, kind, layout)
    del options["is_partition_key"]
    _add(connection, name, column_name, type_name, options)
    if connection.dialect.engine.column_indexes:
        _finish(connection, name, [_column_index(key)])


def check_new_field(connection: Connection, name: str, field: VectorField, layout: Layout) -> None:
    """Refuse to add a field with the name of another, or of a column that Hybridge has not added.

    Raises:
        CollectionMismatchError: If there is one.
    """
    other = layout.fields.get(field.name)
    column_there = _columns(connection, name).get(field.name)
    is_added = column_there is None or column_there.get("description") == _ADDED
    if not is_added or (other is not None and other.stored_as is not None):
        msg = (
            f"collection {name!r} has a field {field.name!r} of its own: give the new one another "
            "name, such as field='bm25'"
        )
        raise CollectionMismatchError(msg)


def create_field(connection: Connection, name: str, field: VectorField) -> None:
    """Add a sparse field to a collection that is there, and index it; it may be done twice."""
    options = {"nullable": True, "desc": _ADDED}
    _add(connection, name, field.name, "SPARSE_FLOAT_VECTOR", options)
    _finish(connection, name, [field.index(connection.dialect.engine.exact_indexes)])


def _add(
    connection: Connection, name: str, column_name: str, type_name: str, options: dict[str, Any]
) -> None:
    data_type = pymilvus().DataType[type_name]
    try:
        connection.call(
            "add_collection_field", name, field_name=column_name, data_type=data_type, **options
        )
    except EngineError as error:
        there = _columns(connection, name).get(column_name, {})
        if there.get("type") != data_type:
            msg = f"the server does not add the column {column_name!r} to {name!r}: {error}"
            raise type(error)(msg, error.code) from error


def _columns(connection: Connection, name: str) -> dict[str, dict[str, Any]]:
    described = connection.call("describe_collection", name)
    return {one["name"]: one for one in described["fields"]}


def create_companion(connection: Connection, name: str) -> None:
    """Create, index and load the companion collection.

    Milvus Lite needs a vector field, and document frequencies are one: the index is the term id,
    the weight is the count.
    """
    types, schema = pymilvus().DataType, _empty_schema()
    schema.add_field("id", types.VARCHAR, max_length=ID_BYTES, is_primary=True)
    for key in ("kind", "field", "writer", "state"):
        schema.add_field(key, types.VARCHAR, max_length=64)
    schema.add_field("tenant", types.VARCHAR, max_length=ID_BYTES)
    schema.add_field("value", types.JSON)
    for key in ("seq", "sign", "documents", "tokens"):
        schema.add_field(key, types.INT64)
    schema.add_field("frequencies", types.SPARSE_FLOAT_VECTOR)
    _create(connection, name, schema)
    _finish(connection, name, [SparseField(name="frequencies").index(exact=True)])


def _empty_schema() -> Any:
    return pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)


def _create(connection: Connection, name: str, schema: Any, **options: Any) -> None:
    # Whatever searches ask for, what a write reads must show this process's own writes.
    connection.call(
        "create_collection", name, schema=schema, consistency_level="Session", **options
    )


def _column_index(key: str) -> dict[str, Any]:
    return {"field_name": column(key), "index_type": "AUTOINDEX"}


def _finish(connection: Connection, name: str, indexes: list[dict[str, Any]]) -> None:
    for index in indexes:
        _create_index(connection, name, index)
    connection.load(name)


def _create_index(connection: Connection, name: str, index: dict[str, Any]) -> None:
    """Index a field; it may be indexed already: another process may be making the collection."""
    params = pymilvus().MilvusClient.prepare_index_params()
    params.add_index(**index)
    try:
        # An empty collection's index is ready at once; waiting for it polls every half second.
        connection.call("create_index", name, index_params=params, sync=False)
    except EngineError:
        if not connection.call("list_indexes", name, field_name=index["field_name"]):
            raise
