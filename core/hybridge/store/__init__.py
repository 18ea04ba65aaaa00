"""The store over Milvus: all that an adapter or a tool may import of it."""

from __future__ import annotations

from hybridge.records import is_random_id
from hybridge.retrieval.fusion import Fusion
from hybridge.store.answers import parse_vectors, parse_weights
from hybridge.store.arguments import StoreArguments, with_functions
from hybridge.store.engine.address import Address, resolve_address
from hybridge.store.fields import (
    AUTO,
    DenseField,
    Source,
    Sparse,
    SparseField,
    VectorField,
    sparse_rows,
)
from hybridge.store.layout import COLUMN_TYPES
from hybridge.store.metadata import MetadataEncoder, plain_value
from hybridge.store.pickling import pack_function, unpack_reranker
from hybridge.store.query import (
    FetchK,
    FilterLike,
    MilvusFusion,
    Mode,
    Query,
    SearchParams,
    parse_limit,
)
from hybridge.store.rows import TEXT_BYTES, NewIds
from hybridge.store.server_options import TLS, ServerOptions
from hybridge.store.store import BATCH_SIZE, MilvusStore
from hybridge.store.write import CONTEXT, DERIVED, METADATA, OFFSETS

__all__ = [
    "AUTO",
    "BATCH_SIZE",
    "COLUMN_TYPES",
    "CONTEXT",
    "DERIVED",
    "METADATA",
    "OFFSETS",
    "TEXT_BYTES",
    "TLS",
    "Address",
    "DenseField",
    "FetchK",
    "FilterLike",
    "Fusion",
    "MetadataEncoder",
    "MilvusFusion",
    "MilvusStore",
    "Mode",
    "NewIds",
    "Query",
    "SearchParams",
    "ServerOptions",
    "Source",
    "Sparse",
    "SparseField",
    "StoreArguments",
    "VectorField",
    "is_random_id",
    "pack_function",
    "parse_limit",
    "parse_vectors",
    "parse_weights",
    "plain_value",
    "resolve_address",
    "sparse_rows",
    "unpack_reranker",
    "with_functions",
]
