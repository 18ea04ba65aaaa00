"""The place of a Milvus Lite path: made where it is missing, refused where it cannot be one.

Milvus Lite 3 keeps a database in a folder. What it says of anything else is an errno.
"""

from __future__ import annotations

from pathlib import Path

from hybridge.errors import InvalidInputError
from hybridge.store.engine.address import Address
from hybridge.store.engine.leavings import remove_leavings

_MARKS = frozenset({"LOCK", "collections", "databases"})
"""Of these, Milvus Lite makes the first before anything else."""


def prepare_place(address: Address) -> None:
    """Make the folder that a database is in, and see that the database can be there.

    What a crash has left there, and Milvus Lite cannot open, is removed.

    Raises:
        InvalidInputError: If it cannot be there; it says what is in the way.
    """
    path = Path(address.uri)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _check_folder(path)
            remove_leavings(path)
    except OSError as error:
        raise cannot_be(path, error) from error


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        msg = (
            f"{path} is a file, and Milvus Lite 3 keeps a database in a folder: Milvus Lite 2 made "
            "such files, whose rows must be indexed anew; choose another path, or move it away"
        )
        raise InvalidInputError(msg)
    names = {one.name for one in path.iterdir()}
    if names and not names & _MARKS:
        msg = (
            f"{path} is a folder with other files in it ({min(names)!r}), no database of Milvus "
            "Lite: choose another path"
        )
        raise InvalidInputError(msg)


def cannot_be(path: Path, error: OSError) -> InvalidInputError:
    """Return the error that says why a database cannot be at a path."""
    what = error.strerror or str(error)
    return InvalidInputError(
        f"Milvus Lite cannot have a database at {path} ({what}): give a path in a folder that this "
        "user may write to"
    )
