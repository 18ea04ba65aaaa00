"""What an analyzer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from hybridge.texts import check_text


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


class WordAnalyzer(ABC):
    """An analyzer in two steps: a text to words, and each word, on its own, to its term.

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
        """Return the words of a text, in order."""

    @abstractmethod
    def term(self, word: str) -> str | None:
        """Return the term of a word, or None for a word that is not indexed."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included.

        Raises:
            InvalidInputError: The text is not a string.
        """
        check_text(text, "the text")
        terms = map(self.term, self.split(text))
        return [term for term in terms if term is not None]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.identity!r}>"
