"""The analysis of `pymilvus.model`: NLTK's words, stop words and Snowball."""

from __future__ import annotations

import string
import threading
from collections.abc import Callable, Sequence
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError, ModelNotFoundError
from hybridge.extras import import_extra
from hybridge.sparse.languages import find_language
from hybridge.sparse.word_analyzer import Token, WordAnalyzer

_LANGUAGES = {"en", "de", "fr", "ru", "es", "it", "pt"}
_SPANISH_PUNCTUATION = "¡¿"


class NLTKAnalyzer(WordAnalyzer):
    """Gives the terms that `pymilvus.model`'s default analyzers give, for its parameter files.

    About ten times slower than `build_default_analyzer`. NLTK's data are never downloaded here.

    Args:
        language: One of English, German, French, Russian, Spanish, Italian and Portuguese, as a
            code or by name.

    Raises:
        InvalidInputError: Another language.
        MissingExtraError: NLTK is not installed.
        ModelNotFoundError: NLTK's data are not on this machine.
    """

    def __init__(self, language: str = "en") -> None:
        self._lock = threading.Lock()
        found = find_language(language)
        if found.code not in _LANGUAGES:
            known = ", ".join(sorted(_LANGUAGES))
            msg = f"no NLTK analyzer for {shown(language)}: use one of {known}"
            raise InvalidInputError(msg)
        nltk = _import("nltk")
        self._name = found.name
        punctuation = _SPANISH_PUNCTUATION if found.code == "es" else ""
        self._dropped = frozenset(string.punctuation + punctuation) | _stop_words(found.name)
        self._stem: Callable[[str], str] = (
            _import("nltk.stem.snowball").SnowballStemmer(found.name).stem
        )
        # For every language: pymilvus.model finds sentences with the English model.
        self._tokenize: Callable[[str], list[str]] = nltk.word_tokenize
        _use_data(lambda: self._tokenize("Data."), "punkt_tab")
        self.identity = (
            f"NLTK {nltk.__version__} word_tokenize, {len(self._dropped)} {found.name} stop words "
            "and signs, Snowball"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return NLTKAnalyzer, (self._name,)

    def split(self, text: str) -> list[str]:
        """Return NLTK's tokens."""
        return self._tokenize(text)

    def tokens(self, word: str) -> Sequence[Token]:
        """Return the stem in lower case, or nothing for a stop word or a sign."""
        word = word.lower()
        if word in self._dropped:
            return ()
        with self._lock:
            return (Token(self._stem(word)),)


def _stop_words(language: str) -> frozenset[str]:
    corpus = _import("nltk.corpus")
    return frozenset(_use_data(lambda: corpus.stopwords.words(language), "stopwords"))


def _import(module: str) -> Any:
    return import_extra(module, user="NLTKAnalyzer", package="nltk", extra="nltk")


def _use_data(use: Callable[[], list[str]], package: str) -> list[str]:
    try:
        return use()
    except LookupError:
        msg = (
            f"NLTK's {package!r} is not on this machine. Download it once with "
            f"`python -m nltk.downloader {package}`, or set NLTK_DATA to where it is"
        )
        raise ModelNotFoundError(msg) from None
