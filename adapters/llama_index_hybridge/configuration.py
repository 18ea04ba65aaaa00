"""What a vector store is serialised as: its address and its demands, and never a secret."""

from __future__ import annotations

from inspect import signature
from typing import Any

from llama_index.core.bridge.pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from typing_extensions import Self

from hybridge.errors import InvalidInputError
from hybridge.store.layouts import COLUMN_TYPES
from hybridge.store.sparse_choice import AUTO
from hybridge.store.store import MilvusStore

_ARGUMENTS = (
    "uri", "collection_name", "db_name", "sparse", "dim", "metadata_schema", "timeout",
    "fusion", "reranker",
)  # fmt: skip


def open_store(store: MilvusStore | None, **arguments: Any) -> MilvusStore:
    """Return the store given, or else one that the arguments make.

    Raises:
        InvalidInputError: If both are given, since the arguments would be ignored.
    """
    if store is None:
        return MilvusStore(**arguments)
    parameters = signature(MilvusStore).parameters
    given = [name for name, one in arguments.items() if one != parameters[name].default]
    if given:
        msg = f"store= and {given[0]}= are given: pass {given[0]} to the MilvusStore instead"
        raise InvalidInputError(msg)
    return store


def address_of(store: MilvusStore) -> dict[str, Any]:
    """Return where a store's collection is, without credentials."""
    return {
        "uri": str(store.address),
        "collection_name": store.collection_name,
        "db_name": store.address.db_name or None,
    }


class ConfiguredVectorStore(BasePydanticVectorStore):
    """The arguments of a `MilvusVectorStore` that say how to make it again.

    `to_dict` holds what JSON can hold. A pickle holds sparse function, fusion and reranker as well.
    Neither holds the token or `overwrite`.
    """

    stores_text: bool = True
    is_embedding_query: bool = True

    uri: str = Field(description="Where Milvus is, without credentials.")
    collection_name: str
    db_name: str | None = None
    sparse: Any = AUTO
    dim: int | None = None
    metadata_schema: dict[str, type] | None = None
    timeout: float | None = None
    fusion: Any = None
    reranker: Any = None

    @model_serializer(mode="wrap")
    def custom_model_dump(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        plain = (str, int, float, type(None))
        given: dict[str, Any] = {
            name: one for name, one in self._given().items() if isinstance(one, plain)
        }
        if self.metadata_schema is not None:
            schema = {key: kind.__name__ for key, kind in self.metadata_schema.items()}
            given["metadata_schema"] = schema
        return {**given, "class_name": self.class_name()}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Return the vector store that `to_dict` described.

        Args:
            data: What `to_dict` returned.
            **kwargs: Arguments to replace or add, such as `token=` or `reranker=`.
        """
        schema = data.get("metadata_schema")
        if schema is not None:
            schema = {key: COLUMN_TYPES[kind] for key, kind in schema.items()}
            data = {**data, "metadata_schema": schema}
        return super().from_dict(data, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return self._given()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()  # another object for the same collection

    def __setstate__(self, state: dict[str, Any]) -> None:
        type(self).__init__(self, **state)

    def _given(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults."""
        fields = type(self).model_fields
        given = {name: getattr(self, name) for name in _ARGUMENTS}
        return {name: one for name, one in given.items() if one is not fields[name].default}
