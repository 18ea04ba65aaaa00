"""LlamaIndex's `VectorStoreQuery` as a search of the store, and hits as its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llama_index.core.vector_stores.types import (
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)

from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.records import Hit
from hybridge.retrieval.fusion import Fusion, Weighted
from hybridge.store.plan import Mode
from llama_index_hybridge.convert import record_to_node
from llama_index_hybridge.filters import make_filter

_MODES: dict[VectorStoreQueryMode, Mode] = {
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
    fusion: Fusion | str | None = None,
    reranker: RerankFunction | None = None,
    expr: str | None = None,
    fetch_k: int | None = None,
    mmr_threshold: float | None = None,
    mmr_prefetch_k: int | None = None,
) -> Plan:
    """Return the search that a query asks for.

    Args:
        query: The query. `alpha` stands for `Weighted(alpha)`; `sparse_top_k` is how deep the
            sparse leg is read, `hybrid_top_k` how many nodes a hybrid query returns.
        fusion: How two legs become one ranking, where the query has no alpha.
        reranker: Orders the nodes of a SEMANTIC_HYBRID query anew.
        expr: A raw Milvus expression that must hold as well.
        fetch_k: How deep each leg of a hybrid query is read.
        mmr_threshold: MMR's balance in [0, 1]: 1 is relevance alone, 0 is diversity alone; the
            query's own if None, else 0.5.
        mmr_prefetch_k: How many nodes MMR chooses from.

    Raises:
        InvalidInputError: If the mode is not supported, or lacks what it needs.
    """
    mode = VectorStoreQueryMode(query.mode)
    _check(query, mode, reranker)
    arguments: dict[str, Any] = {
        "query": query.query_str,
        "vector": None if _MODES[mode] == "sparse" else query.query_embedding,
        "k": query.similarity_top_k,
        "mode": _MODES[mode],
        # LlamaIndex's retrievers pass an empty list where they mean every node.
        "filter": make_filter(query.filters, query.node_ids or None, query.doc_ids or None),
        "expr": expr,
    }
    if mode is VectorStoreQueryMode.MMR:
        balance = query.mmr_threshold if mmr_threshold is None else mmr_threshold
        arguments["balance"] = 0.5 if balance is None else balance
        return Plan(arguments | {"fetch_k": mmr_prefetch_k}, mmr=True)
    if _MODES[mode] == "hybrid":
        arguments["fusion"] = fusion if query.alpha is None else Weighted(query.alpha)
        arguments["fetch_k"] = fetch_k
        if query.hybrid_top_k is not None:
            arguments["k"] = query.hybrid_top_k
        if query.sparse_top_k is not None:
            arguments["fetch_k"] = {"dense": fetch_k, "sparse": query.sparse_top_k}
    if mode is VectorStoreQueryMode.SEMANTIC_HYBRID:
        arguments["reranker"] = reranker
    return Plan(arguments)


def _check(
    query: VectorStoreQuery, mode: VectorStoreQueryMode, reranker: RerankFunction | None
) -> None:
    if mode not in _MODES:
        supported = ", ".join(mode.value for mode in _MODES)
        msg = f"query mode {mode.value!r} is not supported; the supported ones are {supported}"
        raise InvalidInputError(msg)
    if mode is VectorStoreQueryMode.SEMANTIC_HYBRID and reranker is None:
        msg = (
            "query mode 'semantic_hybrid' is hybrid search, then a reranker: give the vector "
            "store one, such as reranker=JinaRerankFunction(), or use mode 'hybrid'"
        )
        raise InvalidInputError(msg)
    if query.output_fields or query.embedding_field:
        msg = "output_fields and embedding_field are not supported: nodes always come back whole"
        raise InvalidInputError(msg)


def make_result(hits: Sequence[Hit]) -> VectorStoreQueryResult:
    """Return hits as LlamaIndex takes them, with relevance in [0, 1] as similarity."""
    return VectorStoreQueryResult(
        nodes=[record_to_node(hit) for hit in hits],
        similarities=[hit.relevance for hit in hits],
        ids=[hit.id for hit in hits],
    )
