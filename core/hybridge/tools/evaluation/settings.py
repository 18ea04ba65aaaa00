"""The ways to search a collection that are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from hybridge.protocols import RerankFunction
from hybridge.registry import rerank_function
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion, ReciprocalRank, Weighted
from hybridge.store import MilvusStore, SearchConfig
from hybridge.store.query import MilvusFusion, preferred_fields
from hybridge.tools.searchable import searchable_fields

MOST_FIELDS = 4
"""Of more fields, all sets are too many: single fields, pairs and all of them are compared."""


@dataclass(frozen=True)
class Setting:
    """One way to search.

    Attributes:
        fields: The fields that are searched.
        fusion: How their rankings become one; None where there is one.
        fetch_k: How deep each field is read, where somebody has said that.
        reranker: The name of the rerank function, or None.
        function: The rerank function itself.
    """

    fields: tuple[str, ...]
    fusion: Fusion | MilvusFusion | None = None
    fetch_k: int | None = None
    reranker: str | None = None
    function: RerankFunction | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        said = [
            *([] if self.fusion is None else [_fusion_name(self.fusion)]),
            *([] if self.fetch_k is None else [f"fetch_k {self.fetch_k}"]),
            *([] if self.reranker is None else [self.reranker]),
        ]
        return ", ".join([" + ".join(self.fields), *said])

    @property
    def options(self) -> dict[str, Any]:
        """The options of a search."""
        return {
            "mode": list(self.fields),
            "fusion": self.fusion,
            "fetch_k": self.fetch_k,
            "reranker": self.function,
        }

    def config(self, min_relevance: float | None) -> SearchConfig:
        """Return it as what a store may be opened with."""
        return SearchConfig(self.fields, self.fusion, self.fetch_k, self.reranker, min_relevance)


def settings_of(store: MilvusStore, rerankers: Iterable[str]) -> list[Setting]:
    """Return the settings of a collection that are compared, the default one first.

    Args:
        store: The collection, with the functions that encode questions.
        rerankers: The names of rerank functions.

    Raises:
        InvalidInputError: If no field can be searched by a text, or a reranker cannot be made.
    """
    fields = list(searchable_fields(store))
    made = {name: rerank_function(name) for name in rerankers}
    default, plain = _default(store, fields), list(_plain(fields))
    reranked = [
        replace(one, reranker=name, function=function)
        for name, function in made.items()
        for one in plain
        if one.fusion is None or isinstance(one.fusion, ConfidenceWeighted)
    ]
    return [default, *(one for one in plain + reranked if one.name != default.name)]


def _default(store: MilvusStore, fields: Sequence[str]) -> Setting:
    """Return what a search of a store does that says nothing, without a least relevance."""
    config, searched = store.config, preferred_fields(fields, store.search_fields)
    fusion = (config.fusion or ConfidenceWeighted()) if len(searched) > 1 else None
    fetch_k = config.fetch_k if len(searched) > 1 else None
    function = None if config.reranker is None else rerank_function(config.reranker)
    return Setting(searched, fusion, fetch_k, config.reranker, function)


def _plain(fields: Sequence[str]) -> Iterator[Setting]:
    for some in _sets(fields):
        if len(some) == 1:
            yield Setting(some)
            continue
        for fusion in (ConfidenceWeighted(), ReciprocalRank(), _equally(some)):
            yield Setting(some, fusion)


def _equally(fields: Iterable[str]) -> Weighted:
    return Weighted(dict.fromkeys(fields, 1.0))


def _fusion_name(fusion: Fusion | MilvusFusion) -> str:
    """Return what tables call a fusion: its kind, and its settings where they are its own."""
    if isinstance(fusion, str):
        return fusion
    if isinstance(fusion, Weighted) and isinstance(fusion.weights, tuple):
        usual = fusion == _equally(dict(fusion.weights))
    else:
        usual = fusion in (ConfidenceWeighted(), ReciprocalRank())
    return type(fusion).__name__ if usual else repr(fusion)


def _sets(fields: Sequence[str]) -> list[tuple[str, ...]]:
    sizes = range(1, len(fields) + 1) if len(fields) <= MOST_FIELDS else (1, 2, len(fields))
    return [some for size in sizes for some in combinations(fields, size)]
