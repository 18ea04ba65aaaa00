"""Which rows of the engine's segments can be seen, kept from one search to the next.

A key may be in several segments: the row with the largest sequence number is it, unless a deletion
has a larger one. The engine finds that out for every search, in a loop over all rows. Here the
keys that two segments have in common are intersected, which takes as long as the smaller has rows,
and again only when segments or deletions have changed. What is not flushed is laid over that.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from hybridge.store.engine.part import Part
from hybridge.store.engine.segments import Growing, Mask, Segments, Snapshot


class View(NamedTuple):
    """Some parts, and which rows of each can be seen."""

    parts: Sequence[Part]
    seen: Sequence[Mask]


NOTHING = View((), ())


@dataclass
class KeptView:
    """The rows of one collection as its last search saw them.

    Nothing of it outlives what it is of by more than one search: whatever is compared is held.

    Attributes:
        flushed: The rows of the segments.
        deleted: The flushed deletions that have hidden some.
        growing: The rows that were not flushed.
        grown: The same as a part.
        view: All of them.
    """

    flushed: View = NOTHING
    deleted: Mapping[Any, int] = field(default_factory=dict[Any, int])
    growing: Growing | None = None
    grown: Part | None = None
    view: View = NOTHING
    _following: threading.Lock = field(default_factory=threading.Lock)

    def now(self, segments: Segments) -> View:
        """Return the rows as they are now."""
        with self._following:
            snapshot = segments.snapshot(self.growing)
            if self._follow(snapshot) or snapshot.growing is not self.growing:
                self._lay_over(snapshot.growing)
            return self.view

    def _follow(self, snapshot: Snapshot) -> bool:
        """Follow the flushed rows; whether they have changed."""
        there = {part.segment: part for part in self.flushed.parts}
        if [*there] == [*snapshot.segments] and snapshot.deleted == self.deleted:
            return False
        made = [there[one] if one in there else Part(one) for one in snapshot.segments]
        seen = [np.ones(len(part), dtype=np.bool_) for part in made]
        for place, part in enumerate(made):
            _hide_deleted(part, seen[place], snapshot.deleted)
            for other in range(place):
                _hide_older(part, seen[place], made[other], seen[other])
        self.flushed, self.deleted = View(made, seen), snapshot.deleted
        return True

    def _lay_over(self, growing: Growing) -> None:
        if self.grown is None or self.grown.segment is not growing.segment:
            self.grown = Part(growing.segment)
        grown, mask = self.grown, np.ones(len(self.grown), dtype=np.bool_)
        _hide_deleted(grown, mask, self.deleted)
        seen = [one.copy() for one in self.flushed.seen]
        for part, one in zip(self.flushed.parts, seen, strict=True):
            _hide_older(grown, mask, part, one)
            _hide_deleted(part, one, growing.deleted)
        self.view, self.growing = View([*self.flushed.parts, grown], [*seen, mask]), growing


def _hide_older(first: Part, first_seen: Mask, second: Part, second_seen: Mask) -> None:
    """Hide, of each key that two parts have, the row that the other has replaced."""
    for key in first.places.keys() & second.places.keys():
        here, there = first.places[key], second.places[key]
        if first.seqs[here] < second.seqs[there]:
            first_seen[here] = False
        else:
            second_seen[there] = False


def _hide_deleted(part: Part, seen: Mask, deleted: Mapping[Any, int]) -> None:
    """Hide the rows that a later deletion has taken."""
    for key in part.places.keys() & deleted.keys():
        place = part.places[key]
        if part.seqs[place] < deleted[key]:
            seen[place] = False
