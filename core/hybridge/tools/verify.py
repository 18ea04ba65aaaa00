"""Whether a collection holds what its origin holds, and finds what it would find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from hybridge.arguments import check_count, check_flag
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import MilvusStore, batched
from hybridge.tools.exact import Nearest
from hybridge.tools.origins import Origin
from hybridge.tools.origins.origin import PAGE
from hybridge.tools.rows import Rows

ENOUGH = 0.99
"""The least agreement with an exact search of the origin."""


@dataclass(frozen=True)
class Report:
    """What was moved, and what became of it.

    Attributes:
        origin: Where the records come from.
        target: Where they are.
        records: How many the origin has.
        written: How many were written this time; the others were there already.
        differing: The ids of those that the target lacks, or has with another text, other metadata
            or another vector; 20 at most are kept.
        differences: How many these are.
        agreement: By dense field: which share of the nearest rows of the origin, which an exact
            search by its own metric finds, the target finds.
        queries: For how many of the origin's own vectors, drawn at random, that was measured.
        k: How many nearest rows were asked for.
    """

    origin: str
    target: str
    records: int
    differing: Sequence[str]
    differences: int
    agreement: Mapping[str, float]
    queries: int
    k: int
    written: int = field(default=0)

    @property
    def ok(self) -> bool:
        """Whether all is there as it was, and what is nearest is found."""
        return not self.differences and all(one >= ENOUGH for one in self.agreement.values())

    def __str__(self) -> str:
        same = self.records - self.differences
        lines = [
            f"{'moved' if self.ok else 'NOT RIGHT'}: {self.origin} -> {self.target}",
            f"  written    {self.written:,} of {self.records:,}; the others were there",
            f"  the same   {same:,} of {self.records:,}: id, text, metadata and vectors",
        ]
        if self.differing:
            lines.append(f"  differing  {', '.join(map(repr, self.differing))}")
        lines += [
            f"  agreement  {one:.4f} in {name!r}: the {self.k} nearest of {self.queries} rows, "
            "beside an exact search of the origin"
            for name, one in self.agreement.items()
        ]
        return "\n".join(lines)


def verify(
    origin: Origin,
    store: MilvusStore,
    *,
    queries: int = 100,
    k: int = 10,
    progress: bool = False,
) -> Report:
    """Compare a collection with its origin: every record, and what is nearest to some of them.

    The origin is read twice, a page at a time. No model is called.

    Args:
        origin: Where the records came from.
        store: Where they are.
        queries: How many of the records, drawn at random, are searched by their vectors.
        k: How many of the nearest rows are compared.
        progress: Whether to show a progress bar.

    Raises:
        InvalidInputError: If an argument makes no sense.
    """
    check_count(queries, "queries")
    check_count(k, "k")
    check_flag(progress, "progress")
    rows, sample, differing = Rows(store), _Sample(queries), _Differing()
    with tqdm(total=2 * origin.count(), disable=not progress, desc="verify", unit="record") as bar:
        for page in batched(origin.records(), PAGE):
            differing.note(rows.differing(page))
            sample.draw(page)
            bar.update(len(page))
        neighbours = _Neighbours(origin, rows, sample.records, k)
        for page in batched(origin.records(), PAGE):
            neighbours.show(page)
            bar.update(len(page))
    return Report(
        origin=repr(origin),
        target=repr(store),
        records=sample.seen,
        differing=differing.ids,
        differences=differing.count,
        agreement=neighbours.agreement(),
        queries=len(sample.records),
        k=k,
    )


class _Differing:
    """The records that differ: how many, and the first few."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.count = 0

    def note(self, records: Sequence[Record]) -> None:
        self.count += len(records)
        self.ids += [str(one.id) for one in records[: 20 - len(self.ids)]]


class _Sample:
    """Records drawn from a stream, each as likely as any other.

    Vitter, Random Sampling with a Reservoir, 1985, algorithm R.
    """

    def __init__(self, size: int) -> None:
        self.records: list[Record] = []
        self.seen = 0
        self._size = size
        self._random = Random(0)

    def draw(self, records: Iterable[Record]) -> None:
        for record in records:
            place = self._random.randrange(self.seen + 1)
            self.seen += 1
            if len(self.records) < self._size:
                self.records.append(record)
            elif place < self._size:
                self.records[place] = record


class _Neighbours:
    """The exact nearest rows of sampled records, by tenant and dense field, and how many are found.

    Args:
        origin: Where the rows are compared exactly.
        rows: Where they are searched.
        sample: The records whose vectors are the queries.
        k: How many of the nearest rows are compared.
    """

    def __init__(self, origin: Origin, rows: Rows, sample: Sequence[Record], k: int) -> None:
        self._rows = rows
        self._k = k
        self._nearest = {
            (tenant, name): Nearest(vectors, origin.metric_of(name), k)
            for tenant, some in rows.by_tenant(sample)
            for name, vectors in _dense(some).items()
        }

    def show(self, page: Sequence[Record]) -> None:
        for tenant, some in self._rows.by_tenant(page):
            for name, vectors in _dense(some).items():
                if (tenant, name) in self._nearest:
                    self._nearest[tenant, name].show(vectors)

    def agreement(self) -> dict[str, float]:
        wanted, found = Counter[str](), Counter[str]()
        for (tenant, name), nearest in self._nearest.items():
            wanted[name] += nearest.wanted
            found[name] += nearest.count(self._search(tenant, name, nearest.queries))
        return {name: found[name] / wanted[name] for name in wanted}

    def _search(self, tenant: Any, name: str, queries: Any) -> list[list[Any]]:
        if name not in self._rows.store.vector_fields() or not self._rows.store.exists():
            return [[] for _ in queries]
        hits = self._rows.view(tenant).search_many(
            vectors={name: queries}, mode=name, k=self._k, with_vectors=True
        )
        return [[hit.vectors[name] for hit in some] for some in hits]


def _dense(records: Sequence[Record]) -> dict[str, Any]:
    """Return the dense vectors of some records, by field, shape `(records, dim)`."""
    vectors: dict[str, list[Any]] = {}
    for record in records:
        for name, one in record.vectors.items():
            if not is_mapping(one):
                vectors.setdefault(name, []).append(one)
    return {name: np.stack(some) for name, some in vectors.items()}
