"""The store over Milvus: all that an adapter or a tool may import of it."""

from __future__ import annotations

from hybridge.records import DenseVector, is_random_id
from hybridge.retrieval.fusion import Fusion
from hybridge.store.answers import parse_vectors, parse_weights
from hybridge.store.arguments import StoreArguments, plain_arguments, restored_arguments
from hybridge.store.batches import BATCH_SIZE, batched
from hybridge.store.binding import bound_store
from hybridge.store.bm25.live import AVERAGED, MOST_TERMS
from hybridge.store.engine.address import Address, resolve_address
from hybridge.store.engine.lite_server import serve_lite
from hybridge.store.fields import (
    AUTO,
    DenseField,
    Metric,
    Source,
    Sparse,
    SparseField,
    VectorField,
    sparse_rows,
)
from hybridge.store.layout import LayoutRequest
from hybridge.store.metadata import MetadataEncoder, parse_encoder, parse_metadata, plain_value
from hybridge.store.offline import (
    Counts,
    Plan,
    PlannedBM25,
    RowMaker,
    add_counts,
    count_lengths,
    parse_records,
    planned_bm25,
)
from hybridge.store.pickling import check_named, pack_function, unpack_reranker
from hybridge.store.query import (
    FetchK,
    FilterLike,
    MilvusFusion,
    Mode,
    Query,
    SearchParams,
    parse_limit,
    parse_mode,
)
from hybridge.store.rows import TEXT_BYTES, NewIds, to_record
from hybridge.store.search_config import SearchConfig
from hybridge.store.server_options import TLS, ServerOptions
from hybridge.store.store import MilvusStore
from hybridge.store.write import CONTEXT, DERIVED, METADATA, OFFSETS

__all__ = [
    "AUTO",
    "AVERAGED",
    "BATCH_SIZE",
    "CONTEXT",
    "DERIVED",
    "METADATA",
    "MOST_TERMS",
    "OFFSETS",
    "TEXT_BYTES",
    "TLS",
    "Address",
    "Counts",
    "DenseField",
    "DenseVector",
    "FetchK",
    "FilterLike",
    "Fusion",
    "LayoutRequest",
    "MetadataEncoder",
    "Metric",
    "MilvusFusion",
    "MilvusStore",
    "Mode",
    "NewIds",
    "Plan",
    "PlannedBM25",
    "Query",
    "RowMaker",
    "SearchConfig",
    "SearchParams",
    "ServerOptions",
    "Source",
    "Sparse",
    "SparseField",
    "StoreArguments",
    "VectorField",
    "add_counts",
    "batched",
    "bound_store",
    "check_named",
    "count_lengths",
    "is_random_id",
    "pack_function",
    "parse_encoder",
    "parse_limit",
    "parse_metadata",
    "parse_mode",
    "parse_records",
    "parse_vectors",
    "parse_weights",
    "plain_arguments",
    "plain_value",
    "planned_bm25",
    "resolve_address",
    "restored_arguments",
    "serve_lite",
    "sparse_rows",
    "to_record",
    "unpack_reranker",
]
