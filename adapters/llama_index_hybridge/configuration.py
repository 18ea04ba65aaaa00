"""What a vector store is serialised as: its address and its demands, and never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.bridge.pydantic import (
    PrivateAttr,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from typing_extensions import Self

from hybridge.store.layouts import COLUMN_TYPES
from hybridge.store.store import MilvusStore


class ConfiguredVectorStore(BasePydanticVectorStore):
    """A vector store that knows the arguments which make it again.

    `to_dict` holds what JSON can hold of them. A pickle holds a sparse function, a fusion and a
    reranker as well. Neither holds the token, nor `overwrite`, which has happened.

    Args:
        store: What does the work; its address goes into the dictionary, without credentials.
        arguments: The arguments that it was made with.
        fusion: How two legs become one ranking.
        reranker: Orders the nodes of a semantic_hybrid query anew.
    """

    stores_text: bool = True
    is_embedding_query: bool = True

    uri: str
    collection_name: str
    fusion: Any = None
    reranker: Any = None

    _store: MilvusStore = PrivateAttr()
    _arguments: dict[str, Any] = PrivateAttr()

    def __init__(
        self, store: MilvusStore, arguments: Mapping[str, Any], fusion: object, reranker: object
    ) -> None:
        fields: dict[str, Any] = {
            "uri": str(store.address),
            "collection_name": store.collection_name,
            "fusion": fusion,
            "reranker": reranker,
        }
        super().__init__(**fields)
        self._store = store
        self._arguments = {**arguments, **fields}
        for name, value in (("db_name", store.address.db_name), ("tenant", store.tenant)):
            if value:
                self._arguments[name] = value
        for name in ("token", "overwrite"):
            self._arguments.pop(name, None)

    @model_serializer(mode="wrap")
    def custom_model_dump(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        """Return what `from_dict` takes."""
        data: dict[str, Any] = {
            name: value
            for name, value in self._arguments.items()
            if value is None or isinstance(value, (str, int, float))
        }
        if schema := self._arguments.get("metadata_schema"):
            data["metadata_schema"] = {key: kind.__name__ for key, kind in schema.items()}
        return {**data, "class_name": self.class_name()}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Return the vector store that `to_dict` described.

        Args:
            data: What `to_dict` returned.
            **kwargs: Arguments to replace or add, such as `token=` or `reranker=`.
        """
        if schema := data.get("metadata_schema"):
            schema = {key: COLUMN_TYPES[kind] for key, kind in schema.items()}
            data = {**data, "metadata_schema": schema}
        return super().from_dict(data, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return self._arguments

    def __setstate__(self, state: dict[str, Any]) -> None:
        type(self).__init__(self, **state)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self.model_copy()  # another object for the same collection
