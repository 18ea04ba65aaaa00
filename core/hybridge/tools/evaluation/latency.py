"""How long searches take, one after the other, as an application asks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from hybridge.retrieval.health import evenly
from hybridge.store import MilvusStore
from hybridge.tools.evaluation.settings import Setting

MOST_QUESTIONS = 30
_WARM_UP = 2


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one search, the encoding of the question included.

    Attributes:
        p50: The median.
        p95: The 95th percentile.
    """

    p50: float
    p95: float


def latencies(
    store: MilvusStore, settings: Sequence[Setting], questions: Sequence[str], k: int
) -> list[Latency]:
    """Return the latency of each setting.

    Settings take turns with each question, so that what else the machine does falls on all alike.
    """
    some = evenly(questions, MOST_QUESTIONS)
    for setting in settings:
        for question in some[:_WARM_UP]:
            store.search(question, k=k, **setting.options)
    taken = [[_milliseconds(store, one, question, k) for one in settings] for question in some]
    return [
        Latency(float(np.percentile(column, 50)), float(np.percentile(column, 95)))
        for column in zip(*taken, strict=True)
    ]


def _milliseconds(store: MilvusStore, setting: Setting, question: str, k: int) -> float:
    begun = perf_counter()
    store.search(question, k=k, **setting.options)
    return 1000 * (perf_counter() - begun)
