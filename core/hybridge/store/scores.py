"""What the fields of a search make of the rows that it returns: scores, ranks and relevances.

A field that did not return a row scores it by the row's own vector, so that a relevance does not
depend on what else was found, or on how deep was read. Where the engine has searched that takes one
read by key, for all queries at once, and only where a score is not known: a sparse field that was
read to the end gives 0 to what it did not find. (Of 900 hits on Cranfield, the first four of each
query, 10 lacked a field, and .106 of their relevance without this.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybridge.records import FieldScore, Hit
from hybridge.retrieval.relevance import Scale, mean_relevance
from hybridge.store.engine.row import whole
from hybridge.store.fields import VectorField
from hybridge.store.rows import read_vectors, to_hit, vector_columns
from hybridge.store.session import Opened

Ranking = Sequence[tuple[str, float]]
"""Keys and scores, best first."""


@dataclass(frozen=True)
class Answer:
    """What a search returns for one query, before each field has scored it.

    Attributes:
        order: The keys and scores of the rows, best first.
        rows: The rows, by key; see `hybridge.store.engine.row.whole`.
        rankings: What each field found; none where the engine has fused, which does not show them.
        ended: The fields that would find no more rows, however deep they were read.
    """

    order: Ranking
    rows: Mapping[str, Mapping[str, Any]]
    rankings: Mapping[str, Ranking] = field(default_factory=dict[str, Ranking])
    ended: frozenset[str] = frozenset()

    def scores(self, one: VectorField) -> dict[str, tuple[float, int]]:
        """Return the score and the rank, as far as a field's ranking tells, of the rows in order.

        The rank is 0 where the field did not find the row.
        """
        ranking = enumerate(self.rankings.get(one.name, ()), start=1)
        found = {key: (score, rank) for rank, (key, score) in ranking}
        if one.name in self.ended and not (one.finds_all or one.optional):
            found = {key: found.get(key, (0.0, 0)) for key, _ in self.order}
        return {key: found[key] for key, _ in self.order if key in found}


def make_hits(
    opened: Opened,
    fields: Sequence[VectorField],
    vectors: Mapping[str, Sequence[Any]],
    answers: Sequence[Answer],
    shown: Sequence[str],
) -> list[list[Hit]]:
    """Return the hits of each query.

    Args:
        opened: The collection.
        fields: The fields that were searched.
        vectors: The vectors of the queries, by field.
        answers: What is returned for each query.
        shown: The fields whose vectors hits carry, which were read with the rows.
    """
    known = [{one.name: answer.scores(one) for one in fields} for answer in answers]
    _add_missing(known, opened, fields, vectors, answers)
    carried = {name: opened.fields[name] for name in shown}
    trust = opened.collection.shared.trust
    hits: list[list[Hit]] = []
    for place, (answer, some) in enumerate(zip(answers, known, strict=True)):
        scales = {one.name: one.scale(vectors[one.name][place]) for one in fields}
        hits.append(_make_hits(answer, _scaled(some, scales), trust, carried))
    return hits


def _add_missing(
    known: Sequence[dict[str, dict[str, tuple[float, int]]]],
    opened: Opened,
    fields: Sequence[VectorField],
    vectors: Mapping[str, Sequence[Any]],
    answers: Sequence[Answer],
) -> None:
    """Add the scores that only the rows' own vectors tell; a row may lack a field."""
    missing = [
        (place, one, key)
        for place, answer in enumerate(answers)
        for one in fields
        for key, _ in answer.order
        if key not in known[place][one.name] and not one.is_served
    ]
    if not missing:
        return
    names = {one.name for _, one, _ in missing}
    found = {key: answers[place].rows[key] for place, _, key in missing}
    rows = opened.collection.read_of(found, vector_columns(opened.layout, sorted(names)))
    for place, one, key in missing:
        vector = read_vectors(rows.get(key, {}), {one.name: one}).get(one.name)
        if vector is not None:
            known[place][one.name][key] = (one.score(vectors[one.name][place], vector), 0)


def _scaled(
    known: Mapping[str, Mapping[str, tuple[float, int]]], scales: Mapping[str, Scale | None]
) -> dict[str, dict[str, FieldScore]]:
    """Return what each field makes of a row, by the row's key and the field."""
    scores: dict[str, dict[str, FieldScore]] = {}
    for name, scale in scales.items():
        for key, (score, rank) in known[name].items():
            relevance = None if scale is None else scale(score)
            scores.setdefault(key, {})[name] = FieldScore(score, rank, relevance)
    return scores


def _make_hits(
    answer: Answer,
    scores: Mapping[str, Mapping[str, FieldScore]],
    trust: Mapping[str, float],
    carried: Mapping[str, VectorField],
) -> list[Hit]:
    relevances = {
        key: mean_relevance({name: one.relevance for name, one in some.items()}, trust)
        for key, some in scores.items()
    }
    # The engine's own fusion does not say which fields found a row.
    told = {
        key: {name: one for name, one in some.items() if one.rank or not answer.rankings}
        for key, some in scores.items()
    }
    rows = {key: whole(row) for key, row in answer.rows.items()}
    return [
        to_hit(rows[key], carried, score, relevances.get(key), told.get(key, {}))
        for key, score in answer.order
    ]
