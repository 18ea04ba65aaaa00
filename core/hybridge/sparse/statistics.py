"""What BM25 knows about a corpus: counts, which add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import InvalidInputError


@dataclass
class Statistics:
    """The counts of a corpus, as a value.

    They change in place by `add` and `remove`, in time that depends on the other side alone. Read
    `frequencies` as often as you like, but let only these two change it. One thread at a time:
    a reader beside a writer needs the writer's lock.

    Attributes:
        documents: How many documents there are, those without any term included.
        tokens: How many tokens they have in all, after stop words are dropped.
        frequencies: Term id to the number of documents that hold the term, never 0.
    """

    documents: int = 0
    tokens: int = 0
    frequencies: dict[int, int] = field(default_factory=dict[int, int])
    _derived: dict[Callable[[Statistics], float], float] = field(
        default_factory=dict[Any, float], init=False, repr=False, compare=False
    )

    @property
    def average_length(self) -> float:
        """The mean number of tokens of a document; 0.0 while there are no documents."""
        return self.tokens / self.documents if self.documents else 0.0

    def add(self, other: Statistics) -> None:
        """Count the documents of `other` as well."""
        frequencies = self.frequencies
        # Taken from a list, so that adding statistics to themselves works as well.
        for term, count in list(other.frequencies.items()):
            total = frequencies.get(term, 0) + count
            if total:
                frequencies[term] = total
            else:
                frequencies.pop(term, None)
        self.documents += other.documents
        self.tokens += other.tokens
        self._derived.clear()

    def remove(self, other: Statistics) -> None:
        """Count the documents of `other` no longer; nothing changes if that fails.

        Raises:
            InvalidInputError: `other` holds what was never counted here.
        """
        self._check_holds(other)
        self.subtract(other)

    def subtract(self, other: Statistics) -> None:
        """Count the documents of `other` no longer, though they may be counted here only later.

        Until they are, counts may lie below 0: those of several writers arrive in any order.
        """
        frequencies = self.frequencies
        for term, count in list(other.frequencies.items()):
            left = frequencies.get(term, 0) - count
            if left:
                frequencies[term] = left
            else:
                frequencies.pop(term, None)
        self.documents -= other.documents
        self.tokens -= other.tokens
        self._derived.clear()

    def merge(self, other: Statistics) -> Statistics:
        """Return the counts of both together; neither changes."""
        merged = Statistics(self.documents, self.tokens, dict(self.frequencies))
        merged.add(other)
        return merged

    def derive(self, formula: Callable[[Statistics], float]) -> float:
        """Return `formula(self)`, computed once until the counts change."""
        if formula not in self._derived:
            self._derived[formula] = formula(self)
        return self._derived[formula]

    def _check_holds(self, other: Statistics) -> None:
        frequencies = self.frequencies
        if other.documents > self.documents or other.tokens > self.tokens:
            msg = (
                f"cannot remove {other.documents} documents of {other.tokens} tokens from "
                f"statistics of {self.documents} documents of {self.tokens} tokens: they were "
                "never counted here; count the corpus afresh"
            )
            raise InvalidInputError(msg)
        for term, count in other.frequencies.items():
            if count > frequencies.get(term, 0):
                msg = (
                    f"cannot remove term {term} from {count} documents: only "
                    f"{frequencies.get(term, 0)} counted here hold it; count the corpus afresh"
                )
                raise InvalidInputError(msg)
