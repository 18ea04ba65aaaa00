"""What a crash leaves of Milvus Lite's files and Milvus Lite cannot go on with.

- A flush commits the manifest, then deletes `wal_data_N`, then `wal_delta_N`. Killed before that,
  it leaves logs that are older than what the manifest has: the engine reads their rows a second
  time, and finds each twice. Killed between the two deletions, every later flush fails. What such
  logs say was flushed, so they go before the engine reads them.
- An index file is written in place, and one that was cut short keeps its collection from being
  loaded. It holds nothing that the rows do not, and the engine makes it anew.
- A collection is made in several steps, and removed file by file. One that was to be made and has
  nothing yet is in the way of another of its name. One that is removed has another name by then; a
  part of it is no collection.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

logger = logging.getLogger("hybridge")

_COLLECTIONS = ("collections/*", "databases/*/collections/*")
_LOG = re.compile(r"wal_(?:data|delta)_(\d+)\.arrow")

REMOVED = ".removed"
"""What the name of a collection that is being removed ends in; Milvus allows no dot in others."""


def remove_leavings(path: Path) -> None:
    """Remove what was cut short under a path: flushed logs, collections half made or half removed.

    Nothing is touched while a process has it open.

    Args:
        path: The Milvus Lite folder.

    Raises:
        OSError: If something cannot be removed.
    """
    lock = path / "LOCK"
    if lock.exists():
        with lock.open("r+b") as file:
            if _take(file):
                _remove(path)


def remove_indexes(path: Path, collection_name: str) -> bool:
    """Remove the index files of a collection, which the engine then makes anew.

    Args:
        path: The Milvus Lite folder.
        collection_name: The collection.

    Returns:
        Whether there were any.

    Raises:
        OSError: If one cannot be removed.
    """
    files = list((path / "collections" / collection_name).glob("partitions/*/indexes/*"))
    for file in files:
        file.unlink()
    return bool(files)


def _take(lock: BinaryIO) -> bool:
    """Take the engine's own lock until it is closed; return whether it could be had."""
    try:
        import fcntl
    except ImportError:
        return True  # on Windows nobody can delete a file that is open
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(path: Path) -> None:
    found = (one for pattern in _COLLECTIONS for one in path.glob(pattern) if one.is_dir())
    for collection in found:
        if collection.name.endswith(REMOVED) or not _holds_anything(collection):
            logger.warning("removing %s, of which a crash has left a part", collection)
            shutil.rmtree(collection)
            continue
        for file in _flushed_logs(collection):
            logger.warning("removing %s, which a flush has written and left behind", file)
            file.unlink()


def _holds_anything(collection: Path) -> bool:
    """Whether there is a file that a collection was made with; the first one is its schema."""
    return any(one.is_file() and one.suffix != ".tmp" for one in collection.rglob("*"))


def _flushed_logs(collection: Path) -> Iterator[Path]:
    """Yield the logs that were flushed."""
    active = _active_log(collection)
    for file in (collection / "wal").glob("*"):
        named = _LOG.fullmatch(file.name)
        if named and int(named[1]) < active:
            yield file


def _active_log(collection: Path) -> int:
    """Return the number of the log that the manifest names: those before it were flushed."""
    try:
        manifest = json.loads((collection / "manifest.json").read_text("utf-8"))
        return int(manifest["active_wal_number"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0  # the engine says what is wrong with it
