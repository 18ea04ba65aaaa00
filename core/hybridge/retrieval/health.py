"""Whether a model knows the documents, without any labels: its health.

The middle words of each of a few documents are a query, and health is how well the field finds the
document among the others: the mean of 1 / rank. An English model on Russian text finds little, and
its few odd vectors stand so far above their tail that a fusion by confidence trusts it just where
it is useless. Health tells. Of all-MiniLM-L6-v2 on 64 documents, taken evenly: English .97 (XQuAD)
and .77 (Cranfield, whose documents resemble each other), Russian .27.

A field's confidence is multiplied by a gate, clip((health - .3) / .3, 0, 1): one below it is left
out, one above it is trusted as ever. (To multiply by health² instead costs Cranfield .017.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from hybridge.narrowing import is_number

SAMPLE = 64
"""Documents that are asked for, at most."""

SMALLEST = 32
"""Documents that tell enough."""

GROWTH = 10
"""How often as large a collection is looked at again."""

_CLOSED, _OPEN = 0.3, 0.6
_WORDS = 12
_LONGEST_WORD = 20

T = TypeVar("T")


class Health(NamedTuple):
    """How well a field found documents by their own words.

    Attributes:
        found: The mean reciprocal rank, in [0, 1].
        sample: How many documents there were to find.
        documents: How many the collection had.
    """

    found: float
    sample: int
    documents: int

    @property
    def trust(self) -> float:
        """What the field's confidence is multiplied by, in [0, 1]."""
        return min(1.0, max(0.0, (self.found - _CLOSED) / (_OPEN - _CLOSED)))

    def is_outgrown(self, documents: int) -> bool:
        """Whether a collection of so many documents is to be looked at again."""
        if self.sample < SAMPLE and documents >= SAMPLE:
            return True
        return documents >= GROWTH * self.documents

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Health | None:
        """Return what was stored, or None where that is no health: it is measured again."""
        found, sample, documents = (value.get(name) for name in cls._fields)
        if not (is_number(found) and is_number(sample) and is_number(documents)):
            return None
        return cls(float(found), int(sample), int(documents)) if 0 <= found <= 1 else None


def stretch(text: str) -> str:
    """Return twelve words from the middle of a text.

    In a script that does not part words two characters stand for one.
    """
    words, joint = text.split(), " "
    if words and len(text) / len(words) > _LONGEST_WORD:
        words, joint = [text[i : i + 2] for i in range(0, len(text), 2)], ""
    start = max(0, len(words) - _WORDS) // 2
    return joint.join(words[start : start + _WORDS])


def evenly(items: Sequence[T], most: int = SAMPLE) -> list[T]:
    """Return at most so many of the items, evenly spread."""
    size = min(most, len(items))
    return [items[place * len(items) // size] for place in range(size)]


def mean_reciprocal_rank(
    queries: Sequence[Any], vectors: Sequence[Any], score: Callable[[Any, Any], float]
) -> float:
    """Return how well each query finds the vector in its place; equal scores go before it.

    Args:
        queries: The vectors of the queries, at least one.
        vectors: As many vectors.
        score: Returns the score of a vector for a query.
    """
    total = 0.0
    for query, own in zip(queries, vectors, strict=True):
        reached = score(query, own)
        total += 1 / sum(score(query, vector) >= reached for vector in vectors)
    return total / len(queries)
