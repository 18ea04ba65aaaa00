"""Comparing all ways to search a collection on one's own questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from hybridge.arguments import check_flag, shown
from hybridge.errors import InvalidInputError
from hybridge.store import MilvusStore, SearchConfig, batched, parse_limit
from hybridge.tools.evaluation.encoded import encoded
from hybridge.tools.evaluation.evaluation import Evaluation, Row
from hybridge.tools.evaluation.latency import latencies
from hybridge.tools.evaluation.measures import (
    Rankings,
    Values,
    interval,
    measure,
    names_of,
    p_values,
)
from hybridge.tools.evaluation.questions import Questions
from hybridge.tools.evaluation.settings import Setting, settings_of
from hybridge.tools.evaluation.threshold import learn_threshold
from hybridge.tools.searchable import searchable_fields

_LEVEL = 0.05
_PAGE = 1000
_SAMPLE_WORDS = 8
_SAMPLES = 30


def evaluate(
    store: MilvusStore,
    questions: Questions | None = None,
    *,
    k: int = 10,
    rerankers: Sequence[str] = (),
    progress: bool = True,
) -> Evaluation:
    """Compare the ways to search a collection: each field, each set of fields, each fusion.

    The default is what a search of the store does that says nothing, by its `config` and
    `search_fields` where it has some, without a least relevance. It is proposed, unless another way
    is better and that is hardly chance (p < .05, corrected for their number): then the best.

    Args:
        store: The collection, with the functions that encode its questions.
        questions: Questions and what answers them. None measures latency and health alone:
            questions drawn from documents would flatter BM25.
        k: How many hits of each question count.
        rerankers: Names of rerank functions to compare as well; see `hybridge.registry`.
        progress: Whether to show a progress bar.

    Raises:
        InvalidInputError: If an argument makes no sense, the collection is empty, or none of the
            documents that answer questions is in it.
        MissingExtraError: If `ir-measures` is not installed.
    """
    k = parse_limit(k, "k")
    check_flag(progress, "progress")
    described = _described(store, questions)
    settings = settings_of(store, rerankers)
    _check_answers(store, questions)
    store = store.configured(SearchConfig())  # searches do what their setting says, and no more
    proposed = threshold = None
    with tqdm(total=len(settings) + 1, disable=not progress, desc="evaluate") as bar:
        rows = _rows(store, settings, questions, k, bar.update)
        if questions is not None:
            proposed = proposed_of(rows, names_of(k)[0])
            threshold = learn_threshold(store, rows[proposed].setting, questions)
        bar.update()
    return Evaluation(
        collection=store.collection_name,
        documents=described["rows"],
        questions=len(questions or ()),
        k=k,
        rows=rows,
        health=_health(store, described["fields"]),
        proposed=proposed,
        threshold=threshold,
    )


def _described(store: MilvusStore, questions: Any) -> dict[str, Any]:
    """Return what a collection says of itself, if there is something to ask it.

    Raises:
        InvalidInputError: If there is not.
    """
    if questions is not None and not isinstance(questions, Questions):
        msg = f"questions is {shown(questions)}: read_beir and read_questions make them of files"
        raise InvalidInputError(msg)
    described = store.describe()
    if not described.get("rows"):
        msg = f"the collection {store.collection_name!r} has no rows: add documents first"
        raise InvalidInputError(msg)
    return described


def _check_answers(store: MilvusStore, questions: Questions | None) -> None:
    """Refuse questions about another collection: all their measures would be 0.

    Raises:
        InvalidInputError: If none of the documents that answer them is there.
    """
    if questions is None:
        return
    ids = list(dict.fromkeys(id for some in questions.qrels.values() for id in some))
    if not any(store.get(some) for some in batched(ids, _PAGE)):
        msg = (
            f"none of the {len(ids):,} documents that answer the questions, such as {ids[0]!r}, "
            f"is in {store.collection_name!r}: give ids of its rows"
        )
        raise InvalidInputError(msg)


def proposed_of(rows: Sequence[Row], measure_name: str) -> int:
    """Return the place of the best setting that is surely better than the first, or the first."""
    first = rows[0].measures[measure_name].mean
    better = [
        place
        for place, row in enumerate(rows)
        if row.p is not None and row.p < _LEVEL and row.measures[measure_name].mean > first
    ]
    return max(better, key=lambda place: rows[place].measures[measure_name].mean, default=0)


def _health(store: MilvusStore, described: Mapping[str, Any]) -> dict[str, float]:
    """Return how well each model finds the documents by their own words, where it was measured."""
    fields = store.vector_fields()
    return {
        name: float(one["health"])
        for name, one in described.items()
        if one.get("health") is not None and not fields[name].is_made_here
    }


def _rows(
    store: MilvusStore,
    settings: Sequence[Setting],
    questions: Questions | None,
    k: int,
    done: Callable[[], Any],
) -> list[Row]:
    asked = list(_sample(store)) if questions is None else list(questions.texts.values())
    values: list[dict[str, Values]] = []
    vectors = {} if questions is None else encoded(store, asked, list(searchable_fields(store)))
    for setting in settings:
        values.append({} if questions is None else _values(store, setting, questions, vectors, k))
        done()
    first = names_of(k)[0]
    chances: list[float | None] = [None] * len(settings)
    if questions is not None:
        chances[1:] = p_values([one[first] for one in values[1:]], values[0][first])
    taken = latencies(store, settings, asked, k)
    return [
        Row(setting, {name: interval(one) for name, one in some.items()}, chance, latency)
        for setting, some, chance, latency in zip(settings, values, chances, taken, strict=True)
    ]


def _values(
    store: MilvusStore,
    setting: Setting,
    questions: Questions,
    vectors: Mapping[str, Any],
    k: int,
) -> dict[str, Values]:
    texts = list(questions.texts.values())
    given = {name: some for name, some in vectors.items() if name in setting.fields}
    answers = store.search_many(texts, vectors=given or None, k=k, **setting.options)
    rankings: Rankings = {
        key: [hit.id for hit in hits] for key, hits in zip(questions.texts, answers, strict=True)
    }
    if not any(rankings.values()):
        return {name: np.zeros(len(rankings)) for name in names_of(k)}
    return measure(rankings, questions.qrels, k)


def _sample(store: MilvusStore) -> Iterator[str]:
    """Yield the first words of some documents: something to search for, no measure of quality."""
    for number, record in enumerate(store.scroll()):
        if number == _SAMPLES:
            return
        yield " ".join(record.text.split()[:_SAMPLE_WORDS]) or "something"
