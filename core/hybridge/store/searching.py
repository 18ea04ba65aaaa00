"""Running a search: legs, the rows they may find, fusion, reranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import merge
from itertools import islice
from typing import Any

from hybridge.records import Hit
from hybridge.store.collection import Collection
from hybridge.store.layouts import Layout
from hybridge.store.legs import Leg
from hybridge.store.plan import (
    Found,
    Search,
    choose_legs,
    make_fused_hits,
    make_hits,
    output_fields,
    rerank,
)
from hybridge.store.reencoding import settle_before_search
from hybridge.store.selection import select
from hybridge.store.validation import valid_dense, valid_dimension
from hybridge.store.writing import live_bm25


def search(
    request: Search, collection: Collection, layout: Layout, legs: Mapping[str, Leg]
) -> list[list[Hit]]:
    """Return the hits of each query."""
    chosen = choose_legs(request, legs)
    vectors = {leg.name: _query_vectors(leg, request, layout) for leg in chosen}
    bm25 = live_bm25(legs)
    if bm25 is not None and "sparse" in vectors:
        settle_before_search(collection, bm25)
    collection.flush_waiting()
    expressions = select(collection, layout, request.filter, request.expr)
    fields = output_fields(legs, request.with_vectors)
    if len(chosen) > 1 and isinstance(request.fusion, str):
        found_by_milvus = collection.search_fused(
            chosen, vectors, request.fusion, request.depths(chosen), request.wanted,
            " or ".join(expressions), fields,
        ) if expressions else [[] for _ in range(request.size)]  # fmt: skip
        hits = [make_fused_hits(rows, legs) for rows in found_by_milvus]
    else:
        found = _search_legs(request, collection, chosen, vectors, expressions, fields)
        hits = [
            make_hits({name: rows[i] for name, rows in found.items()}, request, legs)
            for i in range(request.size)
        ]
    if request.reranker is None or request.queries is None:
        return hits
    return [
        rerank(some, query, request.reranker, request.k)
        for some, query in zip(hits, request.queries, strict=True)
    ]


def _query_vectors(leg: Leg, request: Search, layout: Layout) -> Sequence[Any]:
    """Return one vector per query; a sparse one may be empty and then finds nothing."""
    if leg.name == "dense" and layout.dim is not None:
        given = request.vectors
        if given is None:
            made: Sequence[Any] = leg.encode_queries(request.queries or ())
            given = [valid_dense(vector, "the query's dense vector") for vector in made]
        for vector in given:
            valid_dimension(vector, layout.dim, "the query's dense vector")
        return given
    return leg.encode_queries(request.queries or ())


def _search_legs(
    request: Search,
    collection: Collection,
    legs: Sequence[Leg],
    vectors: Mapping[str, Sequence[Any]],
    expressions: Sequence[str],
    fields: Sequence[str],
) -> dict[str, list[Found]]:
    """Return what each leg found for each query.

    Side by side on a server; one after the other on a path, where that gains nothing.
    """
    depths = request.depths(legs)

    def found(leg: Leg) -> list[Found]:
        depth = depths[leg.name]
        return _search_leg(leg, vectors[leg.name], depth, collection, expressions, fields)

    if len(legs) == 1 or collection.connection.is_lite:
        return {leg.name: found(leg) for leg in legs}
    with ThreadPoolExecutor(len(legs)) as pool:
        return dict(zip([leg.name for leg in legs], pool.map(found, legs), strict=True))


def _search_leg(
    leg: Leg,
    vectors: Sequence[Any],
    depth: int,
    collection: Collection,
    expressions: Sequence[str],
    fields: Sequence[str],
) -> list[Found]:
    found: list[Found] = [[] for _ in vectors]
    # An empty sparse vector finds nothing, and Milvus servers refuse it.
    asked = [place for place, vector in enumerate(vectors) if len(vector)]
    if not asked:
        return found
    for expression in expressions:
        answers = collection.search(leg, [vectors[i] for i in asked], depth, expression, fields)
        for place, rows in zip(asked, answers, strict=True):
            found[place] = _best(found[place], rows, depth)
    return found


def _best(first: Found, second: Found, depth: int) -> Found:
    """Return the best rows of two disjoint answers; all metrics used are higher for better."""
    if not first:
        return second
    ordered = merge(first, second, key=lambda row: -float(row["distance"]))
    return list(islice(ordered, depth))
