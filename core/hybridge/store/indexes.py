"""The indexes of vector fields: how each is built and searched, as Milvus 2.5 and 2.6 document it.

Milvus Lite has exact indexes instead, whatever is asked for. Of those of a server, only what
docs/servers.md says was run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hybridge.store.settings import LARGEST, Allowed

_NLIST = Allowed(int, 1, 65_536)
_COUNT = Allowed(int, 1, LARGEST)
_DROPPED = Allowed(float, 0, 0.999999)
_ALGORITHM = Allowed(str, choices=("DAAT_MAXSCORE", "DAAT_WAND", "TAAT_NAIVE"))
_AT_LEAST_DEPTH = ("ef", "search_list", "reorder_k")


@dataclass(frozen=True)
class Index:
    """The parameters of a type of index.

    Attributes:
        build: What it is built with.
        search: What it is searched with.
    """

    build: Mapping[str, Allowed]
    search: Mapping[str, Allowed]


_CLUSTERED = {"nprobe": _NLIST}
DENSE_INDEXES: Mapping[str, Index] = {
    # Milvus makes an HNSW of it, Zilliz Cloud an index of its own, searched at a level.
    "AUTOINDEX": Index({}, {"ef": _COUNT, "level": Allowed(int, 1, 10)}),
    "FLAT": Index({}, {}),
    "HNSW": Index({"M": Allowed(int, 2, 2048), "efConstruction": _COUNT}, {"ef": _COUNT}),
    "IVF_FLAT": Index({"nlist": _NLIST}, _CLUSTERED),
    "IVF_SQ8": Index({"nlist": _NLIST}, _CLUSTERED),
    "IVF_PQ": Index({"nlist": _NLIST, "m": _NLIST, "nbits": Allowed(int, 1, 64)}, _CLUSTERED),
    "SCANN": Index(
        {"nlist": _NLIST, "with_raw_data": Allowed(bool)}, {**_CLUSTERED, "reorder_k": _COUNT}
    ),
    "DISKANN": Index({}, {"search_list": _COUNT}),
}
_SPARSE_SEARCH = {"drop_ratio_search": _DROPPED}
SPARSE_INDEXES: Mapping[str, Index] = {
    "SPARSE_INVERTED_INDEX": Index(
        {"inverted_index_algo": _ALGORITHM, "drop_ratio_build": _DROPPED}, _SPARSE_SEARCH
    ),
    # Deprecated since Milvus 2.5.4, for `inverted_index_algo="DAAT_WAND"`.
    "SPARSE_WAND": Index({"drop_ratio_build": _DROPPED}, _SPARSE_SEARCH),
    "AUTOINDEX": Index({}, _SPARSE_SEARCH),
}
SEARCH_PARAMS: Mapping[str, Allowed] = {
    name: allowed
    for index in (*DENSE_INDEXES.values(), *SPARSE_INDEXES.values())
    for name, allowed in index.search.items()
}
"""All that any index is searched with."""


def deep_enough(params: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Return search parameters in which none is below the depth where Milvus refuses that."""
    return {
        name: max(value, depth) if name in _AT_LEAST_DEPTH else value
        for name, value in params.items()
    }
