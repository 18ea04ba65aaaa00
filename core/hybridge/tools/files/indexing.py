"""A collection brought up to date with files: only what has changed is read, cut and embedded.

What is known of a file is in its rows, and nowhere else. Of a file that has changed the new rows
are written before the old ones go, and the last of them says that it is the last: a run that was
cut short, by `kill -9` as well, leaves no file half there, and the next one mends what it left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tqdm.auto import tqdm
from typing_extensions import Self

from hybridge.errors import InvalidInputError
from hybridge.filters import DOCUMENT_ID, Filter, Or
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import MilvusStore, batched
from hybridge.tools.files.finding import Found
from hybridge.tools.files.reading import FILE, Reading, path_of

_LOOKED_UP = 256
"""Rows whose own ids are looked up at once."""


@dataclass
class Indexed:
    """What became of the files, by their paths.

    Attributes:
        new: Those that were not known.
        changed: Those that had changed, or were half there.
        unchanged: How many were as they are known.
        empty: Those without text, or without a row that the filter selects.
        removed: Those that are gone.
        failed: Those that could not be read, and why; their old rows stay.
        written: How many chunks were written.
        deleted: How many chunks were deleted.
    """

    new: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    unchanged: int = 0
    empty: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    written: int = 0
    deleted: int = 0


@dataclass
class _Rows:
    """The rows that a collection has of one file: the fingerprint of each, by its id."""

    hashes: dict[str, str] = field(default_factory=dict[str, str])
    whole: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, row_id: str, said: Mapping[str, Any]) -> None:
        """Take what a row says of its file."""
        self.hashes[row_id] = str(said.get("hash"))
        if said.get("last") is True:
            self.whole[str(said.get("hash"))] = int(said.get("chunk", -1)) + 1

    def holds(self, fingerprint: str) -> bool:
        """Whether every row of the file as it is now is there."""
        there = sum(one == fingerprint for one in self.hashes.values())
        return self.whole.get(fingerprint) == there


class _Pending(NamedTuple):
    """A file that is to be written.

    Attributes:
        fingerprint: Its fingerprint.
        old: The ids of the rows that are there of it.
    """

    fingerprint: str
    old: frozenset[str]


@dataclass
class Plan:
    """What there is to do; making it reads the files and the collection, and embeds nothing.

    Attributes:
        reading: How files become records.
        done: What is known of the outcome.
        to_write: The files to write.
        to_delete: The ids of rows that go in the end.
    """

    reading: Reading
    done: Indexed = field(default_factory=Indexed)
    to_write: dict[Path, _Pending] = field(default_factory=dict[Path, _Pending])
    to_delete: set[str] = field(default_factory=set[str])
    _owners: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def make(cls, store: MilvusStore | None, found: Found, reading: Reading) -> Self:
        """Compare files with what a collection has of them.

        Args:
            store: The collection; None where there is none. Its functions are not called.
            found: The files.
            reading: How files become records.

        Raises:
            InvalidInputError: If an argument makes no sense.
            MissingExtraError: If a library is not installed that reads or cuts files.
        """
        plan, known = cls(reading), _known(store, found)
        for file in found.files:
            with plan._said(file):
                plan._compare(file, known.pop(_checked(path_of(file)), _Rows()))
        for path, rows in known.items():
            if _is_gone(Path(path)):
                plan.done.removed.append(path)
                plan.to_delete |= rows.hashes.keys()
        return plan

    def _compare(self, file: Path, rows: _Rows) -> None:
        fingerprint, done = self.reading.fingerprint(file), self.done
        if rows.holds(fingerprint):
            done.unchanged += 1
            self.to_delete |= {key for key, one in rows.hashes.items() if one != fingerprint}
        elif self.reading.finds_something(file, fingerprint):
            self.to_write[file] = _Pending(fingerprint, frozenset(rows.hashes))
        else:
            done.empty.append(path_of(file))
            self.to_delete |= rows.hashes.keys()

    def run(self, store: MilvusStore, *, progress: bool = False) -> Indexed:
        """Write what is new, then delete what is old.

        Args:
            store: The collection, with the functions that embed.
            progress: Whether to show a progress bar.
        """
        if self.to_write:
            with tqdm(self.to_write, disable=not progress, desc="index", unit="file") as files:
                records = (record for file in files for record in self._records(file, store))
                self.done.written = len(store.add(records))
        if self.to_delete:
            self.done.deleted = store.delete(sorted(self.to_delete))
        return self.done

    def _records(self, file: Path, store: MilvusStore) -> Iterator[Record]:
        """Yield the records of a file; one that cannot be read ends there, and is said."""
        (fingerprint, old), written = self.to_write[file], set[str]()
        with self._said(file):
            for records in batched(self.reading.records(file, fingerprint), _LOOKED_UP):
                ids = [str(record.id) for record in records]
                if self.reading.settings.id_column is not None:
                    self._check_own(ids, path_of(file), store)
                written.update(ids)
                yield from records
        if path_of(file) in self.done.failed:
            self.to_delete |= written - old
            return
        self.to_delete |= old - written
        (self.done.changed if old else self.done.new).append(path_of(file))

    @contextmanager
    def _said(self, file: Path) -> Generator[None]:
        """Note why a file cannot be read, and go on with the others."""
        try:
            yield
        except (InvalidInputError, OSError) as error:
            self.done.failed[path_of(file)] = str(error)

    def _check_own(self, ids: Sequence[str], path: str, store: MilvusStore) -> None:
        """Refuse ids that other rows have: those would be overwritten.

        Raises:
            InvalidInputError: If there is one.
        """
        taken = {row_id: path for row_id, count in Counter(ids).items() if count > 1}
        taken |= {row_id: self._owners[row_id] for row_id in ids if row_id in self._owners}
        for record in store.get(ids):
            if record.document_id != path:
                taken[str(record.id)] = record.document_id or "another program"
        for row_id, owner in taken.items():
            msg = f"a row of {owner} has the id {row_id!r:.80} as well: give each row its own"
            raise InvalidInputError(msg)
        self._owners.update(dict.fromkeys(ids, path))


def _known(store: MilvusStore | None, found: Found) -> dict[str, _Rows]:
    """Return the rows of the files that were found, or would be if they were there, by path."""
    known: dict[str, _Rows] = {}
    if not (found.files or found.folders) or store is None or not store.exists():
        return known
    for record in store.scroll(_below(found)):
        said = record.metadata.get(FILE)
        if is_mapping(said) and "hash" in said:
            known.setdefault(str(record.document_id), _Rows()).note(str(record.id), said)
    return known


def _below(found: Found) -> Filter:
    """Return the filter that selects what comes from the files and folders."""
    folders = [path_of(folder).rstrip("/") + "/" for folder in found.folders]
    inside = [DOCUMENT_ID.like(_literal(folder) + "%") for folder in folders]
    named = [path for path in map(path_of, found.files) if not path.startswith(tuple(folders))]
    return Or([*inside, *([DOCUMENT_ID.isin(named)] if named else [])])


def _literal(text: str) -> str:
    """Return the pattern of `like` that a text alone fits."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return text


def _checked(path: str) -> str:
    """Return a path if a row can hold it.

    Raises:
        InvalidInputError: If it cannot.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        msg = "its path is not UTF-8: rename it"
        raise InvalidInputError(msg) from None
    return path


def _is_gone(path: Path) -> bool:
    """Whether there is no such file; of one that cannot be looked at nobody knows."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
