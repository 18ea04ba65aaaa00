"""The arguments of a store, for the adapters that hand them on."""

from __future__ import annotations

import os
from collections.abc import Mapping

from typing_extensions import TypedDict

from hybridge.store.sparse_choice import Sparse


class StoreArguments(TypedDict, total=False):
    """The arguments of `hybridge.MilvusStore`, but for `dense`: frameworks embed by themselves."""

    uri: str | os.PathLike[str] | None
    collection_name: str
    token: str | None
    db_name: str | None
    sparse: Sparse
    dim: int | None
    metadata_schema: Mapping[str, type] | None
    partition_key: str | None
    overwrite: bool
    timeout: float | None
