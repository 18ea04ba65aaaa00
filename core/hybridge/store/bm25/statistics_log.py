"""BM25 counts of many writers, as rows of the companion collection.

A write says what it adds (sign 1) and what it takes away (sign -1). Its counts rows have the ids
`<writer>/<seq>/<field>/<sign>`; where there are tenants, there are some for each, and the ids end
in `/<tenant>`. Where other processes write as well they are written first, *open*, then the rows of
the collection with the mark `<writer>/<seq>`, then the counts again, *done*. So a writer that dies
in between leaves an open row that anyone can settle: does a row carry its mark?

A writer's many rows are summed up in `<writer>/sum/<last>/<field>/<part>`, which counts in the
place of all its rows up to `last`. Its id and its content follow from the writer and `last`, so
anyone may sum up a silent writer, and doing it twice does no harm; the rows that it covers go a
minute later, when nobody reads them any more.

The rows of a writer that is no writer of ids (earlier versions) stay as they are.

Weights of a sparse vector are float32, exact up to 2**24 = 16.8 million: a sum cuts the frequency
of a term that more documents have, which then stands in several of its rows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import StoreError
from hybridge.narrowing import is_list, is_mapping, is_number
from hybridge.sparse.statistics import Statistics
from hybridge.store.engine.companion import Companion
from hybridge.store.fields import EMPTY_SPARSE

COUNTS = "counts"
OPEN, DONE = "open", "done"
SETTLED_AFTER = 60.0
"""Seconds after which an open row is no longer under way, and covered rows are read by nobody."""

_SILENT_AFTER = 600.0
_FEW = 8
COMPACT_AT = 256
"""Rows of single writes that are summed up."""

COMPACT_AT_OF_TENANTS = 32
"""The same of a tenant, of which there may be thousands."""

_TERMS_PER_ROW = 250_000  # 2 MB
_EXACT = 2**24
_FIELD_OF_VERSION_1 = "sparse"


@dataclass(frozen=True)
class Entry:
    """A counts row without its frequencies.

    Attributes:
        id: Its id.
        writer: Who wrote it.
        last: The last write that it counts.
        field: The BM25 field.
        tenant: Whose rows it counts; "" where there are no tenants.
        parts: Of how many rows the sum is; 0 for those of one write.
        documents: How many documents it adds, or takes away, which is below 0.
        value: The state, the time, and what an unfinished write can be told by.
    """

    id: str
    writer: str
    last: int
    field: str
    tenant: str
    parts: int
    documents: int
    value: Mapping[str, Any]

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> Entry:
        """Return what a counts row tells without its frequencies.

        Raises:
            StoreError: If the row is none that Hybridge wrote.
        """
        row_id, value, documents = row["id"], row["value"], row["sign"] * row["documents"]
        try:
            writer, *names = row_id.split("/")
            _check_value(value, is_sum=names[:1] == ["sum"])
            if not names:
                return cls(row_id, row_id, 0, _FIELD_OF_VERSION_1, "", 0, documents, value)
            parts = value["parts"] if names[0] == "sum" else 0
            last, field, _, *tenant = names[bool(parts) :]
            return cls(row_id, writer, int(last), field, "".join(tenant), parts, documents, value)
        except (ValueError, KeyError) as error:
            msg = (
                f"the BM25 counts in the companion's row {row_id!r:.200} are none that Hybridge "
                f"wrote ({shown(dict(value))}): delete the row from the collection that ends in "
                "'__hybridge', and call rebuild_statistics()"
            )
            raise StoreError(msg) from error

    @property
    def mark(self) -> str:
        """The mark of the write, which its rows carry."""
        return f"{self.writer}/{self.last}"

    @property
    def is_open(self) -> bool:
        """Whether the write was not acknowledged when the row was read."""
        return self.value.get("state") == OPEN

    @property
    def erased(self) -> Mapping[str, str | None]:
        """Some of the keys that an unfinished write deletes, with the marks of their rows."""
        erased: Mapping[str, str | None] = self.value.get("erased") or {}
        return erased

    @property
    def writes(self) -> int:
        """How many counts rows of single writes it stands for."""
        return int(self.value["writes"]) if self.parts else 1

    def older_than(self, seconds: float) -> bool:
        """Whether it was written so long ago, by its writer's clock."""
        return bool(time.time() - self.value.get("at", 0.0) > seconds)


def _check_value(value: Mapping[str, Any], *, is_sum: bool) -> None:
    """Refuse values of other types than a write gives them.

    Raises:
        ValueError: If one is of another type.
    """
    counts = [value.get("parts"), value.get("writes")] if is_sum else []
    is_known = (
        is_number(value.get("at", 0.0))
        and is_mapping(value.get("erased") or {})
        and is_list(value.get("replaces", []))
        and all(isinstance(count, int) and count > 0 for count in counts)
    )
    if not is_known:
        msg = "a value of another type"
        raise ValueError(msg)


Landed = Callable[[Entry], bool]
"""Whether the write of an open row has reached the collection."""


def is_under_way(entry: Entry) -> bool:
    """Whether the write of an entry may still be going on."""
    return entry.is_open and not entry.older_than(SETTLED_AFTER)


def counting(entries: Iterable[Entry], landed: Landed, *, own: str) -> list[Entry]:
    """Return the entries that count: of each writer its largest whole sum, and what follows it.

    Args:
        entries: All entries of one field.
        landed: Says of an open row that is no longer under way whether it counts.
        own: The writer that asks, which has no write under way.
    """
    entries = list(entries)
    replaced = {one for entry in entries for one in entry.value.get("replaces", ())}
    result: list[Entry] = []
    for some in _by_writer(entries).values():
        total = _sum_of(some)
        summed = total[0].last if total else -1
        result += total
        for entry in some:
            if entry.parts or entry.last <= summed or entry.id in replaced:
                continue
            if entry.is_open and entry.writer != own and is_under_way(entry):
                continue
            if not entry.is_open or landed(entry):
                result.append(entry)
    return result


class StatisticsLog:
    """The statistics of one BM25 field, as rows that writers append.

    Args:
        companion: The companion collection.
        field: The name of the field.
        tenant: Whose rows are counted, by `tenant_key`; "" where there are no tenants.
    """

    def __init__(self, companion: Companion, field: str, tenant: str) -> None:
        self._companion = companion
        self._field = field
        self._tenant = tenant

    @property
    def compact_at(self) -> int:
        """How many rows of single writes are summed up."""
        return COMPACT_AT_OF_TENANTS if self._tenant else COMPACT_AT

    def entries(self) -> list[Entry]:
        """Return all entries of the field, as they are now."""
        return entries_of(self._companion.listing(self._tenant), self._field)

    def read(self, entries: Sequence[Entry]) -> Statistics | None:
        """Return what entries add up to, or None where one is gone: it was just summed up."""
        rows = self._companion.read([entry.id for entry in entries])
        if len(rows) < len(entries):
            return None
        total = Statistics()
        for row in rows:
            part = _statistics_of(row)
            (total.add if row["sign"] > 0 else total.subtract)(part)
        return total

    def rows(
        self, mark: str, added: Statistics, removed: Statistics, evidence: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the counts rows of one write.

        Args:
            mark: The write's mark, `<writer>/<seq>`.
            added: The counts of the rows that are new.
            removed: The counts of the rows that are gone.
            evidence: What an unfinished write can be told by, where no row carries its mark.
        """
        return [
            self._row(row_id, statistics, sign, dict(evidence))
            for row_id, statistics, sign in zip(
                self.ids([mark]), (added, removed), (1, -1), strict=True
            )
            if not _is_empty(statistics)
        ]

    def ids(self, marks: Iterable[str]) -> list[str]:
        """Return the ids of the counts rows that writes can have."""
        return [self._id(mark, sign) for mark in marks for sign in "+-"]

    def finish(self, ids: Sequence[str]) -> None:
        """Say of open rows that their writes are done."""
        rows = self._companion.read(ids) if ids else []
        some = [{**row, "kind": COUNTS} for row in rows if row["value"].get("state") == OPEN]
        if some:
            self._companion.upsert(with_state(some, DONE))

    def forget(self, ids: Sequence[str]) -> None:
        """Remove open rows whose writes never came."""
        self._companion.delete(ids)

    def compact(
        self, own: str, landed: Landed, *, shared: bool, total: Statistics | None = None
    ) -> list[Entry]:
        """Sum up the writers that have many rows: this one, and those that are silent.

        Args:
            own: This writer.
            landed: Says whether an open row counts.
            shared: Whether others may be reading.
            total: What the rows of this writer add up to, where that is known.

        Returns:
            The entries of this writer's new sum, if there is one.
        """
        summed: list[Entry] = []
        for writer, entries in _by_writer(self.entries()).items():
            self._companion.delete(_covered(entries, SETTLED_AFTER if shared else -1.0))
            many, silent = len(_following(entries)), _is_silent(entries)
            if writer == own and many >= self.compact_at:
                summed = self._sum_up(writer, counting(entries, landed, own=own), total)
                if summed and not shared:
                    self._companion.delete([entry.id for entry in entries])
            elif silent and many >= _FEW:
                self._sum_up(writer, counting(entries, landed, own=writer))
        return summed

    def _sum_up(
        self, writer: str, counted: Sequence[Entry], total: Statistics | None = None
    ) -> list[Entry]:
        total = self.read(counted) if total is None else total
        if total is None:
            return []  # another process has just done it
        return self.write_sum(
            writer, max(entry.last for entry in counted), total, writes_of(counted)
        )

    def write_sum(self, writer: str, last: int, total: Statistics, writes: int = 1) -> list[Entry]:
        """Write what a writer's rows add up to, which may be done twice.

        Args:
            writer: The writer.
            last: The last write that is counted.
            total: What all of them add up to.
            writes: How many counts rows of single writes that stands for.

        Returns:
            The entries of the sum.
        """
        added, removed = _by_sign(total)
        parts = [
            *((1, part) for part in _parts(added)),
            *((-1, part) for part in _parts(removed)),
        ]
        value = {"parts": len(parts), "writes": writes}
        entries: list[Entry] = []
        for place, (sign, part) in enumerate(parts):  # one at a time: ten million terms are 40 rows
            row = self._row(self._id(f"{writer}/sum/{last}", str(place)), part, sign, dict(value))
            self._companion.upsert([row])
            entries.append(Entry.parse(row))
        return entries

    def _id(self, start: str, end: str) -> str:
        return "/".join([start, self._field, end, *filter(None, [self._tenant])])

    def _row(
        self, row_id: str, statistics: Statistics, sign: int, value: dict[str, Any]
    ) -> dict[str, Any]:
        writer, seq = row_id.split("/")[:2]
        frequencies = {term: float(count) for term, count in statistics.frequencies.items()}
        return {
            "id": row_id,
            "kind": COUNTS,
            "value": {"at": time.time(), **value},
            "field": self._field,
            "tenant": self._tenant,
            "writer": writer,
            "seq": 0 if seq == "sum" else int(seq),
            "sign": sign,
            "documents": statistics.documents,
            "tokens": statistics.tokens,
            "frequencies": frequencies or EMPTY_SPARSE,
        }


def entries_of(listing: Iterable[Mapping[str, Any]], field: str | None = None) -> list[Entry]:
    """Return the entries of a field among the rows of a companion; None for all fields."""
    entries = (Entry.parse(row) for row in listing if row["kind"] == COUNTS)
    return [entry for entry in entries if field in (None, entry.field)]


def with_state(rows: Sequence[Mapping[str, Any]], state: str) -> list[dict[str, Any]]:
    """Return counts rows in a state: open or done."""
    return [{**row, "state": state, "value": {**row["value"], "state": state}} for row in rows]


def writes_of(entries: Iterable[Entry]) -> int:
    """Return how many counts rows of single writes these entries stand for."""
    sums = {(entry.writer, entry.last): entry.writes for entry in entries if entry.parts}
    return sum(sums.values()) + sum(not entry.parts for entry in entries)


def difference(first: Statistics, second: Statistics) -> tuple[Statistics, Statistics]:
    """Return what must be added to `second`, and what taken away, to have `first`."""
    total = Statistics(first.documents, first.tokens, dict(first.frequencies))
    total.subtract(second)
    return _by_sign(total)


def _by_sign(total: Statistics) -> tuple[Statistics, Statistics]:
    """Return counts that may lie below 0 as what they add and what they take away."""
    added, removed = (
        Statistics(
            max(0, sign * total.documents),
            max(0, sign * total.tokens),
            {term: sign * n for term, n in total.frequencies.items() if sign * n > 0},
        )
        for sign in (1, -1)
    )
    return added, removed


def _parts(statistics: Statistics) -> list[Statistics]:
    """Return counts in parts that one row can hold; a corpus of nothing is one, too.

    What is larger than a weight can be exactly is cut, and stands in several.
    """
    left = {term: n - _EXACT for term, n in statistics.frequencies.items() if n > _EXACT}
    if left:
        whole = {term: min(n, _EXACT) for term, n in statistics.frequencies.items()}
        first = Statistics(statistics.documents, statistics.tokens, whole)
        return [*_parts(first), *_parts(Statistics(frequencies=left))]
    items = iter(statistics.frequencies.items())
    parts = [
        Statistics(statistics.documents, statistics.tokens, dict(islice(items, _TERMS_PER_ROW)))
    ]
    while frequencies := dict(islice(items, _TERMS_PER_ROW)):
        parts.append(Statistics(0, 0, frequencies))
    return parts


def _is_empty(statistics: Statistics) -> bool:
    return not (statistics.documents or statistics.tokens or statistics.frequencies)


def _by_writer(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.writer].append(entry)
    return groups


def _sum_of(entries: Iterable[Entry]) -> list[Entry]:
    """Return the rows of the largest sum of a writer that is whole."""
    sums: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.parts:
            sums[entry.last].append(entry)
    whole = [last for last, rows in sums.items() if len(rows) == rows[0].parts]
    return sums[max(whole)] if whole else []


def _following(entries: Sequence[Entry]) -> list[Entry]:
    """Return a writer's rows that no sum covers."""
    total = _sum_of(entries)
    summed = total[0].last if total else -1
    return [entry for entry in entries if not entry.parts and entry.last > summed]


def _is_silent(entries: Iterable[Entry]) -> bool:
    return all(entry.older_than(_SILENT_AFTER) for entry in entries)


def _covered(entries: Sequence[Entry], after: float) -> list[str]:
    """Return the rows of a writer that a sum has covered for so many seconds."""
    total = _sum_of(entries)
    if not total or not total[0].older_than(after):
        return []
    kept = {entry.id for entry in [*total, *_following(entries)]}
    newer = {entry.id for entry in entries if entry.parts and entry.last > total[0].last}
    return [entry.id for entry in entries if entry.id not in kept | newer]


def _statistics_of(row: Mapping[str, Any]) -> Statistics:
    frequencies = {
        int(term): round(count)
        for term, count in row["frequencies"].items()
        if term not in EMPTY_SPARSE
    }
    return Statistics(row["documents"], row["tokens"], frequencies)
