"""BM25 statistics as rows of the companion collection.

Each write appends what it added (sign 1) and what it removed (sign -1), so writers of different
ids on a server add up. Compaction writes the sum as one row that names the rows it replaces, then
deletes those: a crash in between leaves rows that are named as replaced and so not counted again.

Weights of a sparse vector are float32, exact below 2**24: the frequencies of a collection of up to
16.7 million documents.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from hybridge.sparse.statistics import Statistics
from hybridge.store.engine.companion import Companion
from hybridge.store.fields import EMPTY_SPARSE

_COUNTS = "counts"
_COMPACT_AT = 256


class StatisticsLog:
    """The statistics of one BM25 field, as appended rows.

    Args:
        companion: The companion collection.
        field: The name of the field.
    """

    def __init__(self, companion: Companion, field: str) -> None:
        self._companion = companion
        self._field = field
        self._appended = 0

    def read(self) -> Statistics:
        """Return the sum of all rows.

        Raises:
            InvalidInputError: If the rows remove what none of them adds.
        """
        rows = self._rows()
        self._appended = len(rows)
        return _sum(_counting(rows))

    def append(self, added: Statistics, removed: Statistics, write: str) -> None:
        """Append what one write added and removed, in one request.

        Args:
            added: The counts of the rows that are new.
            removed: The counts of the rows that are gone.
            write: The write's mark, `<writer>/<seq>`.
        """
        writer, _, seq = write.partition("/")
        rows = [
            self._row(statistics, sign) | {"writer": writer, "seq": int(seq)}
            for statistics, sign in ((added, 1), (removed, -1))
            if statistics.documents
        ]
        if not rows:
            return
        self._companion.upsert(rows)
        self._appended += len(rows)
        if self._appended >= _COMPACT_AT:
            self.compact()

    def replace(self, statistics: Statistics) -> None:
        """Put one row in the place of all rows there are."""
        self._replace(self._rows(), statistics)

    def compact(self) -> None:
        """Replace many rows by their sum."""
        self._appended = 0
        rows = self._rows()
        if len(rows) >= _COMPACT_AT:
            self._replace(rows, _sum(_counting(rows)))

    def _replace(self, rows: Sequence[dict[str, Any]], statistics: Statistics) -> None:
        # Rows that an earlier, interrupted compaction replaced are named again: the row that
        # names them now is about to go.
        replaced = [row["id"] for row in rows]
        self._companion.upsert([self._row(statistics, 1) | {"value": {"replaces": replaced}}])
        self._companion.delete(replaced)

    def _rows(self) -> list[dict[str, Any]]:
        rows = [row for page in self._companion.select(_COUNTS) for row in page]
        # A collection of version 1 has one field, and does not name it.
        return [row for row in rows if row.get("field", self._field) == self._field]

    def _row(self, statistics: Statistics, sign: int) -> dict[str, Any]:
        frequencies = {term: float(count) for term, count in statistics.frequencies.items()}
        return {
            "id": uuid.uuid4().hex,
            "kind": _COUNTS,
            "field": self._field,
            "sign": sign,
            "documents": statistics.documents,
            "tokens": statistics.tokens,
            "frequencies": frequencies or EMPTY_SPARSE,
        }


def _counting(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that count, without those that a compaction has replaced."""
    replaced = {row_id for row in rows for row_id in row["value"].get("replaces", ())}
    return [row for row in rows if row["id"] not in replaced]


def _sum(rows: Sequence[dict[str, Any]]) -> Statistics:
    """Add the rows up; additions first, since a removal needs what it removes."""
    total = Statistics()
    for row in sorted(rows, key=lambda row: -row["sign"]):
        frequencies = {
            int(term): round(count)
            for term, count in row["frequencies"].items()
            if term not in EMPTY_SPARSE
        }
        part = Statistics(row["documents"], row["tokens"], frequencies)
        if row["sign"] > 0:
            total.add(part)
        else:
            total.remove(part)
    return total
