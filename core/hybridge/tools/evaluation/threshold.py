"""The least relevance of an answer, learned from a collection's own questions.

Questions that the documents answer are told from two kinds that they do not: the same questions
where what answers them may not be found, and everyday questions about something else. Both kinds
count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from hybridge.filters import ROW_ID
from hybridge.records import Hit
from hybridge.retrieval.health import evenly
from hybridge.retrieval.relevance import propose_threshold
from hybridge.store import MilvusStore
from hybridge.tools.evaluation.encoded import encoded
from hybridge.tools.evaluation.off_topic import OFF_TOPIC
from hybridge.tools.evaluation.questions import Questions
from hybridge.tools.evaluation.settings import Setting

MOST_QUESTIONS = 300
"""So many questions are asked again without what answers them."""

FEWEST_QUESTIONS = 20
"""Of fewer questions nothing is learned."""

RELIABLE = 0.8
"""The least balanced accuracy, on questions that it was not learned from, of a good threshold."""

Answers = Sequence[Sequence[Hit]]


@dataclass(frozen=True)
class Threshold:
    """A threshold of relevance, and what it is worth.

    Attributes:
        value: The least relevance of an answer.
        accuracy: On the questions that it was learned from: the mean of the share of answered
            questions that reach it and that of unanswered ones that do not.
        held_out: The same on questions that it was not learned from: each half's threshold on the
            other half.
        auc_removed: How often an answered question has a higher relevance than one whose answer was
            taken away; .5 is chance.
        auc_off_topic: The same against questions about something else.
        questions: How many questions it was learned from.
    """

    value: float
    accuracy: float
    held_out: float
    auc_removed: float
    auc_off_topic: float
    questions: int

    @property
    def is_reliable(self) -> bool:
        """Whether it tells most questions right that it was not learned from."""
        return self.held_out >= RELIABLE


def learn_threshold(store: MilvusStore, setting: Setting, questions: Questions) -> Threshold | None:
    """Return the threshold of a setting; None where hits have no relevance, or of few questions."""
    keys = list(questions.texts)
    some = evenly(keys, MOST_QUESTIONS)
    if len(some) < FEWEST_QUESTIONS:
        return None
    options: dict[str, Any] = {"k": 1, **setting.options}
    texts = [questions.texts[key] for key in some]
    vectors = encoded(store, texts, setting.fields)
    answered = store.search_many(texts, vectors=vectors or None, **options)
    if any(hits and hits[0].relevance is None for hits in answered):
        return None
    removed = [
        store.search(
            questions.texts[key],
            vector={name: found[place] for name, found in vectors.items()} or None,
            filter=~ROW_ID.isin(list(questions.qrels[key])),
            **options,
        )
        for place, key in enumerate(some)
    ]
    off_topic = store.search_many(list(OFF_TOPIC), **options)
    best = _proposed(answered, removed, off_topic)
    halves = [slice(0, None, 2), slice(1, None, 2)]
    return Threshold(
        value=round(best, 4),
        accuracy=balanced_accuracy(best, answered, removed, off_topic),
        held_out=mean(
            balanced_accuracy(
                _proposed(answered[learned], removed[learned], off_topic[learned]),
                answered[other],
                removed[other],
                off_topic[other],
            )
            for learned, other in (halves, halves[::-1])
        ),
        auc_removed=propose_threshold(answered, removed).auc,
        auc_off_topic=propose_threshold(answered, off_topic).auc,
        questions=len(some),
    )


def balanced_accuracy(
    threshold: float, answered: Answers, removed: Answers, off_topic: Answers
) -> float:
    """Return the mean of the shares of answered and of unanswered questions that are told right."""
    unanswered = 1 - (_reach(threshold, removed) + _reach(threshold, off_topic)) / 2
    return (_reach(threshold, answered) + unanswered) / 2


def _reach(threshold: float, answers: Answers) -> float:
    return mean(bool(hits) and hits[0].reaches(threshold) for hits in answers)


def _proposed(answered: Answers, removed: Answers, off_topic: Answers) -> float:
    """Return the best threshold where both kinds of unanswered questions count alike."""
    often = max(1, round(len(removed) / len(off_topic)))
    return propose_threshold(answered, [*removed, *(list(off_topic) * often)]).threshold
