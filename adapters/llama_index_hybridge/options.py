"""LlamaIndex's `VectorStoreQuery` and arguments as those of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from typing_extensions import TypedDict

from hybridge import Weighted
from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.store import (
    FetchK,
    Fusion,
    Mode,
    SearchParams,
    parse_limit,
    parse_mode,
)
from llama_index_hybridge.arguments import parse_settings
from llama_index_hybridge.filters import make_filter
from llama_index_hybridge.spellings import QUERY

_MODES: dict[VectorStoreQueryMode, str] = {
    VectorStoreQueryMode.DEFAULT: "dense",
    VectorStoreQueryMode.SPARSE: "sparse",
    VectorStoreQueryMode.TEXT_SEARCH: "sparse",
    VectorStoreQueryMode.HYBRID: "hybrid",
    VectorStoreQueryMode.SEMANTIC_HYBRID: "hybrid",
    VectorStoreQueryMode.MMR: "dense",
}


class QueryOptions(TypedDict, total=False):
    """What a query of the vector store takes beside a `VectorStoreQuery`.

    Attributes:
        mode: The vector fields to search, in place of those that the query's mode means; see
            `hybridge.store.Query`.
        fusion: How several rankings become one, where the query has no alpha.
        reranker: Orders the nodes of a SEMANTIC_HYBRID query anew.
        expr: A raw Milvus expression that must hold as well.
        fetch_k: How deep each field is read where several are fused.
        mmr_threshold: MMR's balance in [0, 1]: 1 is relevance alone, 0 is diversity alone; the
            query's own if None, else 0.5.
        mmr_prefetch_k: How many nodes MMR chooses from.
        search_params: What the indexes of a server are searched with, such as `{"ef": 128}`.
        with_scores: Whether nodes say how each field scored them, as "scores" in their metadata.
    """

    mode: Mode | None
    fusion: Fusion | str | None
    reranker: RerankFunction | None
    expr: str | None
    fetch_k: int | None
    mmr_threshold: float | None
    mmr_prefetch_k: int | None
    search_params: SearchParams
    with_scores: bool


@dataclass(frozen=True)
class Plan:
    """What a query asks of the store.

    Attributes:
        arguments: The keyword arguments of `search`, or of the method that the others name.
        mmr: Whether it is `search_mmr`.
        limit: Where there is nothing to search for, but a filter: how many rows of `scroll` are
            taken.
    """

    arguments: dict[str, Any]
    mmr: bool = False
    limit: int | None = None


def plan_query(
    query: VectorStoreQuery,
    node_ids: Sequence[str] | None,
    fields: Sequence[str],
    columns: Mapping[str, type],
    options: Mapping[str, Any],
) -> Plan:
    """Return what a query asks for.

    A query without text and embedding that has a filter is answered by the first rows that match.

    Args:
        query: The query. `alpha` stands for `Weighted(alpha)`; `sparse_top_k` is how many nodes a
            sparse query returns, and how deep that field is read in a hybrid one; `hybrid_top_k`
            how many nodes a hybrid query returns; `embedding_field` is the vector field that its
            embedding belongs to. A mode of None searches what the collection has. Empty `doc_ids`
            find nothing.
        node_ids: The nodes that may be found; None for all.
        fields: The vector fields of the collection, for a mode of None: the query's embedding is
            left out where it finds no field for it.
        columns: The metadata keys that are typed columns, where there are filters.
        options: See `QueryOptions`.

    Raises:
        InvalidInputError: If the mode is not supported or lacks something, or an option is none.
    """
    parse_settings(options, QueryOptions.__annotations__, "a query of the vector store", QUERY)
    asked = _parse_mode(query, options.get("reranker"))
    searched = _searched(query, asked) if options.get("mode") is None else options["mode"]
    names = parse_mode(searched) or list(fields)
    k, expr = _size(query, names), options.get("expr")
    tree = make_filter(query.filters, node_ids, query.doc_ids, columns)
    if is_blank(query.query_str, query.query_embedding) and (tree is not None or is_given(expr)):
        return Plan({"filter": tree, "expr": expr}, limit=parse_limit(k, "similarity_top_k"))
    arguments: dict[str, Any] = {
        "query": query.query_str,
        "vector": _vector(query, names),
        "k": k,
        "mode": searched,
        "filter": tree,
        "expr": expr,
        "search_params": options.get("search_params"),
    }
    if asked is VectorStoreQueryMode.MMR:
        return Plan(arguments | _unlike(query, options), mmr=True)
    if len(names) > 1:
        arguments |= _fused(query, names, options)
    if asked is VectorStoreQueryMode.SEMANTIC_HYBRID:
        arguments["reranker"] = options["reranker"]
    return Plan(arguments)


def is_blank(text: object, vector: object) -> bool:
    """Whether there is nothing to search for; the store refuses what is no text."""
    return vector is None and (text is None or (isinstance(text, str) and not text.strip()))


def is_given(expr: object) -> bool:
    """Whether there is an expression; the store refuses what is none."""
    return isinstance(expr, str) and bool(expr)


def _searched(query: VectorStoreQuery, asked: VectorStoreQueryMode | None) -> Mode | None:
    """Return the fields that the query's mode means; None for what the collection has."""
    fields = None if asked is None else _MODES[asked]
    if query.embedding_field is None or fields in (None, "sparse"):
        return fields
    return query.embedding_field if fields == "dense" else [query.embedding_field, "sparse"]


def _size(query: VectorStoreQuery, names: Sequence[str]) -> int:
    """Return how many nodes are wanted."""
    top_k = query.hybrid_top_k if len(names) > 1 else None
    if list(names) == ["sparse"]:
        top_k = query.sparse_top_k
    return query.similarity_top_k if top_k is None else top_k


def _vector(query: VectorStoreQuery, names: Sequence[str]) -> Any:
    """Return the query's embedding under its field, where that field is searched."""
    field = query.embedding_field or "dense"
    return {field: query.query_embedding} if field in names else None


def _unlike(query: VectorStoreQuery, options: Mapping[str, Any]) -> dict[str, Any]:
    thresholds = (options.get("mmr_threshold"), query.mmr_threshold)
    balance = next((one for one in thresholds if one is not None), 0.5)
    pool = options.get("mmr_prefetch_k")
    return {"balance": balance, "fetch_k": pool, "mmr_field": query.embedding_field}


def _fused(
    query: VectorStoreQuery, names: Sequence[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    fusion = options.get("fusion") if query.alpha is None else Weighted(query.alpha)
    depth: int | None = options.get("fetch_k")
    depths: FetchK = depth
    if query.sparse_top_k is not None and "sparse" in names:
        depths = {**dict.fromkeys(names, depth), "sparse": query.sparse_top_k}
    return {"fusion": fusion, "fetch_k": depths}


def _parse_mode(
    query: VectorStoreQuery, reranker: RerankFunction | None
) -> VectorStoreQueryMode | None:
    """Return the query's mode if it is one of ours and the query has what it needs.

    Raises:
        InvalidInputError: If not.
    """
    if not isinstance(query, VectorStoreQuery):
        msg = f"query is a {type(query).__name__}: give a VectorStoreQuery"
        raise InvalidInputError(msg)
    asked_for = query.mode if isinstance(query.mode, str) else None
    mode = next((one for one in _MODES if one == asked_for), None)
    if mode is None and query.mode is not None:
        supported = ", ".join(one.value for one in _MODES)
        asked = shown(getattr(query.mode, "value", query.mode))
        msg = f"query mode {asked} is not supported; the supported ones are {supported}"
        raise InvalidInputError(msg)
    if mode is VectorStoreQueryMode.SEMANTIC_HYBRID and reranker is None:
        msg = (
            "query mode 'semantic_hybrid' is hybrid search, then a reranker: give the vector "
            "store one, such as reranker=JinaRerankFunction(), or use mode 'hybrid'"
        )
        raise InvalidInputError(msg)
    if not isinstance(query.embedding_field, (str, type(None))):
        msg = f"embedding_field={shown(query.embedding_field)}: give the name of a vector field"
        raise InvalidInputError(msg)
    columns: Any = query.output_fields
    if columns is not None and not (isinstance(columns, (list, tuple)) and not columns):
        msg = "output_fields is not supported: nodes always come back whole"
        raise InvalidInputError(msg)
    return mode
