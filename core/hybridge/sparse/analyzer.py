"""The analyzer of a language, or of a function of yours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_iterable
from hybridge.sparse.languages import CHINESE, JAPANESE, KOREAN, Language, find_language
from hybridge.sparse.stop_words import StopWords, default_stop_words, own_stop_words
from hybridge.sparse.word_analyzer import Analyzer, WordAnalyzer
from hybridge.texts import check_text, parse_texts

__all__ = [
    "Analyzer",
    "FunctionAnalyzer",
    "as_analyzer",
    "build_default_analyzer",
    "is_other_release",
    "lineage",
]

_PACKAGES = re.compile(r"\(PyStemmer [^)]*\)|\b\d+(\.\d+)+\S*")
_VERSIONS = re.compile(rf"words \d+|stop words (?!own )[^,]*|{_PACKAGES.pattern}")


class FunctionAnalyzer:
    """Any function from a text to its terms, as an analyzer.

    Its identity is the function's qualified name: a lambda or a nested function is recognised by
    where it is written, not by what it does.

    Args:
        function: Takes a text to the list of its terms.
    """

    def __init__(self, function: Callable[[str], list[str]]) -> None:
        self._function = function
        named = function if hasattr(function, "__qualname__") else type(function)
        module = getattr(named, "__module__", None) or "builtins"
        self.identity = f"function {module}.{named.__qualname__}"

    def __call__(self, text: str) -> list[str]:
        """Return the terms of a text, in order, repeats included.

        Raises:
            InvalidInputError: The text is not a string, or the function gave something other
                than a list of strings.
        """
        check_text(text, "the text")
        terms = self._function(text)
        if not is_iterable(terms):
            msg = f"{self.identity} gave a {type(terms).__name__}: it must return a list of terms"
            raise InvalidInputError(msg)
        return parse_texts(terms, f"the terms of {self.identity}")

    def __repr__(self) -> str:
        return f"<FunctionAnalyzer {self.identity!r}>"


def build_default_analyzer(
    language: str = "en", *, stop_words: Iterable[str] | None = None
) -> WordAnalyzer:
    """Return the analyzer of a language. Nothing is downloaded.

    Args:
        language: A code ("en", "pt-BR") or an English name ("russian"): the languages of Snowball,
            and Chinese, Japanese and Korean, each of which needs the extra of its name.
        stop_words: The words to leave out in place of the language's list; `()` keeps all.

    Raises:
        InvalidInputError: The language is not known here.
        MissingExtraError: The segmenter of Chinese, Japanese or Korean is not installed.
    """
    found = find_language(language)
    if stop_words is None:
        return _analyzer(found, default_stop_words(found), found.code)
    return _analyzer(found, own_stop_words(stop_words), None)


def as_analyzer(value: str | Analyzer | Callable[[str], list[str]]) -> Analyzer:
    """Return the analyzer of a language, a function as an analyzer, or the analyzer given.

    Raises:
        InvalidInputError: `value` is none of these, or an unknown language.
        MissingExtraError: As `build_default_analyzer`.
    """
    if isinstance(value, str):
        return build_default_analyzer(value)
    if not callable(value) or isinstance(value, type):
        msg = f"{shown(value)} is not an analyzer: give a language, an Analyzer or a function"
        raise InvalidInputError(msg)
    return value if isinstance(value, Analyzer) else FunctionAnalyzer(value)


def lineage(identity: str) -> str:
    """Return what an upgrade leaves of an analyzer's identity: no versions, no list of its own."""
    return _VERSIONS.sub("", identity)


def is_other_release(identity: str, other: str) -> bool:
    """Whether two identities differ by the releases of packages alone, which may do the same."""
    return _PACKAGES.sub("", identity) == _PACKAGES.sub("", other)


def _analyzer(language: Language, stop_words: StopWords, argument: str | None) -> WordAnalyzer:
    if language in (CHINESE, JAPANESE, KOREAN):
        from hybridge.sparse import segmenters

        kinds: dict[Language, Callable[[StopWords, str | None], WordAnalyzer]] = {
            CHINESE: segmenters.ChineseAnalyzer,
            JAPANESE: segmenters.JapaneseAnalyzer,
            KOREAN: segmenters.KoreanAnalyzer,
        }
        return kinds[language](stop_words, argument)
    from hybridge.sparse.snowball import SnowballAnalyzer

    return SnowballAnalyzer(language, stop_words, argument)
