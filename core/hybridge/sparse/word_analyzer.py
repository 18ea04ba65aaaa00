"""What an analyzer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, runtime_checkable

from hybridge.texts import check_text

FUNCTION_MARK = "_"
"""Stands before the term of a function word, so that it is no content word's: none holds one."""

_LONGEST = 128
"""Letters of a term: longer ones are cut, as no one types them, and stemmers may be quadratic."""


@runtime_checkable
class Analyzer(Protocol):
    """Takes a text to its terms."""

    @property
    def identity(self) -> str:
        """How it does so, in words; statistics of one identity are never used with another."""
        ...

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included."""
        ...


class Kind(IntEnum):
    """What a term counts for."""

    CONTENT = 0
    """A place in the text: a word's, or that of a part of a compound."""

    WHOLE = 1
    """A compound as one word: found by either spelling; the places are those of its parts."""

    FUNCTION = 2
    """A stop word: found by queries of nothing else, and no part of a text's length."""


class Token(NamedTuple):
    """A term, and what it counts for."""

    term: str
    kind: Kind = Kind.CONTENT

    @classmethod
    def of_function_word(cls, word: str) -> Token:
        """Return the token of a stop word."""
        return cls(FUNCTION_MARK + shortened(word), Kind.FUNCTION)


class WordAnalyzer(ABC):
    """An analyzer in two steps: a text to words, and each word, on its own, to its tokens.

    What becomes of a word can then be remembered, so a corpus costs one stemming per different
    word (see `hybridge.sparse.counting`). Several threads may use one, and those here pickle.

    Attributes:
        identity: How texts become terms, in words.
        language: What `build_default_analyzer` makes an equal analyzer from; None where it cannot.
    """

    identity: str
    language: str | None = None

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """Return the words of a text as they are written, in order."""

    @abstractmethod
    def tokens(self, word: str) -> Sequence[Token]:
        """Return the tokens of a word; several for a compound, none for what is not indexed."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text's content words, in order, repeats included.

        Raises:
            InvalidInputError: The text is not a string.
        """
        check_text(text, "the text")
        tokens = [token for word in self.split(text) for token in self.tokens(word)]
        return [token.term for token in tokens if token.kind is Kind.CONTENT]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity!r}>"


def shortened(word: str) -> str:
    """Return what is indexed of a word: all of it, if it is one."""
    return word[:_LONGEST]
