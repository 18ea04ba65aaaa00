"""A thousand processes on one server do not come at one time: a simulation of their calls.

simpy runs the clock. What a process does, and when, is what the store does: it looks again two
seconds after its last look, sums up its counts after so many writes, and repeats a call that has
failed after the waits of `Connection`. All start at one moment, and the server is away for a while.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
from tenacity import RetryCallState

from hybridge.store.bm25.statistics_log import COMPACT_AT
from hybridge.store.engine.collection import LOOK_AGAIN
from hybridge.store.engine.connection import _UNREACHABLE_ATTEMPTS, _attempts

simpy = pytest.importorskip("simpy", reason="the simulation runs on simpy: pip install simpy")

CLIENTS, WRITERS, SECONDS = 1000, 100, 40
SEARCH_EVERY, WRITE_EVERY = 1.0, 2.0
"""Mean seconds between the searches of a client, and the writes of a writer."""

SERVED = {"search": 0.01, "look": 0.003, "write": 0.02, "sum": 0.1}
"""Seconds that the server takes for a call; 64 at a time."""

AWAY = (20.0, 26.0)
SETTLED, BIN = 8.0, 0.1

Step = Generator[Any, Any, Any]


class Simulation:
    """The processes, the server, and the calls that have reached it, by tenth of a second."""

    def __init__(self, seed: int) -> None:
        random.seed(seed)  # which tenacity draws from
        self.rng = random.Random(seed)
        self.world = simpy.Environment()
        self.server = simpy.Resource(self.world, capacity=64)
        self.arrived: Counter[int] = Counter()
        self.kinds: Counter[str] = Counter()
        for number in range(CLIENTS):
            self.world.process(self.searcher())
            if number < WRITERS:
                self.world.process(self.writer())
        self.world.run(until=SECONDS)

    def searcher(self) -> Step:
        """Search at random moments, and look again first, where that is due."""
        looked = self.world.now
        yield from self.call("look")
        while True:
            yield self.world.timeout(self.rng.expovariate(1 / SEARCH_EVERY))
            if self.world.now - looked >= LOOK_AGAIN and (yield from self.call("look")):
                looked = self.world.now
            yield from self.call("search")

    def writer(self) -> Step:
        """Write at random moments: counts, rows, counts; and sum up. All begin with as many."""
        writes = COMPACT_AT - 10
        while True:
            yield self.world.timeout(self.rng.expovariate(1 / WRITE_EVERY))
            for _ in range(3):
                yield from self.call("write")
            writes += 1
            if writes >= COMPACT_AT and (yield from self.call("sum")):
                writes = 0

    def call(self, kind: str) -> Step:
        """Call the server as `Connection.call` does; return whether it has answered."""
        attempts = _attempts(60.0)
        state = RetryCallState(attempts, None, (), {})
        for state.attempt_number in range(1, _UNREACHABLE_ATTEMPTS + 1):
            self.arrived[int(self.world.now / BIN)] += 1
            self.kinds[kind] += 1
            if not AWAY[0] <= self.world.now < AWAY[1]:
                with self.server.request() as turn:
                    yield turn
                    yield self.world.timeout(self.rng.expovariate(1 / SERVED[kind]))
                return True
            yield self.world.timeout(attempts.wait(state))
        return False

    def peak(self, start: float, end: float) -> float:
        """The most calls of a tenth of a second, of the mean of quiet times."""
        quiet = self._calls(SETTLED, AWAY[0])
        return max(self._calls(start, end)) / (sum(quiet) / len(quiet))

    def _calls(self, start: float, end: float) -> list[int]:
        return [self.arrived[one] for one in range(int(start / BIN), int(end / BIN))]


def test_a_thousand_processes_are_no_herd() -> None:
    """Neither when they have begun at one moment, nor while the server is away, nor after it."""
    seen = Simulation(seed=7)
    assert seen.peak(*SPANS["settled"]) < 2
    assert seen.peak(*SPANS["away"]) < 2
    assert seen.peak(*SPANS["back"]) < 2
    assert seen.kinds["sum"] >= WRITERS
    assert seen.kinds["look"] < CLIENTS * SECONDS / LOOK_AGAIN


SPANS = {"settled": (SETTLED, AWAY[0]), "away": AWAY, "back": (AWAY[1], SECONDS)}
