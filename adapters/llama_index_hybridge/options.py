"""LlamaIndex's `VectorStoreQuery` and arguments as those of the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from hybridge import AUTO, SparseField, Weighted
from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.protocols import RerankFunction
from hybridge.store import Fusion, Mode, SearchParams, StoreArguments, VectorField
from llama_index_hybridge.embeddings import as_dense_function, as_sparse_function
from llama_index_hybridge.filters import make_filter

T = TypeVar("T")

_MODES: dict[VectorStoreQueryMode, str] = {
    VectorStoreQueryMode.DEFAULT: "dense",
    VectorStoreQueryMode.SPARSE: "sparse",
    VectorStoreQueryMode.TEXT_SEARCH: "sparse",
    VectorStoreQueryMode.HYBRID: "hybrid",
    VectorStoreQueryMode.SEMANTIC_HYBRID: "hybrid",
    VectorStoreQueryMode.MMR: "dense",
}


@dataclass(frozen=True)
class Plan:
    """A search of the store.

    Attributes:
        arguments: The keyword arguments of `search`, or of `search_mmr`.
        mmr: Whether it is `search_mmr`.
    """

    arguments: dict[str, Any]
    mmr: bool = False


def plan_query(
    query: VectorStoreQuery,
    *,
    mode: Mode | None = None,
    fusion: Fusion | str | None = None,
    reranker: RerankFunction | None = None,
    expr: str | None = None,
    fetch_k: int | None = None,
    mmr_threshold: float | None = None,
    mmr_prefetch_k: int | None = None,
    search_params: SearchParams = None,
) -> Plan:
    """Return the search that a query asks for.

    Args:
        query: The query. `alpha` stands for `Weighted(alpha)`; `sparse_top_k` is how deep the
            sparse field is read, `hybrid_top_k` how many nodes a hybrid query returns;
            `embedding_field` is the vector field that its embedding belongs to.
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

    Raises:
        InvalidInputError: If the mode is not supported, or lacks what it needs.
    """
    asked = _parse_mode(query, reranker)
    fields = _fields(query, asked) if mode is None else mode
    arguments: dict[str, Any] = {
        "query": query.query_str,
        "vector": _vector(query, fields),
        "k": query.similarity_top_k,
        "mode": fields,
        "filter": make_filter(query.filters, _listed(query.node_ids), _listed(query.doc_ids)),
        "expr": expr,
        "search_params": search_params,
    }
    if asked is VectorStoreQueryMode.MMR:
        return Plan(arguments | _unlike(query, mmr_threshold, mmr_prefetch_k), mmr=True)
    if len(_names(fields)) > 1:
        arguments |= _fused(query, fusion, fetch_k)
    if asked is VectorStoreQueryMode.SEMANTIC_HYBRID:
        arguments["reranker"] = reranker
    return Plan(arguments)


def _fields(query: VectorStoreQuery, asked: VectorStoreQueryMode) -> Mode:
    fields = _MODES[asked]
    if query.embedding_field is None or fields == "sparse":
        return fields
    return query.embedding_field if fields == "dense" else [query.embedding_field, "sparse"]


def _listed(given: T) -> T | None:
    """Return a list, or None for an empty one: LlamaIndex's retrievers pass it for none."""
    return None if isinstance(given, (list, tuple)) and not given else given


def _vector(query: VectorStoreQuery, fields: Mode) -> Any:
    """Return the query's embedding under its field, where that field is searched."""
    field = query.embedding_field or "dense"
    return {field: query.query_embedding} if field in _names(fields) else None


def _names(fields: Mode) -> list[str]:
    """Return the names of the fields, as far as they are some; the store refuses others."""
    if isinstance(fields, str):
        return ["dense", "sparse"] if fields == "hybrid" else [fields]
    names: Any = fields if isinstance(fields, (list, tuple)) else []
    return [name for name in names if isinstance(name, str)]


def _unlike(
    query: VectorStoreQuery, threshold: float | None, prefetch_k: int | None
) -> dict[str, Any]:
    balance = next((x for x in (threshold, query.mmr_threshold) if x is not None), 0.5)
    return {"balance": balance, "fetch_k": prefetch_k, "mmr_field": query.embedding_field}


def _fused(
    query: VectorStoreQuery, fusion: Fusion | str | None, fetch_k: int | None
) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "fusion": fusion if query.alpha is None else Weighted(query.alpha),
        "fetch_k": fetch_k,
    }
    if query.hybrid_top_k is not None:
        arguments["k"] = query.hybrid_top_k
    if query.sparse_top_k is not None:
        arguments["fetch_k"] = {"dense": fetch_k, "sparse": query.sparse_top_k}
    return arguments


def _parse_mode(query: VectorStoreQuery, reranker: RerankFunction | None) -> VectorStoreQueryMode:
    """Return the query's mode if it is one of ours and the query has what it needs.

    Raises:
        InvalidInputError: If not.
    """
    if not isinstance(query, VectorStoreQuery):
        msg = f"query is a {type(query).__name__}: give a VectorStoreQuery"
        raise InvalidInputError(msg)
    mode = next((one for one in _MODES if query.mode == one), None)
    if mode is None:
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
    if _listed(query.output_fields) is not None:
        msg = "output_fields is not supported: nodes always come back whole"
        raise InvalidInputError(msg)
    return mode


def store_arguments(arguments: StoreArguments) -> StoreArguments:
    """Return the arguments of a store, with LlamaIndex's embeddings as functions of Hybridge."""
    adapted: dict[str, Any] = {**arguments}
    sparse = adapted.get("sparse")
    if sparse is not None and sparse is not AUTO:
        adapted["sparse"] = as_sparse_function(sparse)
    if is_mapping(fields := adapted.get("fields")):
        adapted["fields"] = {name: _adapted(field) for name, field in fields.items()}
    return cast("StoreArguments", adapted)


def _adapted(field: Any) -> Any:
    if not isinstance(field, VectorField) or field.function is None:
        return field
    convert: Any = as_sparse_function if isinstance(field, SparseField) else as_dense_function
    return replace(field, function=convert(field.function))
