"""Damage to Milvus Lite's files that the engine would pass over.

Without its schema a collection is none to the engine, rows and all. Without its manifest it takes
the one before, and deletes the files that this one does not name. No crash does either: both are
replaced whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import monotonic, sleep

from hybridge.errors import StoreDamagedError

_SCHEMA, _MANIFEST = "schema.json", "manifest.json"
_DROPPED_WITHIN = 1.0
"""Seconds within which another client of this process that removes a collection, file by file,
removes one: on a busy machine all of them take longer."""


def check_whole(path: Path, collection_name: str) -> None:
    """Refuse a collection that the engine would open without some of its rows.

    Args:
        path: The Milvus Lite folder.
        collection_name: The collection.

    Raises:
        StoreDamagedError: If its schema or its manifest is damaged.
    """
    collection = path / "collections" / collection_name
    files, until = -1, 0.0
    while collection.is_dir():
        try:
            _check_files(collection)
        except StoreDamagedError:
            before, files = files, sum(len(names) for _, _, names in os.walk(collection))
            if files != before:
                until = monotonic() + _DROPPED_WITHIN
            elif monotonic() > until:
                raise
            sleep(0.05)
        else:
            return


def _check_files(collection: Path) -> None:
    _check_object(collection / _SCHEMA)
    if (collection / f"{_MANIFEST}.prev").exists() or (collection / _MANIFEST).exists():
        _check_object(collection / _MANIFEST)


def _check_object(file: Path) -> None:
    """Refuse a file that holds no JSON object."""
    try:
        json.loads(file.read_text("utf-8"))["version"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({error})"
        msg = (
            f"{file} {what}, and Milvus Lite loses rows without it: restore a copy, or delete "
            f"the folder {file.parent} to give up what it holds"
        )
        raise StoreDamagedError(msg) from error
