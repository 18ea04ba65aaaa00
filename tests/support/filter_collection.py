"""A real Milvus Lite collection with a promoted column of every type, for the filter tests."""

from __future__ import annotations

from pymilvus import DataType, MilvusClient

from hybridge.filters import Column, Filter, compile_filter, match
from hybridge.records import Record
from support.filter_strategies import PROMOTED

NAME = "filters"
COLUMNS = {key: Column(f"meta_{key}", kind) for key, kind in PROMOTED.items()}
ENGINE_TYPES = {
    str: DataType.VARCHAR,
    int: DataType.INT64,
    float: DataType.DOUBLE,
    bool: DataType.BOOL,
}


class Collection:
    """The collection, and what a filter selects in it."""

    def __init__(self, client: MilvusClient) -> None:
        self.client = client
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=512)
        schema.add_field("document_id", DataType.VARCHAR, max_length=512, nullable=True)
        schema.add_field("text", DataType.VARCHAR, max_length=512)
        schema.add_field("metadata", DataType.JSON)
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=2)
        for column in COLUMNS.values():
            kind = ENGINE_TYPES[column.type]
            size = {"max_length": 512} if kind is DataType.VARCHAR else {}
            schema.add_field(column.name, kind, nullable=True, **size)
        index = client.prepare_index_params()
        index.add_index("dense", index_type="FLAT", metric_type="COSINE")
        client.create_collection(NAME, schema=schema, index_params=index)

    def replace(self, records: list[Record]) -> None:
        """Hold exactly `records`, the first half of them flushed."""
        self.client.delete(NAME, filter='id != ""')
        half = len(records) // 2
        self.client.upsert(NAME, [_row(record) for record in records[:half]])
        self.client.flush(NAME)
        self.client.upsert(NAME, [_row(record) for record in records[half:]])

    def query(self, expression: str) -> list[Record]:
        """Return the rows that the engine selects."""
        fields = ["id", "document_id", "text", "metadata"]
        rows = self.client.query(NAME, filter=expression, output_fields=fields, limit=1000)
        return [Record(**{field: row[field] for field in fields}) for row in rows]

    def ids(self, expression: str) -> list[str]:
        """Return the ids of the rows that the engine selects, sorted."""
        rows = self.client.query(NAME, filter=expression, output_fields=["id"], limit=1000)
        return sorted(row["id"] for row in rows)

    def select(self, tree: Filter | None) -> set[str | None]:
        """Return the ids of the rows that `tree` selects, as a store would find them."""
        compiled = compile_filter(tree, COLUMNS)
        candidates = self.query(compiled.expression)
        return {record.id for record in candidates if match(compiled.residual, record)}


def _row(record: Record) -> dict[str, object]:
    promoted = {column.name: record.metadata.get(key) for key, column in COLUMNS.items()}
    return {
        "id": record.id,
        "document_id": record.document_id,
        "text": record.text,
        "metadata": dict(record.metadata),
        "dense": [1.0, 0.0],
        **promoted,
    }
