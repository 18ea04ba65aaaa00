"""The import of pymilvus, here and nowhere else, at the first connection."""

from __future__ import annotations

import os
import threading
from typing import Any

from hybridge.store.engine.logs import keep_ours_out

_URI = "MILVUS_URI"
_environment = threading.RLock()
_imported: list[Any] = []


def pymilvus() -> Any:
    """Import pymilvus whatever `MILVUS_URI` holds: with a path in it, its import raises."""
    if not _imported:
        with _environment:
            if not _imported:
                _imported.append(_import())
    return _imported[0]


def uri_of_environment() -> str:
    """Return what `MILVUS_URI` holds, also while pymilvus is imported; "" if nothing."""
    with _environment:
        return os.environ.get(_URI, "")


def _import() -> Any:
    saved = os.environ.get(_URI)
    # Empty rather than absent: pymilvus loads `.env`, which fills what is absent.
    os.environ[_URI] = ""
    try:
        import pymilvus as module
    finally:
        if saved is None:
            del os.environ[_URI]
        else:
            os.environ[_URI] = saved
    keep_ours_out()
    return module
