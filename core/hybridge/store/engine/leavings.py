"""What a crash leaves of Milvus Lite's files and Milvus Lite cannot open.

A flush commits the manifest, then deletes `wal_data_N`, then `wal_delta_N`. Killed between the two
deletions, it leaves deletions older than what the manifest has: every later flush then fails. Such
a file says nothing that was not flushed, so it goes before the engine reads it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

logger = logging.getLogger("hybridge")

_COLLECTIONS = ("collections/*", "databases/*/collections/*")
_DELTA, _DATA = "wal_delta_", "wal_data_"


def remove_leavings(path: Path) -> None:
    """Remove what a flush that was cut short in its last step has left under a path.

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
    for pattern in _COLLECTIONS:
        for collection in path.glob(pattern):
            for file in _flushed_deletions(collection):
                logger.warning("removing %s, which a flush has written and left behind", file)
                file.unlink()


def _flushed_deletions(collection: Path) -> Iterator[Path]:
    """Yield the logs of deletions whose insertions are gone and that were flushed."""
    active = _active_log(collection)
    for file in (collection / "wal").glob(f"{_DELTA}*"):
        number = file.stem.removeprefix(_DELTA)
        inserted = file.with_name(_DATA + number + file.suffix)
        if number.isdecimal() and int(number) < active and not inserted.exists():
            yield file


def _active_log(collection: Path) -> int:
    """Return the number of the log that the manifest names: those before it were flushed."""
    try:
        manifest = json.loads((collection / "manifest.json").read_text("utf-8"))
        return int(manifest["active_wal_number"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0  # the engine says what is wrong with it
