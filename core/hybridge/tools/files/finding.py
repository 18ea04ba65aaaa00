"""Which files there are under the paths that someone names."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hybridge.errors import InvalidInputError
from hybridge.tools.files.formats import is_known

_LEFT_OUT = frozenset({"node_modules", "__pycache__", "venv", "env", "site-packages"})
"""Folders of what programs make or install; hidden ones (`.git`, `.venv`) are left out as well."""

_DATABASE = ".db"
"""What the name of a Milvus Lite folder ends in."""


@dataclass
class Found:
    """The files under some paths, each once, by its real path.

    A path that is named in two ways, or inside another one that is named, is the same file.

    Attributes:
        files: The files to read, in order.
        folders: The folders that were named and hold such files: what is known of a file in them
            that is gone can be forgotten.
        empty: The folders that were named and hold none: nothing is forgotten of those, which a
            disk that is not mounted looks like.
        skipped: What was left out, and how often.
    """

    files: list[Path] = field(default_factory=list[Path])
    folders: list[Path] = field(default_factory=list[Path])
    empty: list[Path] = field(default_factory=list[Path])
    skipped: Counter[str] = field(default_factory=Counter[str])


def find_files(paths: Iterable[str | os.PathLike[str]]) -> Found:
    """Return the files that some paths name or hold.

    A file that is named is one to read whatever its name; of a folder those of known kinds are.
    Hidden files and folders, those of tools (`node_modules`), and links in a folder are left out.

    Raises:
        InvalidInputError: If there is nothing at a path, or it cannot be listed.
    """
    found, files = Found(), set[Path]()
    for real in [_parse_path(path) for path in paths]:
        inside = {real} if real.is_file() else set(_files_in(real, found.skipped))
        if real.is_dir():
            (found.folders if inside else found.empty).append(real)
        files |= inside
    found.files = sorted(files)
    return found


def _parse_path(path: str | os.PathLike[str]) -> Path:
    real = Path(os.path.realpath(path))
    try:
        real.stat()
        if real.is_dir():
            os.listdir(real)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        msg = f"{os.fspath(path)!r} cannot be read ({why}): nothing was indexed, nothing removed"
        raise InvalidInputError(msg) from error
    if not (real.is_file() or real.is_dir()):
        msg = f"{os.fspath(path)!r} is neither a file nor a folder: nothing was indexed"
        raise InvalidInputError(msg)
    return real


def _files_in(folder: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files to read in a folder; count what is left out."""

    def unreadable(error: OSError) -> None:
        skipped[f"{error.filename} ({error.strerror})"] += 1

    for root, folders, names in os.walk(folder, onerror=unreadable):
        left_out = {name: _why_not_folder(Path(root, name)) for name in folders}
        folders[:] = [name for name in folders if not left_out[name]]
        skipped.update(why for why in left_out.values() if why)
        for path in (Path(root, name) for name in names):
            if why := _why_not(path):
                skipped[why] += 1
            else:
                yield path


def _why_not_folder(path: Path) -> str:
    """Return what a folder is called that is left out; "" for one to go into."""
    if path.is_symlink():
        return "links"
    tools = path.name in _LEFT_OUT or path.name.startswith(".") or path.suffix == _DATABASE
    return f"{path.name}/" if tools else ""


def _why_not(path: Path) -> str:
    """Return what a file is called that is left out; "" for one to read."""
    if path.is_symlink():
        return "links"
    if path.name.startswith("."):
        return "hidden files"
    if not path.is_file():
        return "sockets, pipes and devices"
    return "" if is_known(path) else path.suffix.lower() or "files without a suffix"
