"""From a text to its terms."""

from __future__ import annotations

import re
import threading
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from typing import Protocol, runtime_checkable

from hybridge.errors import InvalidInputError


@runtime_checkable
class Analyzer(Protocol):
    """Takes a text to its terms.

    Attributes:
        identity: Says how, so that statistics made by one analyzer are never used with another.
    """

    identity: str

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included."""
        ...


class WordAnalyzer(ABC):
    """An analyzer in two steps, of which the second looks at one word alone and can be remembered."""

    identity: str

    @abstractmethod
    def split(self, text: str) -> list[str]:
        """Return the raw words of a text."""

    @abstractmethod
    def term(self, word: str) -> str | None:
        """Return the term of a raw word, or None where the word is not indexed."""

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included."""
        terms = map(self.term, self.split(text))
        return [term for term in terms if term is not None]


_ASCII_WORDS = {i: chr(i).lower() if chr(i).isalnum() else " " for i in range(128)}


class SnowballAnalyzer(WordAnalyzer):
    """Unicode words in lower case, without stop words, stemmed by Snowball."""

    def __init__(self, language: str) -> None:
        import Stemmer
        import stopwordsiso

        self._language = language
        self._stemmer = Stemmer.Stemmer(language, 0)
        self._lock = threading.Lock()
        self._stop_words = frozenset(stopwordsiso.stopwords(language))
        self.identity = (
            f"snowball/{language}/PyStemmer {Stemmer.version()}/"
            f"stopwordsiso {version('stopwordsiso')}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return SnowballAnalyzer, (self._language,)

    def split(self, text: str) -> list[str]:
        """Return the raw words of a text."""
        if text.isascii():
            return text.translate(_ASCII_WORDS).split()
        return _word_pattern().findall(unicodedata.normalize("NFKC", text).lower())

    def term(self, word: str) -> str | None:
        """Return the stem of a word, or None for a stop word."""
        if word in self._stop_words:
            return None
        with self._lock:
            return self._stemmer.stemWord(word)


@cache
def _word_pattern() -> re.Pattern[str]:
    """Words as Unicode has them: Python's \\w leaves out the vowel signs of Hindi and others."""
    marks = [chr(i) for i in range(0x1F000) if unicodedata.category(chr(i))[0] == "M"]
    return re.compile(rf"[^\W_][\w{''.join(marks)}]*")


class FunctionAnalyzer:
    """Any function from a text to its terms."""

    def __init__(self, function: Callable[[str], Iterable[str]]) -> None:
        self._function = function
        self.identity = f"{function.__module__}.{function.__qualname__}"

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included."""
        return list(self._function(text))


def build_default_analyzer(language: str = "en") -> Analyzer:
    """Return the analyzer of a language."""
    return SnowballAnalyzer(language)


def as_analyzer(value: str | Analyzer | Callable[[str], list[str]]) -> Analyzer:
    """Return an analyzer for a language, an analyzer or a function."""
    if isinstance(value, str):
        return build_default_analyzer(value)
    if isinstance(value, Analyzer):
        return value
    if callable(value):
        return FunctionAnalyzer(value)
    msg = f"{value!r} is no analyzer: give a language, an Analyzer or a function"
    raise InvalidInputError(msg)
