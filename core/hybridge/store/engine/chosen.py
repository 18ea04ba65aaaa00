"""Which rows are asked for: those that an expression selects, and of these the ones that match.

The engine's own evaluator answers the expression, of each segment once; what it cannot answer is
evaluated here in Python, over what is read of the rows. A segment never changes, so that both are
kept with it, and after a write only the rows that were written are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hybridge.filters import Filter, match_all
from hybridge.store.engine.part import Numbers, Part
from hybridge.store.engine.row import read_rows
from hybridge.store.engine.segments import Mask, Segments
from hybridge.store.engine.view import View

MOST_BYTES = 64 * 2**20
"""Bytes of ids and metadata, as they are stored, up to which a collection's are kept unpacked.

A row with three short keys has 86 bytes, so that 784,000 are kept, and 489 unpacked; one with six
keys, a title and a URL among them, has 223 (300,000 rows), and 996 unpacked; one without metadata
35 and 283.
"""


@dataclass(frozen=True)
class Residual:
    """What of a filter the engine does not answer.

    Attributes:
        tree: What rows must match.
        columns: What is read of a row for that.
        candidates: Makes what the tree is evaluated over of rows that were read.
    """

    tree: Filter
    columns: Sequence[str]
    candidates: Callable[[Sequence[Mapping[str, Any]]], Sequence[Any]]


class Chosen(NamedTuple):
    """The rows that are asked for; "" and None choose all."""

    expression: str = ""
    residual: Residual | None = None

    def of(self, view: View, segments: Segments) -> Iterator[tuple[Part, Mask]]:
        """Yield the parts of a view, with their rows that can be seen and are asked for."""
        is_kept = self._is_kept(view)
        for part, seen in zip(view.parts, view.seen, strict=True):
            allowed = seen
            if self.expression:
                allowed = allowed & self._selected(part, segments)
            if self.residual is not None and len(part):
                allowed = allowed & self._matching(part, segments, is_kept)
            yield part, allowed

    def _selected(self, part: Part, segments: Segments) -> Mask:
        def select() -> Mask:
            return segments.selected(part.segment, self.expression)

        return part.selected(self.expression, select)

    def _is_kept(self, view: View) -> bool:
        """Whether what the tree is evaluated over is kept: of all rows, if that is not too much."""
        if self.residual is None or self.expression:
            return False
        columns = self.residual.columns
        return sum(part.bytes_of(columns) for part in view.parts) <= MOST_BYTES

    def _matching(self, part: Part, segments: Segments, is_kept: bool) -> Mask:
        residual: Any = self.residual
        columns: tuple[str, ...] = tuple(residual.columns)

        def tell(places: Numbers | None = None) -> Sequence[Any]:
            rows = read_rows(part, places, segments.kinds(columns))
            candidates: Sequence[Any] = residual.candidates(rows)
            return candidates

        def select() -> Mask:
            if not self.expression:
                told = part.told(columns, tell) if is_kept else tell()
                return _matches(residual.tree, told)
            mask = self._selected(part, segments).copy()
            places = np.flatnonzero(mask)
            mask[places] = _matches(residual.tree, tell(places))
            return mask

        return part.selected((self.expression, residual.tree, columns), select)


def _matches(tree: Filter, candidates: Sequence[Any]) -> Mask:
    keys = {one.key for one in match_all(tree, candidates)}
    return np.fromiter((one.key in keys for one in candidates), np.bool_, len(candidates))
