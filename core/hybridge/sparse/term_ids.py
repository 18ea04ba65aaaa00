"""From a term to the index of its dimension in a sparse vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import xxhash

from hybridge.errors import InvalidInputError

PLACEHOLDER = 2**32 - 2
"""The index of rows without an indexable term: the largest that Milvus takes; no term has it."""

UNKNOWN = 2**32 - 1
"""What stands for a term without an index; beyond Milvus's limit, so no vector can hold it."""


class TermIds(Protocol):
    """Gives each term its index."""

    def index(self, term: str) -> int:
        """Return the term's index, or `UNKNOWN`."""
        ...


class OrdinalTermIds:
    """Numbers terms from 0 in order of first appearance, and grows as it sees new ones.

    Args:
        terms: The terms known from the start, by index.

    Raises:
        InvalidInputError: A term is there twice.
    """

    def __init__(self, terms: Sequence[str] = ()) -> None:
        self._indices = {term: index for index, term in enumerate(terms)}
        if len(self._indices) != len(terms):
            msg = "a term has two indices: the list of terms holds it twice"
            raise InvalidInputError(msg)

    @property
    def dim(self) -> int:
        """The number of terms."""
        return len(self._indices)

    @property
    def terms(self) -> list[str]:
        """The terms by index."""
        return list(self._indices)

    def index(self, term: str) -> int:
        """Return the term's index, a new one if it has none yet."""
        return self._indices.setdefault(term, len(self._indices))

    def truncate(self, dim: int) -> None:
        """Forget the newest terms until `dim` are left."""
        while len(self._indices) > dim:
            self._indices.popitem()

    def frozen(self) -> FrozenTermIds:
        """Return a view that looks terms up and never adds one."""
        return FrozenTermIds(self._indices)


class FrozenTermIds:
    """Looks terms up among known ones.

    Args:
        indices: Term to index, numbered from 0.
    """

    def __init__(self, indices: Mapping[str, int]) -> None:
        self._indices = indices

    def index(self, term: str) -> int:
        """Return the term's index, or `UNKNOWN`."""
        return self._indices.get(term, UNKNOWN)


class HashedTermIds:
    """Numbers terms by a 32-bit hash, so that writers who never met agree.

    The index is xxh32 of the UTF-8 bytes modulo `PLACEHOLDER`. Of 394,631 real terms 14 pairs
    shared an index (18 expected), 0.009 % of the terms; a shared index counts as one term.
    """

    @property
    def dim(self) -> int:
        """Milvus's limit: indices go up to `PLACEHOLDER`."""
        return PLACEHOLDER + 1

    def index(self, term: str) -> int:
        """Return the term's index, below `PLACEHOLDER`."""
        return xxhash.xxh32_intdigest(term.encode()) % PLACEHOLDER
