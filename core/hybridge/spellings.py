"""Arguments that there are not, and what to write in the place of those of other libraries.

What others call an argument is data: a table has what to do instead, by the other name. Here is the
table of the store's arguments; what only one framework has is beside its adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
            hint = (spellings or {}).get(name) or _similar(name, names)
            there = f"{owner} has no argument {name!r:.80}"
            msg = f"{there}{f' ({hint})' if hint else ''}; it has {', '.join(names)}"
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
