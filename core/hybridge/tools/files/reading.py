"""A file as records, and the fingerprint that tells whether it must be read again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hybridge.arguments import check_count
from hybridge.errors import InvalidInputError
from hybridge.filters import Filter, match
from hybridge.records import Record
from hybridge.tools.files.formats import is_table, reader_of
from hybridge.tools.files.part import Part, Settings
from hybridge.tools.files.splitting import LARGEST, Splitter

FILE = "file"
"""The metadata key under which a row says which file it is of."""

_VERSION = 1
"""Raised when files are read or cut in another way, so that they are read again."""


@dataclass(frozen=True)
class Reading:
    """How files become records.

    A record's metadata say under "file" the path of the file, its fingerprint ("hash"), the number
    of the chunk, where it is from (a page, a line), and of the last chunk that it is the last.

    Attributes:
        settings: What is said of the files.
        chunk_size: The largest number of characters of a chunk.
        filter: Which records are kept; None keeps all.

    Raises:
        InvalidInputError: If `chunk_size` is none from 1 to 16,000.
    """

    settings: Settings = field(default_factory=Settings)
    chunk_size: int = 1000
    filter: Filter | None = None

    def __post_init__(self) -> None:
        check_count(self.chunk_size, "chunk_size", largest=LARGEST)

    def fingerprint(self, path: Path) -> str:
        """Return a hash of what is in a file and of how it is read: 64 hexadecimal digits."""
        settings = asdict(self.settings)
        if not is_table(path):
            settings = {"encoding": self.settings.encoding}
        how = [_VERSION, path.suffix.lower(), self.chunk_size, repr(self.filter), settings]
        digest = hashlib.sha256(json.dumps(how).encode())
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
        return digest.hexdigest()

    def finds_something(self, path: Path, fingerprint: str) -> bool:
        """Whether a file has records.

        One of rows is read to its end, so that nothing is written of one that cannot be read.

        Raises:
            InvalidInputError: If it cannot be read.
        """
        if is_table(path):
            for _ in reader_of(path)(path, self.settings):
                pass
        return next(self._records(path, fingerprint), None) is not None

    def records(self, path: Path, fingerprint: str) -> Iterator[Record]:
        """Yield the records of a file.

        Raises:
            InvalidInputError: If it cannot be read.
        """
        last: Record | None = None
        for record in self._records(path, fingerprint):
            if last is not None:
                yield last
            last = record
        if last is not None:
            said = {**last.metadata[FILE], "last": True}
            yield replace(last, metadata={**last.metadata, FILE: said})

    def _records(self, path: Path, fingerprint: str) -> Iterator[Record]:
        number = 0
        for part in reader_of(path)(path, self.settings):
            if FILE in part.metadata:
                msg = f"{_where(part)}: the column {FILE!r} is where the file is said: rename it"
                raise InvalidInputError(msg)
            for nth, chunk in enumerate(self._splitter.split(part)):
                said: dict[str, Any] = {"path": path_of(path), "hash": fingerprint, "chunk": number}
                record = Record(
                    id=_id(part, nth) or f"{_short(path_of(path))}-{fingerprint[:16]}-{number}",
                    text=chunk.text,
                    context=chunk.context,
                    document_id=path_of(path),
                    metadata={**part.metadata, FILE: {**said, **part.place}},
                )
                if match(self.filter, record):
                    yield record
                    number += 1

    @cached_property
    def _splitter(self) -> Splitter:
        return Splitter(self.chunk_size)


def path_of(path: Path) -> str:
    """Return what a file is known by: its real path, with "/" on every system."""
    return path.as_posix()


def _id(part: Part, nth: int) -> str | None:
    """Return the id of a part's chunk, where the part has one."""
    return part.id if not (part.id and nth) else f"{part.id}#{nth}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _where(part: Part) -> str:
    return " ".join(f"{name} {value}" for name, value in part.place.items())
