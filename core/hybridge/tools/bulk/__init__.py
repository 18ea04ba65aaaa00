"""Rows for Milvus's bulk import: Parquet files, made where no collection is at hand.

    from hybridge.tools import bulk

    bulk.write(records, "./rows", dense="sentence-transformers/all-MiniLM-L6-v2")
    # ... copy ./rows/rows into the bucket that Milvus reads, under docs/2026 ...
    bulk.import_rows("./rows", MilvusStore("http://localhost:19530"), prefix="docs/2026")

`load` takes the same files through `MilvusStore.add`, to a path or a server, where there is no
access to the bucket. `hybridge.tools.ray_ingest` makes them by many processes.
"""

from __future__ import annotations

from hybridge.tools.bulk.folder import Folder
from hybridge.tools.bulk.importing import Imported, import_rows
from hybridge.tools.bulk.loading import FromBulk, load
from hybridge.tools.bulk.writing import BLOCK_SIZE, Written, write

__all__ = [
    "BLOCK_SIZE",
    "Folder",
    "FromBulk",
    "Imported",
    "Written",
    "import_rows",
    "load",
    "write",
]
