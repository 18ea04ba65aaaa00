"""A walk through a store at random, on rows that it alone writes, beside other walks."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hybridge import MilvusStore, Record
from support.modelled import (
    CHOICES,
    COLUMNS,
    DOCUMENTS,
    EVERY,
    FILTERS,
    IDS,
    MODES,
    THROUGH,
    WORDS,
    Modelled,
)
from support.word_function import WordFunction

ARGUMENTS: dict[str, Any] = {"metadata_schema": COLUMNS, "partition_key": "tenant"}
"""What a store is made with that is walked through."""


class Walk:
    """One owner's calls, at random.

    Args:
        modelled: The owner's rows.
        ids: The ids that it writes.
        seed: What is chosen follows from it.

    Attributes:
        calls: How many calls were made.
        difference: The traceback of the call in which store and model differed: the walk ends
            there.
    """

    def __init__(self, modelled: Modelled, ids: Sequence[str], seed: str) -> None:
        self.modelled = modelled
        self.calls = 0
        self.difference: str | None = None
        self._ids = ids
        self._random = random.Random(seed)

    def go(self, until: float, calls: int) -> None:
        """Walk on, and look at everything first and last.

        Args:
            until: A moment of the monotonic clock.
            calls: How many calls there are at least by then, earlier ones included.
        """
        if self.difference is not None:
            return
        try:
            self._step("scroll", EVERY)
            while time.monotonic() < until or self.calls < calls:
                [name] = self._random.choices(list(STEPS), [often for often, _ in STEPS.values()])
                self._step(name, *STEPS[name][1](self))
            self._step("scroll", EVERY)
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            self.difference = traceback.format_exc()

    def _step(self, name: str, *args: Any) -> None:
        self.calls += 1
        getattr(self.modelled, name)(*args)

    # --- what is chosen ------------------------------------------------------------------------

    def one(self, choices: Sequence[Any]) -> Any:
        """Return one of some."""
        return self._random.choice(choices)

    def id(self) -> str:
        """Return one of the owner's ids."""
        return str(self.one(self._ids))

    def ids(self) -> list[str]:
        """Return some, each once."""
        return self._random.sample(self._ids, self._random.randrange(7))

    def word(self) -> str:
        """Return a word that a row has, as a rule."""
        rows = self.modelled.rows
        if not rows:
            return self._new_word()
        return str(self.one(self.one(list(rows.values())).text.split()))

    def metadata(self) -> dict[str, Any]:
        """Return metadata."""
        tag = self.one([{}, {"tag": "x"}, {"tag": "y"}, {"tag": None}])
        return {"year": self._random.randrange(2020, 2024), **tag}

    def records(self) -> list[Record]:
        """Return some records, some of them of one id."""
        return [self._record(self.id()) for _ in range(self._random.randrange(9))]

    def distinct_records(self) -> list[Record]:
        """Return some records, each of its own id."""
        return list(map(self._record, self.ids() or self._ids[:1]))

    def _new_word(self) -> str:
        """Return one of the usual words, or one of so many that most are new."""
        if self._random.random() < 0.8:
            return str(self.one(WORDS))
        return f"word{self._random.randrange(10_000)}"

    def _record(self, row_id: str) -> Record:
        return Record(
            id=row_id,
            text=" ".join(self._new_word() for _ in range(self._random.randrange(1, 7))),
            metadata=self.metadata(),
            document_id=self.one(DOCUMENTS),
        )


STEPS: Mapping[str, tuple[int, Callable[[Walk], tuple[Any, ...]]]] = {
    "add": (20, lambda walk: (walk.records(),)),
    "add_through_langchain": (5, lambda walk: (walk.distinct_records(),)),
    "add_through_llama_index": (5, lambda walk: (walk.distinct_records(),)),
    "update": (8, lambda walk: (walk.ids(), [walk.metadata()], walk.one(THROUGH))),
    "delete": (6, lambda walk: (walk.ids(),)),
    "delete_through_langchain": (2, lambda walk: (walk.ids(),)),
    "delete_through_llama_index": (2, lambda walk: (walk.ids(),)),
    "delete_matching": (2, lambda walk: (walk.one(CHOICES),)),
    "delete_document": (1, lambda walk: (walk.one(DOCUMENTS[1:]), walk.one(THROUGH))),
    "search": (17, lambda walk: (walk.word(), walk.one(MODES), walk.one(CHOICES))),
    "search_many": (3, lambda walk: ([walk.word(), walk.word()], walk.one(MODES))),
    "search_mmr": (3, lambda walk: (walk.word(), 4, walk.one(CHOICES))),
    "explain": (2, lambda walk: (walk.word(), walk.id())),
    "get": (8, lambda walk: (walk.ids(), walk.one(FILTERS))),
    "get_matching": (2, lambda walk: (walk.one(FILTERS),)),
    "count": (5, lambda walk: (walk.one(CHOICES),)),
    "scroll": (3, lambda walk: (walk.one((EVERY, *CHOICES)),)),
    "read_through_langchain": (3, lambda walk: (walk.ids(), walk.word())),
    "read_through_llama_index": (3, lambda walk: (walk.ids(), walk.word())),
}
"""What a walk does of a hundred times how often, and with what."""


def eight_walks(store: MilvusStore, name: str) -> list[Walk]:
    """Return eight walks: four in tenants of their own, and four that share one."""
    alone = [f"{name} {number}" for number in range(4)]
    walks = [
        Walk(Modelled(store.for_tenant(one), one), [*IDS, *map(str, range(30))], one)
        for one in alone
    ]
    shared = store.for_tenant("shared")
    for number in range(4):
        owner = f"{name} shares {number}"
        ids = [f"{owner} {n}" for n in range(30)]
        walks.append(Walk(Modelled(shared, "shared", owner), ids, owner))
    return walks


def walked(walks: Sequence[Walk], *, seconds: float = 0, calls: int = 0) -> None:
    """Let walks go beside each other for so many seconds, until each has made so many calls."""
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=walk.go, args=[until, calls]) for walk in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def make_walked(uri: str, name: str, **arguments: Any) -> MilvusStore:
    """Return a store to be walked through."""
    return MilvusStore(uri, collection_name=name, dense=WordFunction(), **ARGUMENTS, **arguments)
