"""Searches of what Milvus Lite holds in this process, without its own search.

The engine copies the matrix, computes all lengths, looks in a loop over all rows which are gone,
and sends the whole of each row found. Here what does not change is kept, of each segment
(`hybridge.store.engine.part`) and of all together (`hybridge.store.engine.view`), and no cell is
read before it is wanted. The hits are the same: rows, deletions and the evaluator of filters are
the engine's own.

What is not known here is left to the engine: another index or metric, a column of another type. If
its insides are not those that are known, or one of them fails, everything is from then on, and that
is said once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hybridge.errors import FilterError
from hybridge.store.engine.chosen import Chosen
from hybridge.store.engine.part import Found, Numbers, Part
from hybridge.store.engine.row import Row, read_rows
from hybridge.store.engine.segments import LeftToEngineError, Mask, Segments, check_shape
from hybridge.store.engine.view import KeptView, View

if TYPE_CHECKING:
    from hybridge.store.engine.collection import FieldSearch

T = TypeVar("T")

_PAGE = 1000

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
            columns: What a row has when it is whole, beside its "distance".
            kept: What is kept of the collection.

        Returns:
            None where it is left to the engine.
        """

        def search(segments: Segments) -> list[list[Row]]:
            wanted, kinds, key = [*segments.kinds(columns)], segments.every_kind, segments.key
            found = _Search(segments, asked).found(kept.now(segments))
            return [
                [
                    Row({key: part.keys[place], "distance": score}, part, place, wanted, kinds)
                    for score, part, place in rows
                ]
                for rows in found
            ]

        return self._read(name, search)

    def select(
        self, name: str, chosen: Chosen, columns: Sequence[str], kept: KeptView
    ) -> Iterator[list[dict[str, Any]]] | None:
        """Yield the rows that are chosen, in pages, as they are now; None as in `search`."""

        def select(segments: Segments) -> Iterator[list[dict[str, Any]]]:
            kinds = segments.kinds(columns)
            found = [*chosen.of(kept.now(segments), segments)]
            return _pages([(part, np.flatnonzero(mask)) for part, mask in found], kinds)

        return self._read(name, select)

    def rows(
        self, name: str, keys: Sequence[str], chosen: Chosen, columns: Sequence[str], kept: KeptView
    ) -> list[dict[str, Any]] | None:
        """Return the rows of these keys that are chosen, in no order; None as in `search`."""

        def rows(segments: Segments) -> list[dict[str, Any]]:
            kinds = segments.kinds(columns)
            return [
                row
                for part, allowed in chosen.of(kept.now(segments), segments)
                for row in read_rows(part, _places(part, keys, allowed), kinds)
            ]

        return self._read(name, rows)

    def count(self, name: str, chosen: Chosen, kept: KeptView) -> int | None:
        """Return how many rows are chosen; None as in `search`."""

        def count(segments: Segments) -> int:
            return sum(int(mask.sum()) for _, mask in chosen.of(kept.now(segments), segments))

        return self._read(name, count)

    def _read(self, name: str, read: Callable[[Segments], T]) -> T | None:
        """Return what is read of a collection, or None where it is left to the engine."""
        if self.failure or os.getpid() != self._process:
            return None
        try:
            return read(Segments(self._path, name))
        except LeftToEngineError:
            return None
        except FilterError:
            raise
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


def _pages(
    found: Sequence[tuple[Part, Numbers]], kinds: Mapping[str, str]
) -> Iterator[list[dict[str, Any]]]:
    for part, places in found:
        for start in range(0, len(places), _PAGE):
            yield read_rows(part, places[start : start + _PAGE], kinds)


def _places(part: Part, keys: Iterable[str], allowed: Mask) -> Numbers:
    """Return where the rows of these keys are, of those that are allowed."""
    places = (part.places.get(key) for key in dict.fromkeys(keys))
    return np.array([one for one in places if one is not None and allowed[one]], np.intp)


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
        chosen = self._asked.chosen.of(view, self._segments)
        found = [(part, self._best(part, allowed)) for part, allowed in chosen if len(part)]
        return [
            _merged([(part, best[place]) for part, best in found], self._asked.depth)
            for place in range(len(self._asked.vectors))
        ]

    def _best(self, part: Part, allowed: Mask) -> list[Found]:
        asked = self._asked
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
