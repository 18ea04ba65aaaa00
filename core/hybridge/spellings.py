"""Arguments that there are not, and what to write in the place of those of other libraries.

What others call an argument is data: a table has what to do instead, by the other name. Here is the
table of the store's arguments; what only one framework has is beside its adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import TypeAlias

from hybridge.errors import InvalidInputError

Spellings: TypeAlias = Mapping[str, str]
"""What to do instead, such as "write top_n=", by the name that others have for an argument."""

_ADDRESS = "write uri='folder/store.db', or uri='https://host:19530' for a server"
_TOKEN = "write token='user:password', or set MILVUS_TOKEN"
_INDEX = (
    "write fields={'dense': DenseField(embedding, index_type=, index_params=)}; mostly AUTOINDEX"
)
_METRIC = "write fields={'dense': DenseField(embedding, metric='IP')}; mostly COSINE is right"
_SPARSE = "write sparse=; BM25 is there by itself, and None leaves it out"
_FUSION = "write fusion=ReciprocalRank(k=60) or fusion=Weighted(.5); ConfidenceWeighted() by itself"
_COLUMNS = "leave it out: Hybridge names the columns, and keeps metadata whole"
_SERVER = "write server=ServerOptions()"
_TENANTS = "write partition_key= and for_tenant()"
_TYPED = "write metadata_schema={'year': int}"
_TLS = "write uri='https://host:19530'; server=ServerOptions(tls=TLS()) for more"
_FIELD = "write fields={'title': DenseField(embedding, source='title')} for another one"

STORE: Spellings = {
    "alias": _ADDRESS,
    "client": _ADDRESS,
    "aclient": _ADDRESS,
    "chroma_collection": _ADDRESS,
    "client_kwargs": _ADDRESS,
    "connection_args": "write uri=, token= and db_name= as arguments of their own",
    "client_settings": _ADDRESS,
    "grpc_port": _ADDRESS,
    "host": _ADDRESS,
    "https": _ADDRESS,
    "location": _ADDRESS,
    "path": _ADDRESS,
    "on_disk": _ADDRESS,
    "persist_dir": _ADDRESS,
    "persist_directory": _ADDRESS,
    "port": _ADDRESS,
    "prefer_grpc": _ADDRESS,
    "url": _ADDRESS,
    "api_key": _TOKEN,
    "chroma_cloud_api_key": _TOKEN,
    "headers": _TOKEN,
    "password": _TOKEN,
    "user": _TOKEN,
    "database": "write db_name=",
    "drop_old": "write overwrite=",
    "force_recreate": "write overwrite=",
    "collection": "write collection_name=",
    "index_name": "write collection_name=",
    "table_name": "write collection_name=",
    "partition_key_field": "write partition_key=",
    "partition_names": _TENANTS,
    "shard_key_selector": _TENANTS,
    "payload_indexes": _TYPED,
    "scalar_field_names": _TYPED,
    "scalar_field_types": _TYPED,
    "builtin_function": _SPARSE,
    "enable_sparse": _SPARSE,
    "sparse_embedding": _SPARSE,
    "sparse_embedding_function": _SPARSE,
    "sparse_index_config": "write fields={'sparse': SparseField('bm25', index_type=)}",
    "enable_dense": "leave the embedding out for a collection without dense vectors",
    "hybrid_ranker": _FUSION,
    "hybrid_ranker_params": _FUSION,
    "collection_metadata": _METRIC,
    "distance": _METRIC,
    "distance_strategy": _METRIC,
    "metric_type": _METRIC,
    "similarity_metric": _METRIC,
    "collection_configuration": _INDEX,
    "dense_config": _INDEX,
    "index_config": _INDEX,
    "index_params": _INDEX,
    "quantization_config": _INDEX,
    "vector_params": _INDEX,
    "collection_properties": "write server=ServerOptions(properties=)",
    "consistency_level": "write server=ServerOptions(consistency_level=)",
    "collection_kwargs": _SERVER,
    "num_partitions": _SERVER,
    "num_shards": _SERVER,
    "replica_number": _SERVER,
    "replication_factor": "write server=ServerOptions(replica_number=2)",
    "shard_number": "write server=ServerOptions(num_shards=2)",
    "secure": _TLS,
    "ssl": _TLS,
    "auto_id": "leave it out: an id that is not given is a UUID",
    "enable_dynamic_field": _COLUMNS,
    "metadata_field": _COLUMNS,
    "output_fields": _COLUMNS,
    "primary_field": _COLUMNS,
    "content_payload_key": _COLUMNS,
    "metadata_payload_key": _COLUMNS,
    "text_field": _COLUMNS,
    "vector_field": _FIELD,
    "vector_name": _FIELD,
    "vector_schema": _FIELD,
}
"""What others call the arguments of a `MilvusStore`."""

_PAGES: Mapping[str, Sequence[str]] = {
    "milvus.md": (
        "auto_id", "builtin_function", "collection_properties", "connection_args", "doc_id_field",
        "drop_old", "embedding_field", "enable_dense", "enable_dynamic_field", "enable_sparse",
        "hybrid_ranker", "hybrid_ranker_params", "index_config", "index_management",
        "metadata_field", "num_partitions", "partition_key_field", "partition_names",
        "primary_field", "scalar_field_names", "scalar_field_types", "similarity_metric",
        "sparse_embedding_field", "sparse_embedding_function", "sparse_index_config", "text_field",
        "upsert_mode", "use_async_client", "vector_field", "vector_schema",
    ),
    "chroma.md": (
        "chroma_cloud_api_key", "chroma_collection", "client_settings", "collection_configuration",
        "collection_metadata", "create_collection_if_not_exists", "persist_directory",
    ),
    "qdrant.md": (
        "content_payload_key", "dense_config", "dense_vector_name", "enable_hybrid",
        "fastembed_sparse_model", "force_recreate", "grpc_port", "https", "location",
        "metadata_payload_key", "on_disk", "payload_indexes", "prefer_grpc", "quantization_config",
        "replication_factor", "retrieval_mode", "shard_key_selector", "shard_number",
        "sparse_vector_name", "validate_collection_config", "vector_name", "vector_params",
    ),
    "README.md": (
        "aclient", "client", "client_kwargs", "collection", "database", "distance",
        "distance_strategy", "headers", "host", "index_name", "metric_type", "password", "path",
        "persist_dir", "port", "table_name", "url", "user",
    ),
}  # fmt: skip
MOVING: Mapping[str, str] = {
    name: f"docs/moving/{page}" for page, names in _PAGES.items() for name in names
}
"""The page of the repository for who comes from the library that has an argument."""


def check_names(
    given: Iterable[str],
    known: Iterable[str],
    owner: str,
    spellings: Spellings | None = None,
) -> None:
    """Refuse arguments that there are not.

    Args:
        given: The names given.
        known: The names of all that there are.
        owner: What has those, for the error.
        spellings: What others call them, and what to do instead.

    Raises:
        InvalidInputError: If there is no such argument; it says what was meant, as far as that can
            be told.
    """
    names = sorted(known)
    for name in given:
        if name not in names:
            answer = (spellings or {}).get(name)
            page = MOVING.get(name) if answer else None
            hint = answer or _similar(name, names)
            there = f"{owner} has no argument {name!r:.80}"
            moving = f"; to move from there see {page}" if page else ""
            msg = f"{there}{f' ({hint})' if hint else ''}{moving}; it has {', '.join(names)}"
            raise InvalidInputError(msg)


def _similar(name: str, names: Iterable[str]) -> str:
    return "".join(f"write {meant}=" for meant in get_close_matches(name, names, 1))


def names_of(function: Callable[..., object], options: type[object] | None = None) -> set[str]:
    """Return the names of a function's arguments.

    Args:
        function: The function, or the method of a class.
        options: The typed dictionary of its further keyword arguments.
    """
    arguments = signature(function).parameters.values()
    named = {one.name for one in arguments if one.kind is not Parameter.VAR_KEYWORD} - {"self"}
    return named | set(getattr(options, "__annotations__", ()))
