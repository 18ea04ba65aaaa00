"""`Query`: one request, its options documented once, parsed and checked once.

Nothing here touches the engine, and nothing is encoded before a request is parsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from hybridge.arguments import check_flag, shown
from hybridge.errors import InvalidInputError
from hybridge.filters import Filter, as_filter
from hybridge.protocols import RerankFunction
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion
from hybridge.retrieval.reranking import pool_size
from hybridge.store.rows import check_text
from hybridge.store.selection import FilterLike, check_expression

Mode: TypeAlias = str | Sequence[str]
"""A vector field, several, or "hybrid": "dense" and "sparse"."""

MilvusFusion = Literal["milvus-rrf", "milvus-weighted"]
FetchK: TypeAlias = int | Mapping[str, int | None] | None
"""How deep fields are read: at least k each, or exactly so for the fields named."""

HYBRID = ("dense", "sparse")
MAX_LIMIT = 16_384
_LONGEST_QUERY = 2**20


@dataclass(frozen=True)
class MMR:
    """How hits are made unlike each other (maximal marginal relevance).

    Attributes:
        pool: How many hits to choose from; `pool_size(k)` if None.
        balance: lambda in [0, 1]: 1 is relevance alone, 0 is diversity alone.
        field: The dense field that is compared; the first one if None.
    """

    pool: int | None
    balance: float
    field: str | None


@dataclass(frozen=True)
class Query:
    """One request, for any number of queries at once, checked.

    These are the options of every search, in core and in both frameworks.

    Attributes:
        texts: The queries; None where only vectors are given.
        vectors: Ready vectors of the queries, by field, one per query. A vector that is given
            without a field belongs to "dense".
        k: How many hits each query gets.
        mode: The fields to search: the name of one, several names, or "hybrid" for "dense" and
            "sparse". None means the store's `search_fields`; else "dense" and "sparse" as far as
            they are there and have an input, else every field that has one.
        filter: Which rows may be found: a tree, its dictionary spelling, or None.
        expr: A raw Milvus expression that must hold as well.
        fusion: How several rankings become one: `ConfidenceWeighted()` if None, `ReciprocalRank()`,
            `Weighted()`, or Milvus's own "milvus-rrf", "milvus-weighted".
        fetch_k: How deep each field is read where several are fused; max(4 k, 100) if None. A
            mapping such as {"sparse": 20} names fields.
        reranker: Orders the first max(20, 4 k) hits anew.
        with_vectors: Whether hits carry their vectors.
        mmr: How hits are made unlike each other, where they are.
    """

    texts: list[str] | None
    vectors: Mapping[str, Sequence[Any]]
    k: int
    mode: tuple[str, ...] | None
    filter: Filter | None
    expr: str | None
    fusion: Fusion | MilvusFusion
    fetch_k: int | Mapping[str, int | None] | None
    reranker: RerankFunction | None
    with_vectors: bool
    mmr: MMR | None = None

    @property
    def size(self) -> int:
        """How many queries there are."""
        if self.texts is not None:
            return len(self.texts)
        return len(next(iter(self.vectors.values()), ()))

    @property
    def wanted(self) -> int:
        """How many hits are made before reranking and diversity."""
        if self.mmr is not None and self.mmr.pool is not None:
            return max(self.k, self.mmr.pool)
        return self.k if self.reranker is None and self.mmr is None else pool_size(self.k)

    def depth(self, field: str, alone: bool) -> int:
        """Return how deep a field is read: deeper than k where several are fused."""
        default = self.wanted if alone else max(self.wanted, 4 * self.k, 100)
        if isinstance(self.fetch_k, Mapping):
            return self.fetch_k.get(field) or default
        return default if self.fetch_k is None else max(self.wanted, self.fetch_k)

    @classmethod
    def parse(
        cls,
        *,
        queries: Sequence[str] | None = None,
        vectors: Any = None,
        k: int = 4,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        with_vectors: bool = False,
        mmr: MMR | None = None,
    ) -> Query:
        """Return the request if it makes sense; see the class.

        Raises:
            InvalidInputError: If it does not; the message says what to change.
        """
        texts = None if queries is None else _parse_texts(queries)
        check_expression(expr)
        if reranker is not None and texts is None:
            msg = "a reranker needs the text of the query: give it beside the vector"
            raise InvalidInputError(msg)
        _check_reranker(reranker)
        return cls(
            texts=texts,
            vectors=_parse_vectors(vectors, texts),
            k=parse_limit(k, "k"),
            mode=_parse_mode(mode),
            filter=as_filter(filter),
            expr=expr,
            fusion=_parse_fusion(fusion),
            fetch_k=_parse_fetch_k(fetch_k),
            reranker=reranker,
            with_vectors=_parse_flag(with_vectors, "with_vectors"),
            mmr=None if mmr is None else _parse_mmr(mmr),
        )


def parse_limit(value: Any, name: str) -> int:
    """Return the number of hits asked for.

    Raises:
        InvalidInputError: If it is not an integer from 1 to 16,384, Milvus's limit.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        msg = f"{name}={shown(value)}: it must be an integer of at least 1"
        raise InvalidInputError(msg)
    if value > MAX_LIMIT:
        msg = f"{name}={shown(value)}: Milvus returns at most {MAX_LIMIT} hits of one search"
        raise InvalidInputError(msg)
    return int(value)


def _parse_flag(value: Any, name: str) -> bool:
    check_flag(value, name)
    return bool(value)


def _parse_texts(queries: Any) -> list[str]:
    if isinstance(queries, (str, bytes)) or not isinstance(queries, Sequence):
        msg = f"queries is {shown(queries)}: give a list of texts, or use search()"
        raise InvalidInputError(msg)
    for position, query in enumerate(queries):
        check_text(query, _LONGEST_QUERY, f"queries[{position}]", "shorten it")
    return list(queries)


def _parse_vectors(vectors: Any, texts: list[str] | None) -> dict[str, Sequence[Any]]:
    """Return the vectors by field; those of each field are checked where the field is known."""
    if texts is None and (vectors is None or vectors == {}):
        msg = "nothing to search for: give a query text, a vector, or both"
        raise InvalidInputError(msg)
    by_field = vectors if isinstance(vectors, Mapping) else {"dense": vectors}
    given = {name: some for name, some in by_field.items() if some is not None}
    count = None if texts is None else len(texts)
    for name, some in given.items():
        if not isinstance(name, str):
            msg = f"vectors: {shown(name)} is no name of a vector field"
            raise InvalidInputError(msg)
        try:
            size = len(some)
        except TypeError:
            msg = f"vectors of {name!r}: give one vector per query, not a {type(some).__name__}"
            raise InvalidInputError(msg) from None
        if count not in (None, size):
            msg = f"{count} queries and {size} vectors of {name!r}: give one vector per query"
            raise InvalidInputError(msg)
        count = size
    return given


def _parse_mode(mode: Any) -> tuple[str, ...] | None:
    if mode is None:
        return None
    if isinstance(mode, str):
        return HYBRID if mode == "hybrid" else (mode,)
    names = list(mode) if isinstance(mode, (list, tuple)) else []
    if not names or not all(isinstance(name, str) for name in names):
        msg = (
            f"mode={shown(mode)}: choose 'hybrid', the name of a vector field, a list of names, "
            "or None"
        )
        raise InvalidInputError(msg)
    return tuple(dict.fromkeys(names))


def _parse_fusion(fusion: Any) -> Fusion | MilvusFusion:
    if fusion is None:
        return ConfidenceWeighted()
    if isinstance(fusion, str) and fusion not in get_args(MilvusFusion):
        msg = (
            f"fusion={shown(fusion)}: choose one of {get_args(MilvusFusion)}, or an object such as "
            "ConfidenceWeighted(), ReciprocalRank(k=60) or Weighted(dense=0.5)"
        )
        raise InvalidInputError(msg)
    # A class has the method too, and would pass for an instance.
    if not isinstance(fusion, (str, Fusion)) or isinstance(fusion, type):
        msg = f"fusion is a {type(fusion).__name__}, which has no method fuse(rankings)"
        raise InvalidInputError(msg)
    return fusion  # type: ignore[return-value]  # the strings were compared


def _parse_fetch_k(fetch_k: Any) -> int | Mapping[str, int | None] | None:
    if isinstance(fetch_k, Mapping):
        return {
            name: None if depth is None else parse_limit(depth, f"fetch_k[{shown(name)}]")
            for name, depth in fetch_k.items()
        }
    return None if fetch_k is None else parse_limit(fetch_k, "fetch_k")


def _check_reranker(reranker: Any) -> None:
    if reranker is not None and (not callable(reranker) or isinstance(reranker, type)):
        msg = (
            f"reranker is a {type(reranker).__name__}: give a rerank function, such as "
            "hybridge.rerank_function('jina/jina-reranker-v2-base-multilingual'), made once"
        )
        raise InvalidInputError(msg)


def _parse_mmr(mmr: MMR) -> MMR:
    balance = mmr.balance
    if isinstance(balance, bool) or not isinstance(balance, (int, float)) or not 0 <= balance <= 1:
        msg = f"the MMR balance (lambda) must lie in [0, 1], not {shown(balance)}"
        raise InvalidInputError(msg)
    if mmr.field is not None and not isinstance(mmr.field, str):
        msg = f"mmr_field={shown(mmr.field)}: give the name of a dense field"
        raise InvalidInputError(msg)
    pool = None if mmr.pool is None else parse_limit(mmr.pool, "fetch_k")
    return MMR(pool, float(balance), mmr.field)
