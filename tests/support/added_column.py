"""A column that is added to a collection that is there, as Milvus 2.6 does: a rule of a relay.

Milvus Lite cannot add one, so that the column is there from the start, and hidden until it is
added. Its rows hold what a test gives them for NULL.
"""

from __future__ import annotations

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from hybridge import MilvusStore, Record
from hybridge.store.engine.companion import LAYOUT
from support.relay import Answer, Call, Failure


def make_without(uri: str, name: str, key: str, kind: type, first: Record) -> None:
    """Make a collection with the column of a metadata key, which its layout says nothing of.

    Args:
        uri: The server.
        name: The collection.
        key: The key.
        kind: The type of its values.
        first: A row without the key.
    """
    with MilvusStore(uri, collection_name=name, metadata_schema={key: kind}) as store:
        store.add([first])
        companion = store._session.collection().companion
        stored = companion.read_value(LAYOUT) or {}
        companion.write_value(LAYOUT, {**stored, "metadata_schema": {}})


class AddedColumn:
    """The rule.

    Args:
        name: The column.
        kind: Its type, as Milvus names it.

    Attributes:
        added: Whether it was added.
        indexed: Whether it has an index, which vectors need.
        number: The collection's own number: one that is made anew has another.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.added = self.indexed = False
        self.number = 1
        self._kind = schema_pb2.DataType.Value(kind)
        self._description = ""

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Add the column, or answer as if there were none before."""
        if call.name == "AlterCollectionSchema":  # 3.0, which newer clients ask for first
            raise Failure(grpc.StatusCode.UNIMPLEMENTED, "unknown method")
        if call.name == "AddCollectionField":
            return self._add(call)
        if call.name == "CreateIndex" and call.request.field_name == self.name:
            self.indexed = True
        if call.name == "DescribeCollection":
            return self._described(answer(call))
        if call.name == "DescribeIndex" and not self.indexed:
            return self._without_index(answer(call))
        return answer(call)

    def _add(self, call: Call) -> bytes:
        field = schema_pb2.FieldSchema.FromString(call.request.schema)
        if self.added or not field.nullable or field.data_type != self._kind:
            return call.refused(1100, f"invalid parameter: duplicated field name {field.name}")
        self.added, self._description = field.name == self.name, field.description
        return bytes(common_pb2.Status().SerializeToString())

    def _described(self, answered: bytes) -> bytes:
        described = milvus_pb2.DescribeCollectionResponse.FromString(answered)
        described.collectionID = self.number
        for place, one in reversed(list(enumerate(described.schema.fields))):
            if one.name != self.name:
                continue
            if self.added:
                one.description = self._description
            else:
                del described.schema.fields[place]
        return bytes(described.SerializeToString())

    def _without_index(self, answered: bytes) -> bytes:
        described = milvus_pb2.DescribeIndexResponse.FromString(answered)
        shown = [one for one in described.index_descriptions if one.field_name != self.name]
        del described.index_descriptions[:]
        described.index_descriptions.extend(shown)
        return bytes(described.SerializeToString())
