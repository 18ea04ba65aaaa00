"""The arguments of a store, for the adapters that hand them on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from typing_extensions import TypedDict

from hybridge.store.fields import Sparse, VectorField
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
    dim: int | None
    metadata_schema: Mapping[str, type] | None
    partition_key: str | None
    average_length: float | None
    health: bool | None
    overwrite: bool
    timeout: float | None
    server: ServerOptions | None
