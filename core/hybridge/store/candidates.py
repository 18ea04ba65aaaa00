"""The best matching rows of each field, where the engine answers but a part of the filter.

Each field is read to its depth, and a little deeper where rows are left to `match`. If too few of
them match, their share tells how deep enough of them lie, and the field is read once more, as deep
as that. A scan of ids and metadata of all candidates takes its place where that costs less, where
one answer cannot hold so many rows, and where it was not enough after all.

So the ranking of a field is its first matching rows, whichever way they were found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice
from math import ceil, sqrt
from typing import Any, TypeVar

from hybridge.errors import EngineError
from hybridge.filters import conjunction
from hybridge.store.engine.collection import Collection, FieldSearch
from hybridge.store.selection import Selection

SPARE = 1.1
"""What is read at first of what is needed, so that a filter that nearly all pass takes one call."""

SAMPLE = 100
"""Rows that tell how many match: of a filter that 1 in 100 passes, one or none is among 10."""

Rows = Sequence[Mapping[str, Any]]
"""The engine's answer of one field to one query: rows with a distance, best first."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What one field found.

    Attributes:
        asked: What it was asked, as deep as it was read.
        rows: The rows that came back, by query.
        matching: Those that match.
        wanted: How many of these each query needs.
    """

    asked: FieldSearch
    rows: Sequence[Rows]
    matching: Sequence[Rows]
    wanted: int

    @property
    def best(self) -> list[Rows]:
        """The rows that each query needs."""
        return [rows[: self.wanted] for rows in self.matching]

    @property
    def is_short(self) -> bool:
        """Whether some query has too few rows, and there may be more."""
        return any(
            len(matching) < self.wanted and len(rows) == self.asked.depth
            for rows, matching in zip(self.rows, self.matching, strict=True)
        )

    @property
    def deeper(self) -> FieldSearch:
        """How deep enough rows lie if those that match are fewer than seen by two deviations."""
        matched = sum(map(len, self.matching))
        share = max(matched - 2 * sqrt(matched), 0.5) / sum(map(len, self.rows))
        return replace(self.asked, depth=ceil(self.wanted / share))


class Candidates:
    """The rows that a search may find.

    Args:
        collection: The collection.
        selection: The rows that are wanted.
        columns: What is read of each row.
    """

    def __init__(
        self, collection: Collection, selection: Selection, columns: Sequence[str]
    ) -> None:
        self._collection = collection
        self._selection = selection
        self._columns = columns

    def best(self, asked: Mapping[str, FieldSearch]) -> dict[str, list[Rows]]:
        """Return the best matching rows of each field for each of its vectors, by name."""
        here = self._best_here(asked)
        if here is not None:
            return here
        if self._selection.is_scanned:
            return self._best_by_key(asked)
        answers = self._answers(asked, {name: self._first(one) for name, one in asked.items()})
        deeper = {name: one.deeper for name, one in answers.items() if one.is_short}
        if deeper and self._is_worth(deeper):
            answers |= self._answers_that_fit(asked, deeper)
        short = {name: asked[name] for name, one in answers.items() if one.is_short}
        found = {name: one.best for name, one in answers.items()}
        return found | self._best_by_key(short) if short else found

    def _best_here(self, asked: Mapping[str, FieldSearch]) -> dict[str, list[Rows]] | None:
        """Return the best matching rows of each field, found in this process; None if it cannot."""
        found: dict[str, list[Rows]] = {}
        for name, one in asked.items():
            sent = replace(
                _sent(one, self._selection.expression), residual=self._selection.residual
            )
            rows = self._collection.search_here(sent, self._columns) if sent.vectors else ()
            if rows is None:
                return None
            found[name] = _placed(one, rows)
        return found

    def _first(self, asked: FieldSearch) -> FieldSearch:
        if self._selection.is_exact:
            return asked
        window = self._collection.dialect.engine.window
        return replace(asked, depth=min(max(ceil(SPARE * asked.depth), SAMPLE), window))

    def _is_worth(self, deeper: Mapping[str, FieldSearch]) -> bool:
        """Whether to read as deep as that rather than to scan."""
        window = self._collection.dialect.engine.window
        rows = sum(one.depth * len(one.vectors) for one in deeper.values())
        fits = all(one.depth <= window for one in deeper.values())
        return fits and self._selection.outdoes_scan(rows)

    def _answers(
        self, wanted: Mapping[str, FieldSearch], asked: Mapping[str, FieldSearch]
    ) -> dict[str, Answer]:
        def answer(name: str) -> Answer:
            rows = self._read(asked[name], self._selection.expression)
            matching = [self._selection.matching(some) for some in rows]
            return Answer(asked[name], rows, matching, wanted[name].depth)

        return self._each(answer, asked)

    def _answers_that_fit(
        self, wanted: Mapping[str, FieldSearch], asked: Mapping[str, FieldSearch]
    ) -> dict[str, Answer]:
        """Return the answers, or none if one is too large for a message."""
        try:
            return self._answers(wanted, asked)
        except EngineError as error:
            if not error.too_large:
                raise
            return {}

    def _best_by_key(self, asked: Mapping[str, FieldSearch]) -> dict[str, list[Rows]]:
        """Return the best rows of each field among those that a scan selects."""
        found: dict[str, list[Rows]] = {
            name: [[]] * len(one.vectors) for name, one in asked.items()
        }
        for expression in self._selection.expressions():
            found = self._best_with(found, asked, expression)
        return {name: [*map(self._selection.matching, some)] for name, some in found.items()}

    def _best_with(
        self, found: Mapping[str, list[Rows]], asked: Mapping[str, FieldSearch], expression: str
    ) -> dict[str, list[Rows]]:
        """Return the best of what was found and of the rows that an expression selects."""

        def best(name: str) -> list[Rows]:
            one = asked[name]
            pairs = zip(found[name], self._read(one, expression), strict=True)
            return [_merged(one, *pair) for pair in pairs]

        return self._each(best, asked)

    def _read(self, asked: FieldSearch, expression: str) -> list[Rows]:
        one = _sent(asked, expression)
        return _placed(asked, self._collection.search(one, self._columns) if one.vectors else ())

    def _each(self, call: Callable[[str], T], names: Iterable[str]) -> dict[str, T]:
        """Return what a call returns for each field: side by side where that gains anything."""
        names = list(names)
        if len(names) < 2 or not self._collection.dialect.engine.parallel_searches:
            return {name: call(name) for name in names}
        with ThreadPoolExecutor(len(names)) as pool:
            return dict(zip(names, pool.map(call, names), strict=True))


def _sent(asked: FieldSearch, expression: str) -> FieldSearch:
    """Return what is asked: an empty sparse vector finds nothing, and Milvus servers refuse it."""
    vectors = [vector for vector in asked.vectors if len(vector)]
    if asked.expression:
        expression = conjunction(asked.expression, expression)
    return replace(asked, vectors=vectors, expression=expression)


def _placed(asked: FieldSearch, answers: Iterable[Rows]) -> list[Rows]:
    """Return the rows of each vector; an empty one has none, and was not sent."""
    found = iter(answers)
    return [next(found) if len(vector) else [] for vector in asked.vectors]


def _merged(asked: FieldSearch, first: Rows, second: Rows) -> Rows:
    """Return the best rows of two disjoint answers."""
    ordered = merge(first, second, key=lambda row: -asked.field.sign * row["distance"])
    return list(islice(ordered, asked.depth))
