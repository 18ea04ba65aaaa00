"""Chinese, Japanese and Korean: scripts that need a segmenter to find the words.

Each imports its segmenter when it is made, so a missing extra shows at once, and loads the
dictionary at the first text. Texts are brought to NFKC first, for full-width letters and digits.
Chinese drops the stop words of its list. Japanese and Korean drop particles, endings, auxiliaries
and signs by their part of speech, which their segmenters know, and index dictionary forms.
"""

from __future__ import annotations

import logging
import threading
import unicodedata
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any

from hybridge.extras import import_extra
from hybridge.sparse.stop_words import StopWords
from hybridge.sparse.word_analyzer import Token, WordAnalyzer, shortened


class SegmentingAnalyzer(WordAnalyzer):
    """An analyzer that leaves finding the words to a segmenter.

    Args:
        stop_words: The words to leave out.
        language_argument: What `build_default_analyzer` makes an equal analyzer from.

    Raises:
        MissingExtraError: The segmenter is not installed.
    """

    extra: str
    packages: tuple[tuple[str, str], ...]
    """Each as its module and as its distribution."""

    def __init__(self, stop_words: StopWords, language_argument: str | None = None) -> None:
        for module, package in self.packages:
            import_extra(module, user=type(self).__name__, package=package, extra=self.extra)
        self._lock = threading.Lock()
        self._listed = stop_words
        self._stop_words = frozenset(stop_words.words)
        self.language = language_argument
        made_by = ", ".join(f"{package} {version(package)}" for _, package in self.packages)
        self.identity = f"{self.extra} words 2, stop words {stop_words.name}, {made_by}"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._listed, self.language)

    @abstractmethod
    def load(self) -> Callable[[str], Iterable[str]]:
        """Load the dictionary, and return what takes a text to its words."""

    @cached_property
    def _segment(self) -> Callable[[str], Iterable[str]]:
        return self.load()

    def split(self, text: str) -> list[str]:
        """Return the words of a text."""
        with self._lock:
            return list(self._segment(unicodedata.normalize("NFKC", text)))

    def tokens(self, word: str) -> Sequence[Token]:
        """Return the word in lower case, or nothing for a sign."""
        term = word.lower()
        if not any(character.isalnum() for character in term):
            return ()
        if term in self._stop_words:
            return (Token.of_function_word(term),)
        return (Token(shortened(term)),)


class ChineseAnalyzer(SegmentingAnalyzer):
    """Chinese words by jieba, long ones together with the words inside them."""

    extra = "chinese"
    packages = (("jieba", "jieba"),)

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load jieba's dictionary."""
        jieba = import_module("jieba")
        jieba.setLogLevel(logging.WARNING)  # it prints how it loads
        segment: Callable[[str], list[str]] = jieba.lcut_for_search
        return segment


class JapaneseAnalyzer(SegmentingAnalyzer):
    """Japanese words by MeCab with UniDic, as dictionary forms."""

    extra = "japanese"
    packages = (("fugashi", "fugashi"), ("unidic_lite", "unidic-lite"))
    _function_words = frozenset({"助詞", "助動詞", "補助記号", "記号", "空白"})

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load UniDic."""
        tagger = import_module("fugashi").Tagger()
        return lambda text: [
            _japanese_form(word)
            for word in tagger(text)
            if word.feature.pos1 not in self._function_words
        ]


class KoreanAnalyzer(SegmentingAnalyzer):
    """Korean morphemes by Kiwi: nouns, stems of verbs and adjectives, adverbs, foreign words."""

    extra = "korean"
    packages = (("kiwipiepy", "kiwipiepy"),)
    _content = frozenset({"NNG", "NNP", "NR", "VV", "VA", "MAG", "XR", "SL", "SH", "SN"})

    def load(self) -> Callable[[str], Iterable[str]]:
        """Load Kiwi's model, which takes a second."""
        tokenize = import_module("kiwipiepy").Kiwi().tokenize
        # A tag may end in "-I" or "-R", for irregular and regular stems.
        return lambda text: [
            token.form for token in tokenize(text) if token.tag.partition("-")[0] in self._content
        ]


def _japanese_form(word: Any) -> str:
    """Return the dictionary form; UniDic adds a foreign word's origin: "ベクトル-vector"."""
    lemma: str | None = word.feature.lemma
    return lemma.partition("-")[0] if lemma else str(word.surface)
