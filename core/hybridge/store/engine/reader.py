"""Searches of what Milvus Lite holds in this process, without its own search.

The engine copies the matrix, computes all lengths, looks in a loop over all rows which are gone,
and sends the whole of each row found. Here what does not change is kept, of each segment
(`hybridge.store.engine.part`) and of all together (`hybridge.store.engine.view`), and no cell is
read before it is wanted. The hits are the same: rows, deletions and the evaluator of filters are
the engine's own.

What is not known here is left to the engine: another index or metric, a column of another type, a
collection that is not loaded. If its insides are not those that are known, or one of them fails,
everything is from then on, and that is said once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from hybridge.store.engine.part import Found, Part, sparse_vector
from hybridge.store.engine.segments import (
    PLAIN,
    LeftToEngineError,
    Mask,
    Segments,
    check_shape,
)
from hybridge.store.engine.view import KeptView, View

if TYPE_CHECKING:
    from hybridge.store.engine.collection import FieldSearch

logger = logging.getLogger("hybridge")


class Reader:
    """Searches the collections of one path, in the process that has it open.

    Args:
        path: The real path of the database.

    Attributes:
        failure: Why everything is left to the engine; "" where it is not.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._process = os.getpid()
        self.failure = ""
        try:
            check_shape(path)
        except Exception as error:  # noqa: BLE001  # whatever another version of the engine raises
            self._give_up(error)

    def search(
        self, name: str, asked: FieldSearch, columns: Sequence[str], kept: KeptView
    ) -> list[list[Row]] | None:
        """Return the rows that a search of one field finds for each vector, best first.

        Args:
            name: The collection.
            asked: The search.
            columns: What a row has, beside its "distance"; the first is the key.
            kept: What is kept of the collection.

        Returns:
            None where it is left to the engine.
        """
        if self.failure or os.getpid() != self._process:
            return None
        try:
            return self._search(Segments(self._path, name), asked, columns, kept)
        except LeftToEngineError:
            return None
        except Exception as error:  # noqa: BLE001  # see above
            self._give_up(error)
            return None

    def _give_up(self, error: Exception) -> None:
        self.failure = f"{type(error).__name__}: {error}"
        logger.info(
            "searches of %s are left to Milvus Lite, and take longer: its insides are not those "
            "that Hybridge knows (%s)",
            self._path,
            self.failure,
        )

    def _search(
        self, segments: Segments, asked: FieldSearch, columns: Sequence[str], kept: KeptView
    ) -> list[list[Row]]:
        kinds = {column: _known(segments.kind(column)) for column in columns}
        found = _Search(segments, asked).found(kept.now(segments))
        return [[Row(one, place, score, kinds) for score, one, place in rows] for rows in found]


def _known(kind: str) -> str:
    """Return the type of a column, if it is known how its cells are read."""
    if kind not in PLAIN | {"JSON", "FLOAT_VECTOR", "SPARSE_FLOAT_VECTOR"}:
        raise LeftToEngineError
    return kind


class _Search:
    """One search of all parts of a view."""

    def __init__(self, segments: Segments, asked: FieldSearch) -> None:
        self._segments, self._asked = segments, asked
        self._field = asked.field.stored_in
        self._index = segments.index(self._field)
        if self._index.metric != asked.field.metric or not self._index.is_known:
            raise LeftToEngineError

    def found(self, view: View) -> list[list[tuple[float, Part, int]]]:
        """Return scores, parts and places for each query, best first."""
        pairs = zip(view.parts, view.seen, strict=True)
        found = [(part, self._best(part, seen)) for part, seen in pairs if len(part)]
        return [
            _merged([(part, best[place]) for part, best in found], self._asked.depth)
            for place in range(len(self._asked.vectors))
        ]

    def _best(self, part: Part, seen: Mask) -> list[Found]:
        asked, allowed = self._asked, seen
        if asked.expression:
            allowed = seen & part.selected(asked.expression, self._segments.selected)
        some = None if allowed.all() else allowed
        if self._index.is_sparse:
            return part.sparse(self._field, asked.vectors, asked.depth, some)
        queries = np.asarray(asked.vectors, dtype=np.float32)
        return part.dense(self._field, self._index.metric, queries, asked.depth, some)


def _merged(found: Sequence[tuple[Part, Found]], depth: int) -> list[tuple[float, Part, int]]:
    """Return the best rows of all parts."""
    rows = [
        (score, part, place)
        for part, best in found
        for score, place in zip(best.scores.tolist(), best.places.tolist(), strict=True)
    ]
    return sorted(rows, key=lambda row: -row[0])[:depth]


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
        """Return a cell as pymilvus does."""
        if kind == "FLOAT_VECTOR":
            return self._part.vector(name, self._place)
        cell = self._part.cell(name, self._place)
        if kind == "SPARSE_FLOAT_VECTOR":
            return sparse_vector(cell or b"")
        return orjson.loads(cell) if kind == "JSON" and cell is not None else cell
