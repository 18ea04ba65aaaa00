"""Rows of the engine's segments, as pymilvus gives them: one whose cells are read late, or many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from hybridge.store.engine.part import Numbers, Part, sparse_vector


class Row(Mapping[str, Any]):
    """A row that was found: its "distance", and its cells, read when they are asked for.

    Args:
        part: Where it is.
        place: Its place there.
        distance: Its score.
        kinds: The Milvus types of the columns that it has.
    """

    __slots__ = ("_cells", "_kinds", "_part", "_place")

    def __init__(self, part: Part, place: int, distance: float, kinds: Mapping[str, str]) -> None:
        self._part, self._place, self._kinds = part, place, kinds
        self._cells: dict[str, Any] = {"distance": distance}

    def __getitem__(self, name: str) -> Any:
        if name not in self._cells:
            self._cells[name] = self._read(name, self._kinds[name])
        return self._cells[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds or name in self._cells

    def __iter__(self) -> Iterator[str]:
        return iter(("distance", *self._kinds))

    def __len__(self) -> int:
        return 1 + len(self._kinds)

    def _read(self, name: str, kind: str) -> Any:
        if kind == "FLOAT_VECTOR":
            return self._part.vector(name, self._place)
        return _unpacked(self._part.cell(name, self._place), kind)


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
