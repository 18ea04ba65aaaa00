"""A folder of rows: the plan that they are made by, blocks as they come, and the finished files.

    plan.json        what the rows are made by
    blocks/<digest>  the rows of one block of records, named by the records
    rows/            the files for the import: blocks without the rows that a later one overwrites
    manifest.json    which files there are, written when all are

A block's file is there or not: no list of what is done is kept beside. Its name follows from its
records, so that a block that is made twice, by a run after a killed one or by a worker after a
killed one, is one file; and a run finds what an earlier one has made, whoever made it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.sparse.statistics import Statistics
from hybridge.store import Plan, RowMaker, add_counts
from hybridge.tools.bulk.parquet import Footer, read_footer, read_rows, write_rows
from hybridge.tools.bulk.repeated import repeated_rows
from hybridge.whole_file import whole_file


@dataclass(frozen=True)
class Manifest:
    """The files of a finished folder.

    Attributes:
        files: How many rows each file has, by name.
        repeated: How many rows were left out, since a later one has their id.
    """

    files: Mapping[str, int]
    repeated: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.files.values())


class Folder:
    """A folder of rows.

    Args:
        path: The folder; it is made if it is not there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._blocks = self.path / "blocks"
        self.rows = self.path / "rows"
        self.imports = self.path / "imports"

    # --- the plan ------------------------------------------------------------------------------

    def find_plan(self) -> Plan | None:
        """Return the plan, or None where there is none yet."""
        value = read_json(self.path / "plan.json")
        return None if value is None else Plan.from_json(value, str(self.path))

    @cached_property
    def plan(self) -> Plan:
        """The plan.

        Raises:
            InvalidInputError: If there is none.
        """
        plan = self.find_plan()
        if plan is None:
            raise self._not_begun()
        return plan

    def _not_begun(self) -> InvalidInputError:
        return InvalidInputError(
            f"{self.path} has no plan.json: it is no folder that bulk.write() has made"
        )

    def keep_plan(self, plan: Plan) -> None:
        """Write the plan of a new folder."""
        self._blocks.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "plan.json", plan.to_json())

    # --- blocks --------------------------------------------------------------------------------

    def add_block(self, records: Sequence[Record], maker: RowMaker) -> tuple[str, bool]:
        """Make the rows of a block of records, unless they are there.

        Returns:
            The name of the block, and whether it was made.
        """
        name = _digest(records)
        path = self._block(name)
        if path.exists():
            return name, False
        made = maker.make(records)
        footer = Footer(len(made.rows), made.counts, made.lacking)
        write_rows(path, self.plan.columns, made.rows, footer)
        return name, True

    def _block(self, name: str) -> Path:
        return self._blocks / f"{name}.parquet"

    # --- the finished files --------------------------------------------------------------------

    def finish(self, names: Iterable[str], maker: RowMaker) -> Manifest:
        """Put the files for the import together, and write the manifest.

        Args:
            names: The blocks in their order, of which the later ones overwrite the earlier ones.
            maker: Counts what is overwritten.
        """
        names = list(dict.fromkeys(reversed(list(names))))[::-1]
        self._manifest.unlink(missing_ok=True)
        self.rows.mkdir(exist_ok=True)
        key, files = self.plan.layout.key, {name: self._block(name) for name in names}
        numbers = {name: read_footer(path).rows for name, path in files.items()}
        pages = ((path, self._keys(path, key)) for path in files.values())
        repeated = repeated_rows(pages, sum(numbers.values()))
        left: dict[str, int] = {}
        for name, path in files.items():
            places = repeated.get(path, set())
            if len(places) < numbers[name]:
                target = self._target(name, places)
                self._finish_block(path, target, places, maker)
                left[target.name] = numbers[name] - len(places)
        self._remove_others(self.rows, left)
        self._remove_others(self._blocks, {path.name for path in files.values()})
        manifest = Manifest(left, sum(map(len, repeated.values())))
        write_json(self._manifest, {"files": left, "repeated": manifest.repeated})
        return manifest

    def _keys(self, path: Path, key: str) -> Iterator[str]:
        return (row[key] for row in read_rows(path, self.plan.columns, [key]))

    def _target(self, name: str, places: set[int]) -> Path:
        end = f"-{_hash(sorted(places))}" if places else ""
        return self.rows / f"{name}{end}.parquet"

    def _finish_block(self, path: Path, target: Path, places: set[int], maker: RowMaker) -> None:
        if target.exists():
            return
        if not places:
            _link(path, target)
            return
        rows = list(read_rows(path, self.plan.columns))
        footer = read_footer(path)
        counts = dict(footer.counts)
        for one, gone in maker.count(rows[place] for place in sorted(places)).items():
            counts[one].subtract(gone)
        kept = [row for place, row in enumerate(rows) if place not in places]
        write_rows(target, self.plan.columns, kept, Footer(len(kept), counts, footer.lacking))

    @staticmethod
    def _remove_others(folder: Path, names: Iterable[str]) -> None:
        kept = set(names)
        for path in folder.iterdir():
            if path.name not in kept:
                path.unlink()

    @property
    def _manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def manifest(self) -> Manifest:
        """The finished files.

        Raises:
            InvalidInputError: If the folder is not finished.
        """
        value = read_json(self._manifest)
        if value is None:
            if self.find_plan() is None:
                raise self._not_begun()
            msg = f"{self.path} is not finished: write the same records again, which goes on"
            raise InvalidInputError(msg)
        return Manifest(value["files"], value["repeated"])

    def counts(self) -> tuple[dict[tuple[str, str], Statistics], frozenset[str]]:
        """Return what BM25 counts of all rows, and the fields that some of them lack."""
        total: dict[tuple[str, str], Statistics] = {}
        lacking: frozenset[str] = frozenset()
        for name in self.manifest.files:
            footer = read_footer(self.rows / name)
            add_counts(total, footer.counts)
            lacking |= footer.lacking
        return total, lacking


def _digest(records: Iterable[Record]) -> str:
    """Return what tells a block of records from others: all that they hold."""
    digest = hashlib.sha256()
    for one in records:
        held = [one.id, one.text, one.context, one.metadata, one.document_id, one.extra]
        digest.update(json.dumps(held, sort_keys=True, default=dict).encode())
        for name in sorted(one.vectors):
            vector = one.vectors[name]
            numbers = sorted(vector.items()) if is_mapping(vector) else vector
            digest.update(name.encode() + np.asarray(numbers, dtype=np.float64).tobytes())
    return digest.hexdigest()[:32]


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:8]


def _link(path: Path, target: Path) -> None:
    """Give a file a second name, or where the file system has none, make a copy."""
    with whole_file(target) as part:
        try:
            os.link(path, part)
        except OSError:
            shutil.copyfile(path, part)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return what a file holds, or None where there is none."""
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file, which is there once it is whole."""
    with whole_file(path) as part:
        part.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
