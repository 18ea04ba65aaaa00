"""Running a query, in phases: prepared (checked), encoded, and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from hybridge.errors import InvalidInputError
from hybridge.filters import Filter, conjunction
from hybridge.narrowing import is_mapping
from hybridge.records import FieldScore, Hit, no_relevance
from hybridge.retrieval.fusion import ConfidenceWeighted, Fusion, Weighted
from hybridge.retrieval.mmr import maximal_marginal_relevance
from hybridge.retrieval.reranking import rerank_scale, reranked
from hybridge.store.bm25.reindexing import current_fields
from hybridge.store.candidates import Candidates, Rows
from hybridge.store.encoding import Encoding, ModelCheck
from hybridge.store.engine.collection import FieldSearch
from hybridge.store.engine.row import Row
from hybridge.store.engine.transfer import message_bytes
from hybridge.store.fields import DenseField, VectorField
from hybridge.store.hints import hint_at_paths
from hybridge.store.query import HYBRID, Query, preferred_fields
from hybridge.store.rows import has_column, vector_columns
from hybridge.store.scores import Answer, make_hits
from hybridge.store.selection import Selection
from hybridge.store.session import Opened

SURPLUS_BYTES = 2**18
"""Bytes of rows that are not returned, from which on their cells are left out.

On Milvus 2.3.5 beside the client, two fields of 100 rows each take 1.03 times as long without them
at 300 bytes a row, 1.0 at 2 kB and .55 at 20 kB, and on `milvus-lite server` 1.01, .85 and .7; a
search of the store there .9, .87 and .78, since it reads the vectors of missing scores anyway.
"""


@dataclass(frozen=True)
class Search:
    """A query that was checked against the collection; nothing is encoded yet.

    Attributes:
        query: The query.
        opened: The collection.
        fields: The fields to search.
        filter: Which rows may be found, the tenant's scope included.
        read: The fields whose vectors hits carry.
        given: The vectors that the query brought, by field.
        models: Whose functions are compared with the collection's models.
        params: What the indexes are searched with, by field.
        encoding: What must be encoded before it is run.
    """

    query: Query
    opened: Opened
    fields: Sequence[VectorField]
    filter: Filter | None
    read: Sequence[str]
    given: Mapping[str, list[Any]]
    models: ModelCheck
    params: Mapping[str, Mapping[str, Any]]
    encoding: Encoding = field(default_factory=Encoding)
    unknown: Sequence[VectorField] = ()

    def run(self) -> list[list[Hit]]:
        """Return the hits of each query."""
        if self.unknown:
            self.models.check(self.unknown, self.encoding, self.opened.collection.name)
        encoded = [one for one in self.fields if one.name not in self.given]
        # A sparse vector may be empty, and then finds nothing.
        made = self.encoding.of_fields(encoded, self.query.texts or (), "queries")
        vectors = {**self.given, **made}
        self.opened.collection.flush_waiting()
        layout = self.opened.layout
        selection = Selection(self.opened.collection, layout, self.filter, self.query.expr)
        columns = list(layout.data_columns)
        if self.read:
            columns += vector_columns(layout, self.read)
        fuses = isinstance(self.query.fusion, str) and len(self.fields) > 1
        answer = _fused_by_milvus if fuses else _fused_here
        answers = answer(self, vectors, selection, columns)
        hits = make_hits(self.opened, self.fields, vectors, answers, self.read)
        if not any(hits):
            hint_at_paths(self.filter, self.opened)
        query = self.query
        if query.mmr is None and query.reranker is None and query.min_relevance is None:
            return hits
        return [_finished(self, some, place) for place, some in enumerate(hits)]


def prepare(
    query: Query,
    opened: Opened,
    scope: Filter | None,
    search_fields: Sequence[str] | None,
    models: ModelCheck,
) -> Search:
    """Check a query against the collection and say what must be encoded.

    Raises:
        InvalidInputError: If a field that the mode names is not there or has no input.
    """
    chosen = current_fields(_choose(query, opened.fields, search_fields), opened)
    if isinstance(query.fusion, Weighted) and len(chosen) > 1:
        query.fusion.fuse({one.name: () for one in chosen})  # a field without a weight is refused
    if query.min_relevance is not None and all(one.is_served for one in chosen):
        raise no_relevance()
    given = {
        one.name: [
            one.parse_vector(vector, f"the query's {one.name} vector")
            for vector in query.vectors[one.name]
        ]
        for one in chosen
        if one.name in query.vectors
    }
    read = list(opened.fields) if query.with_vectors else []
    if query.mmr is not None:
        read = list(dict.fromkeys([*read, _mmr_field(query, opened.fields)]))
    params = _search_params(query.search_params, chosen)
    search = Search(query, opened, chosen, scope, read, given, models, params)
    encoded = [one for one in chosen if one.name not in given]
    for one in encoded:
        search.encoding.ask(one, query.texts or (), "queries")
    return replace(search, unknown=models.ask(encoded, search.encoding))


# --- which fields --------------------------------------------------------------------------------


def _choose(
    query: Query, fields: Mapping[str, VectorField], search_fields: Sequence[str] | None
) -> list[VectorField]:
    for name in query.vectors:
        if name not in fields:
            msg = f"a vector was given for {name!r}, and the collection has only {_only(fields)}"
            raise InvalidInputError(msg)
    for name in search_fields or ():
        if name not in fields:
            msg = f"search_fields names {name!r:.80}, and the collection has only {sorted(fields)}"
            raise InvalidInputError(msg)
    for name in query.depths:
        if name not in fields:
            msg = f"fetch_k names {name!r:.80}, and the collection has only {sorted(fields)}"
            raise InvalidInputError(msg)
    names = query.mode
    if names is None:
        usable = [name for name in fields if _has_input(query, fields[name])]
        names = preferred_fields(usable, search_fields)
        names += tuple(name for name in query.vectors if name not in names)
    for name in names:
        _check_field(name, query, fields)
    if not names:
        msg = (
            "no field of this store can use what was given: a text needs an embedding function or "
            f"BM25, a vector needs its field; the collection has {sorted(fields)}"
        )
        raise InvalidInputError(msg)
    return [fields[name] for name in names]


def _search_params(
    given: Mapping[str, Any], fields: Sequence[VectorField]
) -> Mapping[str, Mapping[str, Any]]:
    """Return what the index of each field is searched with.

    Raises:
        InvalidInputError: If no index of the fields that are searched knows a parameter.
    """
    if not given:
        return {}
    by_field = any(map(is_mapping, given.values()))
    if by_field:
        params = {one.name: one.known_search_params(given.get(one.name, {})) for one in fields}
        unknown = [
            f"{key!r} of {name!r}"
            for name, some in given.items()
            for key in some
            if key not in params.get(name, {})
        ]
    else:
        params = {one.name: one.known_search_params(given) for one in fields}
        unknown = [repr(key) for key in given if not any(key in some for some in params.values())]
    if unknown:
        indexes = {one.name: one.index_type for one in fields}
        msg = (
            f"search_params: {unknown[0]} belongs to no index that is searched, which are {indexes}"
        )
        raise InvalidInputError(msg)
    return params


def _has_input(query: Query, one: VectorField) -> bool:
    return one.name in query.vectors or (query.texts is not None and one.function is not None)


def _check_field(name: str, query: Query, fields: Mapping[str, VectorField]) -> None:
    if name not in fields:
        msg = f"mode={_mode(query)}: the collection has no {name} vectors, only {_only(fields)}"
        raise InvalidInputError(msg)
    if not _has_input(query, fields[name]):
        given = "only a vector" if query.texts is None else "a text"
        cure = "pass the text of the query"
        if query.texts is not None:
            cure = fields[name].function_cure()
        msg = f"mode={_mode(query)}: {given} was given, which the {name} field cannot use: {cure}"
        raise InvalidInputError(msg)


def _only(fields: Mapping[str, VectorField]) -> str:
    """Return the names of the fields, and how to search where BM25 is all that there is."""
    if list(fields) != ["sparse"]:
        return str(sorted(fields))
    return "'sparse': search by a text and mode='sparse' (in LlamaIndex vector_store_query_mode=)"


def _mode(query: Query) -> Any:
    names = query.mode or ()
    return repr(names[0]) if len(names) == 1 else "'hybrid'" if names == HYBRID else list(names)


def check_mode(query: Query, expected: Sequence[str]) -> None:
    """Check the fields that a query names where there is no collection yet.

    Raises:
        InvalidInputError: If a new collection would not have them.
    """
    known = {*expected, *HYBRID}
    for name in (*(query.mode or ()), *query.vectors, *query.depths):
        if name not in known:
            msg = f"there is no field {name!r}: a new collection would have {sorted(expected)}"
            raise InvalidInputError(msg)


def _mmr_field(query: Query, fields: Mapping[str, VectorField]) -> str:
    dense = [name for name, one in fields.items() if isinstance(one, DenseField)]
    name = query.mmr.field if query.mmr is not None else None
    if name is None and dense:
        return dense[0]
    if name not in dense:
        asked = "" if name is None else f"mmr_field={name!r}: "
        msg = f"{asked}MMR compares dense vectors, and the collection has {dense or 'none'}"
        raise InvalidInputError(msg)
    return str(name)


# --- asking the engine ---------------------------------------------------------------------------


def _fused_here(
    search: Search,
    vectors: Mapping[str, Sequence[Any]],
    selection: Selection,
    columns: Sequence[str],
) -> list[Answer]:
    """Return the rows of each query, the rankings of several fields made one."""
    depths = _depths(search.query, [one.name for one in search.fields])
    asked = {
        one.name: _asked(search, one, vectors[one.name], depths[one.name]) for one in search.fields
    }

    def answers(names: Sequence[str]) -> list[Answer]:
        found = Candidates(search.opened.collection, selection, names).best(asked)
        return [
            _fused(search, {name: rows[place] for name, rows in found.items()}, depths)
            for place in range(search.query.size)
        ]

    late = _reads_late(search, depths)
    whole = _with_cells(search, answers(selection.columns), selection, columns) if late else None
    if whole is None:
        whole = answers(columns)
    sent = [row for row in whole[0].rows.values() if not isinstance(row, Row)]
    if sent:
        _note_row_bytes(search, sent, columns)
    return whole


def _reads_late(search: Search, depths: Mapping[str, int]) -> bool:
    """Whether cells are read of the rows that are returned alone, once it is known which they are.

    That takes a call more where every field has found them, and sends fewer cells.
    """
    row_bytes = search.opened.collection.shared.row_bytes
    surplus = row_bytes * (sum(depths.values()) - search.query.wanted)
    return surplus > 0 and surplus * search.query.size > SURPLUS_BYTES


def _with_cells(
    search: Search, answers: list[Answer], selection: Selection, columns: Sequence[str]
) -> list[Answer] | None:
    """Return answers with the cells of their rows, read by key in one call.

    The vectors that tell the scores of fields which have not found a row are read with them.

    Returns:
        None if a row is gone by then, or does not match any more.
    """
    opened = search.opened
    lacking = [
        one.name
        for one in search.fields
        if any(len(answer.scores(one)) < len(answer.order) for answer in answers)
    ]
    keys = sorted({key for answer in answers for key in answer.rows})
    names = [*columns, *vector_columns(opened.layout, lacking)]
    rows = opened.collection.read(keys, list(dict.fromkeys(names)))
    if len(selection.matching(list(rows.values()))) < len(keys):
        return None
    return [
        replace(answer, rows={key: {**row, **rows[key]} for key, row in answer.rows.items()})
        for answer in answers
    ]


def _note_row_bytes(search: Search, rows: Rows, columns: Sequence[str]) -> None:
    """Note about how many bytes a row has that the engine sends."""
    cells = [row[name] for row in rows for name in columns if name in row]
    search.opened.collection.shared.row_bytes = sum(map(message_bytes, cells)) // len(rows)


def _fused(search: Search, found: Mapping[str, Rows], depths: Mapping[str, int]) -> Answer:
    key, fields = search.opened.layout.key, search.opened.fields
    rankings: dict[str, list[tuple[str, float]]] = {}
    for name, rows in found.items():
        sign = fields[name].sign
        rankings[name] = [(row[key], sign * row["distance"]) for row in rows]
    if len(rankings) == 1:
        [ordered] = rankings.values()
    else:
        ordered = _fusion(search).fuse(rankings)
    rows_by_key = {row[key]: row for rows in found.values() for row in rows}
    ended = frozenset(name for name, rows in found.items() if len(rows) < depths[name])
    kept = ordered[search.query.offset : search.query.wanted]
    return Answer(kept, {key: rows_by_key[key] for key, _ in kept}, rankings, ended)


def _fusion(search: Search) -> Fusion:
    """Return the fusion; one by confidence trusts fields as far as they know the documents."""
    fusion = cast("Fusion", search.query.fusion)  # Milvus's own are not asked for this
    trust = search.opened.collection.shared.trust
    if trust and isinstance(fusion, ConfidenceWeighted):
        return replace(fusion, trust={**trust, **fusion.trust})
    return fusion


def _asked(
    search: Search, one: VectorField, vectors: Sequence[Any], depth: int, expression: str = ""
) -> FieldSearch:
    """Return what a field is asked: for rows that have it, where some may lack it."""
    if one.optional and one.empty_is_found and search.opened.collection.lacks(one):
        expression = conjunction(f"{has_column(one)} == true", expression)
    return FieldSearch(one, vectors, depth, expression, search.params.get(one.name, {}))


def _depths(query: Query, names: Sequence[str]) -> dict[str, int]:
    """Return how deep each field is read: deeper than k where several are fused."""
    default = query.wanted if len(names) == 1 else max(query.wanted, 4 * query.k, 100)
    if isinstance(query.fetch_k, int):
        default = max(query.wanted, query.fetch_k)
    return {name: query.depths.get(name) or default for name in names}


def _fused_by_milvus(
    search: Search,
    vectors: Mapping[str, Sequence[Any]],
    selection: Selection,
    columns: Sequence[str],
) -> list[Answer]:
    """Return the rows of each query in the order of Milvus's own ranker, which tells no scores."""
    size, expressions = search.query.size, list(selection.expressions())
    if not expressions:
        return [Answer((), {})] * size
    # A query without a known word has an empty vector, which a server refuses: its other fields
    # are asked alone.
    complete = all(len(vector) for some in vectors.values() for vector in some)
    groups = [range(size)] if complete else [range(i, i + 1) for i in range(size)]
    answers = [
        selection.matching(rows)
        for group in groups
        for rows in _ask_milvus(search, group, vectors, " or ".join(expressions), columns)
    ]
    key, first = search.opened.layout.key, search.query.offset
    return [
        Answer(
            [(row[key], row["distance"]) for row in rows[first:]], {row[key]: row for row in rows}
        )
        for rows in answers
    ]


def _ask_milvus(
    search: Search,
    group: range,
    vectors: Mapping[str, Sequence[Any]],
    expression: str,
    columns: Sequence[str],
) -> list[list[dict[str, Any]]]:
    query = search.query
    depths = _depths(query, [one.name for one in search.fields])
    asked = [
        _asked(search, one, some, depths[one.name], expression)
        for one in search.fields
        for some in [[vectors[one.name][place] for place in group]]
        if all(len(vector) for vector in some)
    ]
    if not asked:
        return [[] for _ in group]
    collection, fusion = search.opened.collection, str(query.fusion)
    return collection.search_fused(asked, fusion, query.wanted, columns)


# --- hits ----------------------------------------------------------------------------------------


def _finished(search: Search, hits: list[Hit], place: int) -> list[Hit]:
    """Return the hits that are relevant enough, reranked or made unlike each other if asked for."""
    query = search.query
    if query.min_relevance is not None:
        hits = [hit for hit in hits if hit.reaches(query.min_relevance)]
    if query.mmr is not None:
        return _unlike(search, hits)
    if query.reranker is None or query.texts is None:
        return hits
    results = reranked(query.reranker, query.texts[place], [hit.text for hit in hits], query.k)
    scale = rerank_scale(query.reranker)
    return [
        _reranked(hits[result.index], FieldScore(result.score, rank, scale(result.score)))
        for rank, result in enumerate(results, start=1)
    ]


def _reranked(hit: Hit, one: FieldScore) -> Hit:
    scores = {**hit.scores, "rerank": one}
    return replace(hit, score=one.score, relevance=one.relevance, scores=scores)


def _unlike(search: Search, hits: list[Hit]) -> list[Hit]:
    query, name = search.query, _mmr_field(search.query, search.opened.fields)
    comparable = [hit for hit in hits if name in hit.vectors]
    if not comparable or query.mmr is None:
        return []
    scores = np.array([hit.score for hit in comparable], dtype=np.float32)
    vectors = np.stack([hit.vectors[name] for hit in comparable])
    chosen = maximal_marginal_relevance(scores, vectors, query.k, query.mmr.balance)
    return [comparable[place] for place in chosen]
