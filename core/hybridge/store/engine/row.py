"""Rows of the engine's segments, as pymilvus gives them: one that is read late, or many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hybridge.store.engine.part import Numbers, Part


class Row(dict[str, Any]):
    """A row that was found: its key and its "distance", and where its other cells are.

    Args:
        found: The key and the distance.
        part: Where it is.
        place: Its place there.
        columns: What it has when it is whole.
        kinds: The Milvus type of each column that can be read.
    """

    __slots__ = ("_columns", "_kinds", "_part", "_place")

    def __init__(
        self,
        found: Mapping[str, Any],
        part: Part,
        place: int,
        columns: Sequence[str],
        kinds: Mapping[str, str],
    ) -> None:
        super().__init__(found)
        self._part, self._place = part, place
        self._columns, self._kinds = columns, kinds

    def whole(self) -> dict[str, Any]:
        """Return the row with all its cells."""
        return {**self, **self.cells(self._columns)}

    def cells(self, columns: Iterable[str]) -> dict[str, Any]:
        """Return the cells of some columns."""
        kinds = self._kinds
        return {name: self._part.cell(name, kinds[name], self._place) for name in columns}


def whole(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with all its cells: as it is, if the engine has sent it."""
    return row.whole() if isinstance(row, Row) else row


def cells_here(
    found: Mapping[str, Mapping[str, Any]], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the cells of those rows that have them here, by key."""
    cells: dict[str, dict[str, Any]] = {}
    for key, row in found.items():
        if isinstance(row, Row):
            cells[key] = row.cells(columns)
        elif all(name in row for name in columns):
            cells[key] = {name: row[name] for name in columns}
    return cells


def read_rows(part: Part, places: Numbers | None, kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return some rows of a part with all their cells.

    Args:
        part: The part.
        places: The rows; None for all.
        kinds: The Milvus types of the columns that are read.
    """
    columns = [part.cells(name, kind, places) for name, kind in kinds.items()]
    return [dict(zip(kinds, cells, strict=True)) for cells in zip(*columns, strict=True)]
