"""The arguments of a store, for the adapters that hand them on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from typing_extensions import TypedDict

from hybridge.narrowing import is_mapping
from hybridge.store.fields import AUTO, Sparse, SparseField, VectorField
from hybridge.store.layout import COLUMN_TYPES
from hybridge.store.metadata import MetadataEncoder
from hybridge.store.search_config import SearchConfig
from hybridge.store.server_options import ServerOptions


class StoreArguments(TypedDict, total=False):
    """The arguments of `hybridge.MilvusStore`, but for `dense`: frameworks embed by themselves."""

    uri: str | os.PathLike[str] | None
    collection_name: str
    token: str | None
    db_name: str | None
    sparse: Sparse
    fields: Mapping[str, VectorField] | None
    search_fields: Sequence[str] | None
    config: str | os.PathLike[str] | SearchConfig | None
    dim: int | None
    metadata_schema: Mapping[str, type] | None
    partition_key: str | None
    text: str | None
    metadata: str | None
    average_length: float | None
    health: bool | None
    metadata_encoder: MetadataEncoder | None
    overwrite: bool
    timeout: float | None
    in_process_search: bool
    server: ServerOptions | None


def with_functions(
    arguments: StoreArguments, dense: Callable[[Any], Any], sparse: Callable[[Any], Any]
) -> StoreArguments:
    """Return the arguments with a framework's embeddings as functions of Hybridge.

    Args:
        arguments: The arguments.
        dense: Makes the dense function of an embedding.
        sparse: Makes the sparse function of one.
    """
    adapted: dict[str, Any] = {**arguments}
    given = adapted.get("sparse")
    if given is not None and given is not AUTO:
        adapted["sparse"] = sparse(given)
    if is_mapping(fields := adapted.get("fields")):
        adapted["fields"] = {
            name: _with_function(one, dense, sparse) for name, one in fields.items()
        }
    return cast("StoreArguments", adapted)


def _with_function(one: Any, dense: Callable[[Any], Any], sparse: Callable[[Any], Any]) -> Any:
    if not isinstance(one, VectorField) or one.function is None:
        return one
    convert = sparse if isinstance(one, SparseField) else dense
    return replace(one, function=convert(one.function))


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as JSON; objects, the token and `overwrite` are left out."""
    data: dict[str, Any] = {
        name: value
        for name, value in arguments.items()
        if name not in ("token", "overwrite")
        and (value is None or isinstance(value, (str, int, float)))
    }
    if schema := arguments.get("metadata_schema"):
        data["metadata_schema"] = {key: kind.__name__ for key, kind in schema.items()}
    if server := arguments.get("server"):
        data["server"] = server.to_json()
    return data


def restored_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that `plain_arguments` made plain."""
    arguments = {**data}
    if schema := data.get("metadata_schema"):
        arguments["metadata_schema"] = {key: COLUMN_TYPES[kind] for key, kind in schema.items()}
    if server := data.get("server"):
        arguments["server"] = ServerOptions.from_json(server)
    return arguments
