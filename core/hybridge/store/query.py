"""`Query`: one request, its options documented once, parsed and checked once.

Nothing here touches the engine, and nothing is encoded before a request is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from numbers import Integral
from typing import Any, Literal, TypeAlias, get_args

from hybridge.arguments import check_fraction, shown
from hybridge.errors import FilterError, InvalidInputError
from hybridge.filters import Filter, as_filter
from hybridge.narrowing import LIST, is_list, is_mapping, is_number, is_sequence, is_tuple
from hybridge.protocols import RerankFunction
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion
from hybridge.retrieval.reranking import pool_size, rerank_scale
from hybridge.store.indexes import SEARCH_PARAMS
from hybridge.store.settings import check_settings

FilterLike: TypeAlias = Filter | Mapping[str, Any] | None
Mode: TypeAlias = str | Sequence[str]
"""A vector field, several, or "hybrid": "dense" and "sparse"."""

MilvusFusion = Literal["milvus-rrf", "milvus-weighted"]
FetchK: TypeAlias = int | Mapping[str, int | None] | None
"""How deep fields are read: at least k each, or exactly so for the fields named."""

SearchParams: TypeAlias = Mapping[str, Any] | None
"""What indexes are searched with, by parameter, or by field and parameter."""

HYBRID = ("dense", "sparse")
_FUSION = ConfidenceWeighted()
MAX_LIMIT = 16_384


def preferred_fields(usable: Sequence[str], wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the fields that a search uses which names none.

    Args:
        usable: The fields that have an input.
        wanted: The store's `search_fields`; None means "dense" and "sparse".
    """
    return tuple(name for name in wanted or HYBRID if name in usable) or tuple(usable)


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
class Defaults:
    """What a query takes where the call says nothing; see `Query`.

    The reranker is for queries with a text that are neither paged nor diversified.
    """

    fusion: Any = None
    fetch_k: Any = None
    reranker: Any = None
    min_relevance: Any = None

    def under(
        self, fusion: Any, fetch_k: Any, reranker: Any, min_relevance: Any, plain: bool
    ) -> Defaults:
        """Return what a call says, and these where it is None; the reranker if it is plain."""
        return Defaults(
            self.fusion if fusion is None else fusion,
            self.fetch_k if fetch_k is None else fetch_k,
            self.reranker if reranker is None and plain else reranker,
            self.min_relevance if min_relevance is None else min_relevance,
        )


_NOTHING = Defaults()


@dataclass(frozen=True)
class Query:
    """One request, for any number of queries at once, checked.

    These are the options of every search, in core and in both frameworks.

    Attributes:
        texts: The queries; None where only vectors are given.
        vectors: Ready vectors of the queries, by field, one per query. A vector that is given
            without a field belongs to "dense".
        k: How many hits each query gets.
        offset: How many of the best hits are left out: with k it is a page of the ranking. Where
            several fields are fused, the ranking is made of what was read of each, and deeper for
            later pages: give all pages one `fetch_k`, at least the k + offset of the last, or some
            hits may be on two of them, and others on none. A reranker and MMR have no pages.
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
        min_relevance: The least relevance, in [0, 1], of a hit: what has less is left out of the
            k hits, or of those that a reranker or MMR chooses from.
        with_vectors: Whether hits carry their vectors.
        search_params: What the indexes of a server are searched with, such as `{"ef": 128}` for
            every field whose index knows it, or `{"dense": {"ef": 128}}` for some; a number below
            the depth of a search is raised to it where Milvus demands that. On Milvus Lite, whose
            indexes are exact, they have no effect.
        mmr: How hits are made unlike each other, where they are.
        size: How many queries there are.
        wanted: How many of the best rows are found, those left out among them, before reranking and
            diversity.
    """

    texts: list[str] | None
    vectors: Mapping[str, Sequence[Any]]
    k: int
    offset: int
    mode: tuple[str, ...] | None
    filter: Filter | None
    expr: str | None
    fusion: Fusion | MilvusFusion
    fetch_k: int | Mapping[str, int | None] | None
    reranker: RerankFunction | None
    min_relevance: float | None
    with_vectors: bool
    search_params: Mapping[str, Any]
    mmr: MMR | None
    size: int
    wanted: int

    @property
    def depths(self) -> Mapping[str, int | None]:
        """How deep the fields are read that `fetch_k` names."""
        return self.fetch_k if isinstance(self.fetch_k, Mapping) else {}

    @classmethod
    def parse(
        cls,
        *,
        queries: Sequence[str] | None = None,
        vectors: Any = None,
        k: int = 4,
        offset: int = 0,
        mode: Mode | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
        fusion: Fusion | str | None = None,
        fetch_k: FetchK = None,
        reranker: RerankFunction | None = None,
        min_relevance: float | None = None,
        with_vectors: bool = False,
        search_params: SearchParams = None,
        mmr: MMR | None = None,
        defaults: Defaults = _NOTHING,
    ) -> Query:
        """Return the request if it makes sense; see the class.

        Raises:
            InvalidInputError: If it does not; the message says what to change.
        """
        texts = None if queries is None else _parse_texts(queries)
        plain = texts is not None and not offset and mmr is None
        options = defaults.under(fusion, fetch_k, reranker, min_relevance, plain)
        given = _parse_vectors(vectors, texts)
        check_expression(expr)
        _check_reranker(options.reranker, texts)
        k = parse_limit(k, "k")
        offset = _parse_offset(offset, k, options.reranker)
        return cls(
            texts=texts,
            vectors=given,
            k=k,
            offset=offset,
            mode=parse_mode(mode),
            expr=expr,
            fusion=parse_fusion(options.fusion),
            fetch_k=_parse_fetch_k(options.fetch_k),
            reranker=options.reranker,
            min_relevance=_parse_min_relevance(options.min_relevance),
            with_vectors=_parse_flag(with_vectors, "with_vectors"),
            search_params=_parse_search_params(search_params),
            mmr=None if mmr is None else _parse_mmr(mmr),
            size=len(next(iter(given.values()), ()) if texts is None else texts),
            wanted=offset + _wanted(k, options.reranker, mmr),
            filter=as_filter(filter),
        )


def _wanted(k: int, reranker: object, mmr: MMR | None) -> int:
    """Return how many hits are made before reranking and diversity."""
    if mmr is not None and mmr.pool is not None:
        return max(k, mmr.pool)
    return k if reranker is None and mmr is None else pool_size(k)


def check_expression(expr: object) -> None:
    """Refuse what cannot be a raw Milvus expression, before anything is sent.

    Raises:
        InvalidInputError: If it is none.
    """
    if expr is not None and not isinstance(expr, str):
        msg = f"expr is a {type(expr).__name__}: give a Milvus expression as a string"
        raise InvalidInputError(msg)
    if not _is_closed(expr or ""):
        msg = f"expr={shown(expr)}: its quotes or parentheses do not match"
        raise FilterError(msg)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)


def _is_closed(expression: str) -> bool:
    """Whether an expression stays inside the parentheses that it is put in, beside a filter."""
    depth = 0
    for character in _STRING.sub("", expression):
        if character in "\"'":
            return False
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def parse_limit(value: Any, name: str) -> int:
    """Return the number of hits asked for.

    Raises:
        InvalidInputError: If it is not an integer from 1 to 16,384, Milvus's limit.
    """
    whole = not isinstance(value, bool) and isinstance(value, Integral)
    number = int(value) if whole else 0
    if number < 1:
        msg = f"{name}={shown(value)}: it must be an integer of at least 1"
        raise InvalidInputError(msg)
    if number > MAX_LIMIT:
        msg = f"{name}={shown(value)}: Milvus returns at most {MAX_LIMIT} hits of one search"
        raise InvalidInputError(msg)
    return number


def _parse_offset(offset: Any, k: int, reranker: object) -> int:
    whole = not isinstance(offset, bool) and isinstance(offset, Integral)
    number = int(offset) if whole else -1
    if number < 0:
        msg = f"offset={shown(offset)}: it must be an integer of at least 0"
        raise InvalidInputError(msg)
    if number and reranker is not None:
        msg = f"offset={number} and a reranker: it orders the first hits alone, so ask for more k"
        raise InvalidInputError(msg)
    if number + k > MAX_LIMIT:
        msg = f"offset={number}: Milvus ranks at most {MAX_LIMIT} rows, offset and k among them"
        raise InvalidInputError(msg)
    return number


def _parse_flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        msg = f"{name}={shown(value)}: give True or False"
        raise InvalidInputError(msg)
    return value


def _parse_min_relevance(value: float | None) -> float | None:
    if value is not None:
        check_fraction(value, "min_relevance")
    return value


def _parse_texts(queries: Any) -> list[str]:
    if not isinstance(queries, LIST) and not is_sequence(queries):
        msg = f"queries is {shown(queries)}: give a list of texts, or use search()"
        raise InvalidInputError(msg)
    for position, query in enumerate(queries):
        if not isinstance(query, str):
            msg = f"queries[{position}] is a {type(query).__name__}, not a string"
            raise InvalidInputError(msg)
        try:
            query.encode()
        except UnicodeEncodeError as error:
            msg = f"queries[{position}] holds a lone surrogate (character {error.start})"
            raise InvalidInputError(msg) from error
    return list(queries)


def _parse_vectors(vectors: Any, texts: list[str] | None) -> dict[str, Sequence[Any]]:
    """Return the vectors by field; those of each field are checked where the field is known."""
    if texts is None and (vectors is None or (is_mapping(vectors) and not vectors)):
        msg = "nothing to search for: give a query text, a vector, or both"
        raise InvalidInputError(msg)
    if vectors is None:
        return {}
    by_field: Mapping[str, Any] = vectors if is_mapping(vectors) else {"dense": vectors}
    given = {name: some for name, some in by_field.items() if some is not None}
    count = None if texts is None else len(texts)
    for name, some in given.items():
        if not isinstance(name, str):
            msg = f"vectors: {shown(name)} is no name of a vector field"
            raise InvalidInputError(msg)
        try:
            size = len(some)
        except (TypeError, ValueError):  # a negative length is a ValueError
            msg = f"vectors of {name!r}: give one vector per query, not a {type(some).__name__}"
            raise InvalidInputError(msg) from None
        if count not in (None, size):
            msg = f"{count} queries and {size} vectors of {name!r}: give one vector per query"
            raise InvalidInputError(msg)
        count = size
    return given


def parse_mode(mode: Any) -> tuple[str, ...] | None:
    """Return the names of the fields to search, each once; None leaves them open.

    Raises:
        InvalidInputError: If it is no mode.
    """
    if mode is None:
        return None
    if isinstance(mode, str):
        return HYBRID if mode == "hybrid" else (mode,)
    names = list(mode) if is_list(mode) or is_tuple(mode) else []
    if not names or not all(isinstance(name, str) for name in names):
        msg = (
            f"mode={shown(mode)}: choose 'hybrid', the name of a vector field, a list of names, "
            "or None"
        )
        raise InvalidInputError(msg)
    return tuple(dict.fromkeys(names))


def parse_fusion(fusion: Any) -> Fusion | MilvusFusion:
    """Return the fusion, the default one for None.

    Raises:
        InvalidInputError: If it is none.
    """
    if fusion is None:
        return _FUSION
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
    if fetch_k is None:
        return None
    if is_mapping(fetch_k):
        if unnamed := [name for name in fetch_k if not isinstance(name, str)]:
            msg = f"fetch_k: {shown(unnamed[0])} is no name of a vector field"
            raise InvalidInputError(msg)
        return {
            name: None if depth is None else parse_limit(depth, f"fetch_k[{shown(name)}]")
            for name, depth in fetch_k.items()
        }
    return parse_limit(fetch_k, "fetch_k")


def _parse_search_params(params: Any) -> Mapping[str, Any]:
    """Return the parameters; whether a field's index knows them is checked where it is known."""
    if params is None:
        return {}
    by_field = is_mapping(params) and any(map(is_mapping, params.values()))
    for name, some in params.items() if by_field else [("", params)]:
        of_field = f"search_params[{shown(name)}]" if by_field else "search_params"
        check_settings(some, SEARCH_PARAMS, of_field)
    return dict(params)


def _check_reranker(reranker: Any, texts: list[str] | None) -> None:
    if reranker is not None and texts is None:
        msg = "a reranker needs the text of the query: give it beside the vector"
        raise InvalidInputError(msg)
    if reranker is not None and not _is_reranker(reranker):
        msg = (
            f"reranker is a {type(reranker).__name__}: give a function of (query, documents, "
            "top_k=), such as "
            "hybridge.rerank_function('jina/jina-reranker-v2-base-multilingual'), made once"
        )
        raise InvalidInputError(msg)
    if reranker is not None:
        rerank_scale(reranker)  # one that there is not is refused


def _is_reranker(given: Any) -> bool:
    """Whether an object can be called as a rerank function is; a class cannot."""
    if not callable(given) or isinstance(given, type):
        return False
    try:
        signature(given).bind("", [], top_k=1)
    except TypeError:
        return False
    except ValueError:  # one in C may not say what it takes
        return True
    return True


def _parse_mmr(mmr: MMR) -> MMR:
    balance = mmr.balance
    if not is_number(balance) or not 0 <= balance <= 1:
        msg = f"the MMR balance (lambda) must lie in [0, 1], not {shown(balance)}"
        raise InvalidInputError(msg)
    if mmr.field is not None and not isinstance(mmr.field, str):
        msg = f"mmr_field={shown(mmr.field)}: give the name of a dense field"
        raise InvalidInputError(msg)
    pool = None if mmr.pool is None else parse_limit(mmr.pool, "fetch_k")
    return MMR(pool, float(balance), mmr.field)
