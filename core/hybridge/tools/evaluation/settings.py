"""The ways to search a collection that are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hybridge.protocols import RerankFunction
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion, ReciprocalRank, Weighted
from hybridge.store import SearchConfig

MOST_FIELDS = 4
"""Of more fields, all sets are too many: single fields, pairs and all of them are compared."""


@dataclass(frozen=True)
class Setting:
    """One way to search.

    Attributes:
        fields: The fields that are searched.
        fusion: How their rankings become one; None where there is one.
        reranker: The name of the rerank function, or None.
        function: The rerank function itself.
    """

    fields: tuple[str, ...]
    fusion: Fusion | None = None
    reranker: str | None = None
    function: RerankFunction | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        fused = [] if self.fusion is None else [type(self.fusion).__name__]
        reranked = [] if self.reranker is None else [self.reranker]
        return ", ".join([" + ".join(self.fields), *fused, *reranked])

    @property
    def options(self) -> dict[str, Any]:
        """The options of a search."""
        return {"mode": list(self.fields), "fusion": self.fusion, "reranker": self.function}

    def config(self, min_relevance: float | None) -> SearchConfig:
        """Return it as what a store may be opened with."""
        return SearchConfig(
            self.fields, self.fusion, reranker=self.reranker, min_relevance=min_relevance
        )


def settings_of(
    fields: Sequence[str], preferred: Sequence[str], rerankers: dict[str, RerankFunction]
) -> list[Setting]:
    """Return the settings of a collection; the first is what a search does by default.

    Args:
        fields: Its vector fields.
        preferred: Those that a search uses which names none.
        rerankers: Rerank functions by name.
    """
    plain = sorted(_plain(fields), key=lambda one: set(one.fields) != set(preferred))
    return plain + [
        Setting(one.fields, one.fusion, name, function)
        for name, function in rerankers.items()
        for one in plain
        if one.fusion is None or isinstance(one.fusion, ConfidenceWeighted)
    ]


def _plain(fields: Sequence[str]) -> Iterator[Setting]:
    for some in _sets(fields):
        if len(some) == 1:
            yield Setting(some)
            continue
        equal = dict.fromkeys(some, 1.0)
        for fusion in (ConfidenceWeighted(), ReciprocalRank(), Weighted(equal)):
            yield Setting(some, fusion)


def _sets(fields: Sequence[str]) -> list[tuple[str, ...]]:
    sizes = range(1, len(fields) + 1) if len(fields) <= MOST_FIELDS else (1, 2, len(fields))
    return [some for size in sizes for some in combinations(fields, size)]
