"""The collection and its companion, as Milvus is told about them."""

from __future__ import annotations

from typing import Any

from hybridge.sparse.term_ids import PLACEHOLDER
from hybridge.store.connection import Connection, pymilvus
from hybridge.store.layouts import Layout, column
from hybridge.store.validation import DOCUMENT_ID_BYTES, ID_BYTES, TEXT_BYTES

# What a row carries in a sparse field that Milvus Lite does not allow to be empty.
EMPTY_SPARSE = {PLACEHOLDER: 1.0}


def companion_name(collection_name: str) -> str:
    """Return the name of the collection that holds layout and statistics."""
    return f"{collection_name}__hybridge"


def create_collection(connection: Connection, name: str, layout: Layout) -> None:
    """Create and load the collection that holds the rows."""
    types = pymilvus().DataType
    schema = pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", types.VARCHAR, max_length=ID_BYTES, is_primary=True)
    schema.add_field("text", types.VARCHAR, max_length=TEXT_BYTES)
    schema.add_field("metadata", types.JSON)
    schema.add_field("document_id", types.VARCHAR, max_length=DOCUMENT_ID_BYTES, nullable=True)
    schema.add_field("extra", types.JSON, nullable=True)
    columns = {
        str: (types.VARCHAR, {"max_length": TEXT_BYTES}),
        int: (types.INT64, {}),
        float: (types.DOUBLE, {}),
        bool: (types.BOOL, {}),
    }
    for key, kind in layout.columns.items():
        data_type, options = columns[kind]
        owner = key == layout.partition_key
        field = {**options, "nullable": not owner, "is_partition_key": owner}
        schema.add_field(column(key), data_type, **field)
    indexes: list[dict[str, Any]] = []
    if layout.dim is not None:
        schema.add_field("dense", types.FLOAT_VECTOR, dim=layout.dim)
        # HNSW and AUTOINDEX under-return when a filter is given to Milvus Lite; FLAT is exact.
        index_type = "FLAT" if connection.is_lite else "AUTOINDEX"
        indexes.append({"field_name": "dense", "index_type": index_type, "metric_type": "COSINE"})
    if layout.sparse is not None:
        schema.add_field("sparse", types.SPARSE_FLOAT_VECTOR)
        indexes.append(_sparse_index("sparse"))
    if not connection.is_lite:
        indexes += [
            {"field_name": column(key), "index_type": "AUTOINDEX"} for key in layout.columns
        ]
    _create(connection, name, schema, indexes)


def create_companion(connection: Connection, name: str) -> None:
    """Create and load the companion collection.

    Milvus Lite needs a vector field, and document frequencies are one: the index is the term id,
    the weight is the count.
    """
    types = pymilvus().DataType
    schema = pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", types.VARCHAR, max_length=ID_BYTES, is_primary=True)
    schema.add_field("kind", types.VARCHAR, max_length=64)
    schema.add_field("value", types.JSON)
    schema.add_field("sign", types.INT64)
    schema.add_field("documents", types.INT64)
    schema.add_field("tokens", types.INT64)
    schema.add_field("frequencies", types.SPARSE_FLOAT_VECTOR)
    _create(connection, name, schema, [_sparse_index("frequencies")])


def _sparse_index(field_name: str) -> dict[str, Any]:
    return {
        "field_name": field_name,
        "index_type": "SPARSE_INVERTED_INDEX",
        "metric_type": "IP",
    }


def _create(connection: Connection, name: str, schema: Any, indexes: list[dict[str, Any]]) -> None:
    connection.call("create_collection", name, schema=schema, consistency_level="Session")
    params = pymilvus().MilvusClient.prepare_index_params()
    for index in indexes:
        params.add_index(**index)
    # An empty collection's index is ready at once; waiting for it polls every half second.
    connection.call("create_index", name, index_params=params, sync=False)
    connection.call("load_collection", name)
