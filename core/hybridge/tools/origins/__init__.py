"""Where data are moved from; see `hybridge.tools.migrate`."""

from __future__ import annotations

from hybridge.tools.origins.chroma import FromChroma
from hybridge.tools.origins.columns import Columns
from hybridge.tools.origins.faiss import FromFAISS
from hybridge.tools.origins.in_memory import FromInMemory
from hybridge.tools.origins.jsonl import FromJSONL
from hybridge.tools.origins.lancedb import FromLanceDB
from hybridge.tools.origins.llama_index import FromLlamaIndex
from hybridge.tools.origins.origin import Origin
from hybridge.tools.origins.parquet import FromParquet
from hybridge.tools.origins.pgvector import FromPGVector, FromPostgres
from hybridge.tools.origins.qdrant import FromQdrant
from hybridge.tools.origins.store import FromStore

__all__ = [
    "Columns",
    "FromChroma",
    "FromFAISS",
    "FromInMemory",
    "FromJSONL",
    "FromLanceDB",
    "FromLlamaIndex",
    "FromPGVector",
    "FromParquet",
    "FromPostgres",
    "FromQdrant",
    "FromStore",
    "Origin",
]
