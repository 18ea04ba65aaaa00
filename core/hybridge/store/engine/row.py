"""Rows of the engine's segments, as pymilvus gives them: one that is read late, or many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from hybridge.store.engine.part import Numbers, Part, sparse_vector


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
        return {name: self._read(name, self._kinds[name]) for name in columns}

    def _read(self, name: str, kind: str) -> Any:
        if kind == "FLOAT_VECTOR":
            return self._part.vector(name, self._place)
        return _unpacked(self._part.cell(name, self._place), kind)


def whole(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with all its cells: as it is, if the engine has sent it."""
    return row.whole() if isinstance(row, Row) else row


def cells_here(
    found: Mapping[str, Mapping[str, Any]], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the cells of those rows that this process has found, by key."""
    return {key: row.cells(columns) for key, row in found.items() if isinstance(row, Row)}


def read_rows(part: Part, places: Numbers | None, kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return some rows of a part with all their cells.

    Args:
        part: The part.
        places: The rows; None for all.
        kinds: The Milvus types of the columns that are read.
    """
    columns = [_column(part, places, name, kind) for name, kind in kinds.items()]
    return [dict(zip(kinds, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _column(part: Part, places: Numbers | None, name: str, kind: str) -> list[Any]:
    if kind == "FLOAT_VECTOR":
        some = range(len(part)) if places is None else places.tolist()
        return [part.vector(name, place) for place in some]
    return [_unpacked(cell, kind) for cell in part.cells(name, places)]


def _unpacked(cell: Any, kind: str) -> Any:
    """Return what pymilvus makes of a cell."""
    if kind == "SPARSE_FLOAT_VECTOR":
        return sparse_vector(cell or b"")
    return orjson.loads(cell) if kind == "JSON" and cell is not None else cell
