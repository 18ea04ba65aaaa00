"""What a search asks for and how its answer is read. Nothing here touches the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.records import DenseVector, Hit, LegScore, Record
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion
from hybridge.retrieval.relevance import fused_relevance, reranker_relevance
from hybridge.retrieval.reranking import reranked
from hybridge.store.legs import Leg
from hybridge.store.selection import FilterLike
from hybridge.store.validation import valid_limit, valid_vectors

Mode = Literal["dense", "sparse", "hybrid"]
MilvusFusion = Literal["milvus-rrf", "milvus-weighted"]
FetchK: TypeAlias = "int | Mapping[str, int | None] | None"
"""How deep legs are read: at least k each, or exactly so for the legs named."""

FIELDS = ("text", "metadata", "document_id", "extra")


@dataclass(frozen=True)
class Search:
    """One search request, for any number of queries at once, checked.

    Attributes:
        queries: The texts; None where only vectors are given.
        vectors: The dense vectors; None where only texts are given.
        k: How many hits each query gets.
        mode: The legs; None means every leg that has an input.
        filter: Which rows may be found.
        expr: A raw Milvus expression that must hold as well.
        fusion: How legs are made one ranking.
        fetch_k: How deep each leg is read.
        reranker: What orders the first hits anew.
        with_vectors: Whether hits carry their vectors.
    """

    queries: Sequence[str] | None
    vectors: Sequence[DenseVector] | None
    k: int
    mode: Mode | None
    filter: FilterLike
    expr: str | None
    fusion: Fusion | MilvusFusion
    fetch_k: FetchK
    reranker: RerankFunction | None
    with_vectors: bool

    @property
    def size(self) -> int:
        """How many queries there are."""
        return len(self.queries if self.queries is not None else self.vectors or ())

    @property
    def wanted(self) -> int:
        """How many hits are made before reranking; a reranker sees the first max(20, 4 k)."""
        return self.k if self.reranker is None else max(20, 4 * self.k)

    def depths(self, legs: Sequence[Leg]) -> dict[str, int]:
        """How deep each leg is read: deeper than k where several are fused."""
        default = self.wanted if len(legs) == 1 else max(self.wanted, 4 * self.k, 100)
        if isinstance(self.fetch_k, Mapping):
            return {leg.name: self.fetch_k.get(leg.name) or default for leg in legs}
        depth = default if self.fetch_k is None else max(self.wanted, self.fetch_k)
        return {leg.name: depth for leg in legs}


def valid_search(
    *,
    queries: Sequence[str] | None,
    vectors: Sequence[Any] | None,
    k: int,
    mode: str | None,
    filter: FilterLike,
    expr: str | None,
    fusion: Fusion | str | None,
    fetch_k: FetchK,
    reranker: RerankFunction | None,
    with_vectors: bool,
) -> Search:
    """Return the request if it makes sense.

    Raises:
        InvalidInputError: If it does not; the message says what to change.
    """
    _check_queries(queries, vectors)
    if mode is not None and mode not in get_args(Mode):
        msg = f"mode={mode!r}: choose 'dense', 'sparse', 'hybrid', or None for every leg there is"
        raise InvalidInputError(msg)
    if isinstance(fusion, str) and fusion not in get_args(MilvusFusion):
        msg = (
            f"fusion={fusion!r}: choose one of {get_args(MilvusFusion)}, or an object such as "
            "ConfidenceWeighted(), ReciprocalRank(k=60) or Weighted(dense=0.5)"
        )
        raise InvalidInputError(msg)
    if fusion is not None and not isinstance(fusion, (str, Fusion)):
        msg = f"fusion is a {type(fusion).__name__}, which has no method fuse(rankings)"
        raise InvalidInputError(msg)
    if reranker is not None and not callable(reranker):
        msg = (
            f"reranker is a {type(reranker).__name__}: give a rerank function, such as "
            "hybridge.rerank_function('jina/jina-reranker-v2-base-multilingual'), made once"
        )
        raise InvalidInputError(msg)
    if reranker is not None and queries is None:
        msg = "a reranker needs the text of the query: give it beside the vector"
        raise InvalidInputError(msg)
    return Search(
        queries=queries,
        vectors=None if vectors is None else valid_vectors(vectors),
        k=valid_limit(k, "k"),
        mode=mode,  # type: ignore[arg-type]  # checked above
        filter=filter,
        expr=expr,
        fusion=fusion or ConfidenceWeighted(),  # type: ignore[arg-type]  # checked above
        fetch_k=_valid_fetch_k(fetch_k),
        reranker=reranker,
        with_vectors=with_vectors,
    )


def _valid_fetch_k(fetch_k: FetchK) -> FetchK:
    if isinstance(fetch_k, Mapping):
        return {
            name: None if depth is None else valid_limit(depth, f"fetch_k[{name!r}]")
            for name, depth in fetch_k.items()
        }
    return None if fetch_k is None else valid_limit(fetch_k, "fetch_k")


def _check_queries(queries: Sequence[str] | None, vectors: Sequence[Any] | None) -> None:
    if queries is None and vectors is None:
        msg = "nothing to search for: give a query text, a vector, or both"
        raise InvalidInputError(msg)
    if isinstance(queries, str):
        msg = f"queries is the string {queries!r:.80}: give a list of texts, or use search()"
        raise InvalidInputError(msg)
    for position, query in enumerate(queries or ()):
        if not isinstance(query, str):
            msg = f"queries[{position}] is a {type(query).__name__}, not a string"
            raise InvalidInputError(msg)
    if queries is not None and vectors is not None and len(queries) != len(vectors):
        msg = f"{len(queries)} queries and {len(vectors)} vectors: give one vector per query"
        raise InvalidInputError(msg)


def choose_legs(search: Search, legs: Mapping[str, Leg]) -> list[Leg]:
    """Return the legs that a search uses.

    Args:
        search: The request.
        legs: The legs that the collection has, by name.

    Raises:
        InvalidInputError: If a leg that the mode names has no vectors or no input, or if no leg
            has an input.
    """
    inputs = {
        "dense": search.vectors is not None or (search.queries is not None and _can(legs, "dense")),
        "sparse": search.queries is not None and _can(legs, "sparse"),
    }
    names = ["dense", "sparse"] if search.mode == "hybrid" else [search.mode]
    if search.mode is None:
        if search.vectors is not None and "dense" not in legs:
            msg = f"a vector was given, and the collection has only {sorted(legs)} vectors"
            raise InvalidInputError(msg)
        names = [name for name in legs if inputs[name]]
        if not names:
            msg = (
                "no leg of this store can use what was given: a text needs an embedding function "
                f"or BM25, a vector needs a dense field; the collection has {sorted(legs)}"
            )
            raise InvalidInputError(msg)
    for name in names:
        _check_leg(str(name), search, legs, inputs)
    return [legs[str(name)] for name in names]


def _can(legs: Mapping[str, Leg], name: str) -> bool:
    return name in legs and legs[name].function is not None


def _check_leg(
    name: str, search: Search, legs: Mapping[str, Leg], inputs: Mapping[str, bool]
) -> None:
    if name not in legs:
        msg = f"mode={search.mode!r}: the collection has no {name} vectors, only {sorted(legs)}"
        raise InvalidInputError(msg)
    if not inputs[name]:
        given = "a text" if search.queries is not None else "only a vector"
        cure = "pass a vector, or give the store a dense function"
        if name == "sparse":
            cure = "pass the text of the query, and give the store its sparse function"
        msg = f"mode={search.mode!r}: {given} was given, which the {name} leg cannot use: {cure}"
        raise InvalidInputError(msg)


def output_fields(legs: Mapping[str, Leg], with_vectors: bool) -> list[str]:
    """Return the fields that every search asks for; without any, Milvus sends the vectors too."""
    return [*FIELDS, *(legs if with_vectors else ())]


Found = Sequence[Mapping[str, Any]]
"""The engine's answer of one leg to one query: rows with id, distance and entity, best first."""


def make_hits(found: Mapping[str, Found], search: Search, legs: Mapping[str, Leg]) -> list[Hit]:
    """Return the hits of one query, best first, before reranking.

    Args:
        found: What each leg found, by its name.
        search: The request.
        legs: The legs of the collection, by name.
    """
    scores = _leg_scores(found)
    entities = {row["id"]: row["entity"] for rows in found.values() for row in rows}
    if len(found) == 1:
        [(name, rows)] = found.items()
        ordered = [(row["id"], float(row["distance"])) for row in rows]
        relevance = legs[name].relevance
    else:
        assert not isinstance(search.fusion, str)
        ordered = search.fusion.fuse(
            {name: [(row["id"], float(row["distance"])) for row in rows]
             for name, rows in found.items()}
        )  # fmt: skip
        relevance = fused_relevance
    return [
        _hit(row_id, entities[row_id], score, relevance(score), scores[row_id], legs)
        for row_id, score in ordered[: search.wanted]
    ]


def make_fused_hits(rows: Found, legs: Mapping[str, Leg]) -> list[Hit]:
    """Return the hits of one query that Milvus itself has fused; it does not tell the legs."""
    return [
        _hit(row["id"], row["entity"], score, fused_relevance(score), {}, legs)
        for row in rows
        for score in [float(row["distance"])]
    ]


def _leg_scores(found: Mapping[str, Found]) -> dict[str, dict[str, LegScore]]:
    scores: dict[str, dict[str, LegScore]] = {}
    for name, rows in found.items():
        for rank, row in enumerate(rows, start=1):
            scores.setdefault(row["id"], {})[name] = LegScore(float(row["distance"]), rank)
    return scores


def _hit(
    row_id: str,
    entity: Mapping[str, Any],
    score: float,
    relevance: float,
    scores: Mapping[str, LegScore],
    legs: Mapping[str, Leg],
) -> Hit:
    vectors = {name: leg.read(entity[name]) for name, leg in legs.items() if name in entity}
    return Hit(
        id=row_id,
        **{name: entity.get(name) for name in FIELDS},  # type: ignore[arg-type]
        score=score,
        relevance=relevance,
        scores=scores,
        **vectors,  # type: ignore[arg-type]
    )


def make_record(row: Mapping[str, Any], legs: Mapping[str, Leg]) -> Record:
    """Return the record that a row holds, with the vectors that were read."""
    vectors = {name: leg.read(row[name]) for name, leg in legs.items() if name in row}
    return Record(
        id=row["id"],
        **{name: row.get(name) for name in FIELDS},  # type: ignore[arg-type]
        **vectors,  # type: ignore[arg-type]
    )


def rerank(hits: list[Hit], query: str, reranker: RerankFunction, k: int) -> list[Hit]:
    """Return the k best hits in the reranker's order, its score among theirs.

    Raises:
        InvalidInputError: If the reranker names a hit that is not there, or one twice.
    """
    results = reranked(reranker, query, [hit.text for hit in hits], k)
    return [
        replace(
            hits[result.index],
            score=result.score,
            relevance=reranker_relevance(result.score),
            scores={**hits[result.index].scores, "rerank": LegScore(result.score, rank)},
        )
        for rank, result in enumerate(results, start=1)
    ]
