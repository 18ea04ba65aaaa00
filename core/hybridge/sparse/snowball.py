r"""Words of any alphabet, without stop words, stemmed by Snowball.

How a text is cut into words, and why:

- NFKC first: "ﬁnd" from a PDF, full-width and decomposed letters are then what users type.
- Lower case rather than case folding: Snowball's algorithms and the stop words are spelled in lower
  case, and what folding adds they do themselves (ß and ss, σ and ς). Turkish has its own I;
  İ is i everywhere, where `lower` would add a dot above.
- A word is a run of letters, digits and combining marks. The `\w` of `re` leaves marks out, which
  cuts Hindi at every vowel sign; it has the underscore, at which we cut: a question about "check
  output" then finds `check_output` (ten questions to the docstrings of the standard library came
  out the same either way).
- An apostrophe cuts: l'intelligence is about intelligence, and "user's" leaves an "s" that is a
  stop word. Typographic apostrophes need no rule of their own then.
- Soft hyphens and joiners, which nobody sees or types, are dropped; Persian's non-joiner is kept,
  since its stemmer needs it.
- Each Chinese character or Japanese kana is a word. These scripts have no spaces, and a whole
  sentence as one word would never be found; their own analyzers do better.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.sparse.languages import Language
from hybridge.sparse.stop_words import StopWords
from hybridge.sparse.word_analyzer import WordAnalyzer

# Goes into the identity: raise it with any change to what a text is split into.
_SPLIT_VERSION = 1
_ASCII_WORDS = {i: chr(i).lower() if chr(i).isalnum() else " " for i in range(128)}
_INVISIBLE = "\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}"
_UNSPACED = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class SnowballAnalyzer(WordAnalyzer):
    """Unicode words in lower case, without stop words, stemmed by Snowball.

    Args:
        language: One that Snowball knows.
        stop_words: The words to leave out.
        language_argument: What `build_default_analyzer` makes an equal analyzer from.

    Raises:
        InvalidInputError: The installed PyStemmer is too old for the language.
    """

    def __init__(
        self, language: Language, stop_words: StopWords, language_argument: str | None = None
    ) -> None:
        snowball: Any = import_module("Stemmer")
        # Its own version() is out of date in some releases.
        stemmer_version = version("PyStemmer")
        if language.name not in snowball.algorithms():
            msg = (
                f"PyStemmer {stemmer_version} has no {language.name} stemmer: install a newer "
                "one, or pass a function that takes a text to the list of its terms"
            )
            raise InvalidInputError(msg)
        self._language = language
        self._listed = stop_words
        # PyStemmer's objects are not for several threads. Its cache is off: callers remember terms.
        self._lock = threading.Lock()
        self._stem: Callable[[str], str] = snowball.Stemmer(language.name, 0).stemWord
        self._turkish = language.code == "tr"
        self._invisible = [mark for mark in _INVISIBLE if mark not in language.joiners]
        self._words = _word_pattern(language.joiners).findall
        self._stop_words = frozenset(
            word for entry in stop_words.words for word in self.split(entry)
        )
        self.language = language_argument
        self.identity = (
            f"words {_SPLIT_VERSION}, stop words {stop_words.name}, "
            f"Snowball {language.name} (PyStemmer {stemmer_version})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return SnowballAnalyzer, (self._language, self._listed, self.language)

    def split(self, text: str) -> list[str]:
        """Return the words of a text in lower case, stop words included."""
        if text.isascii() and not self._turkish:
            return text.translate(_ASCII_WORDS).split()
        text = unicodedata.normalize("NFKC", text).replace("İ", "i")
        if self._turkish:
            text = text.replace("I", "ı")
        text = text.lower().replace("_", " ")
        for mark in self._invisible:
            text = text.replace(mark, "")
        return self._words(_UNSPACED.sub(r" \g<0> ", text))

    def term(self, word: str) -> str | None:
        """Return the stem of a word, or None for a stop word."""
        if word in self._stop_words:
            return None
        with self._lock:
            return self._stem(word)


@cache
def _word_pattern(joiners: str) -> re.Pattern[str]:
    word = rf"\w[\w{_marks()}]*"
    return re.compile(rf"{word}(?:[{joiners}]{word})*" if joiners else word)


@cache
def _marks() -> str:
    """Return the combining marks of the Basic Multilingual Plane.

    A single one from beyond it, where only historic and small scripts are, would make `re` give up
    its bitmap and match fifteen times slower.
    """
    marks = (chr(point) for point in range(0x300, 0x10000))
    return "".join(mark for mark in marks if unicodedata.category(mark)[0] == "M")
