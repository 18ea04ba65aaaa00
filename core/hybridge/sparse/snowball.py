r"""Words of any alphabet, folded to one spelling and stemmed by Snowball.

How a text is cut into words, and why:

- NFKC first: "ﬁnd" from a PDF, full-width and decomposed letters are then what users type.
- Lower case rather than case folding: Snowball's algorithms and the stop words are spelled in lower
  case, and what folding adds `hybridge.sparse.folding` does. Turkish has its own I; İ is i
  everywhere, where `lower` would add a dot above.
- A word is a run of letters, digits and combining marks. The `\w` of `re` leaves marks out, which
  cuts Hindi at every vowel sign.
- A run of words with single joints between them is a compound (`hybridge.sparse.compounds`).
- Soft hyphens and joiners are dropped; Persian's non-joiner is kept, since its stemmer needs it.
- Scripts without spaces are cut by `hybridge.sparse.unspaced`.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Collection, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.sparse.compounds import JOINTS, compounds, has_humps, has_whole, parts_of, whole_of
from hybridge.sparse.folding import Folding, normalized, visible
from hybridge.sparse.languages import Language
from hybridge.sparse.stop_words import StopWords
from hybridge.sparse.unspaced import spaced
from hybridge.sparse.word_analyzer import Kind, Token, WordAnalyzer, shortened

# Goes into the identity: raise it with any change to what a text is split into.
_SPLIT_VERSION = 2
_ASCII_WORDS = {
    point: chr(point) if chr(point).isalnum() or chr(point) in JOINTS else " "
    for point in range(128)
}
_TYPOGRAPHIC = {"’": "'", "ʼ": "'", "‐": "-"}


class SnowballAnalyzer(WordAnalyzer):
    """Unicode words in lower case, folded and stemmed by Snowball; stop words are kept apart.

    Args:
        language: One whose words have spaces between them, or are cut as above.
        stop_words: The words to keep apart.
        language_argument: What `build_default_analyzer` makes an equal analyzer from.

    Raises:
        InvalidInputError: The installed PyStemmer is too old for the language.
    """

    def __init__(
        self, language: Language, stop_words: StopWords, language_argument: str | None = None
    ) -> None:
        self._language = language
        self._listed = stop_words
        # PyStemmer's objects are not for several threads. Its cache is off: callers remember terms.
        self._lock = threading.Lock()
        self._stem, stemmer = _stemmer(language) if language.is_stemmed else (str, "no stemmer")
        self._turkish = language.code == "tr"
        self._words = _word_pattern(language.joiners).findall
        self._folding = Folding(language)
        self._stop_words = self._spellings(stop_words.words)
        self.language = language_argument
        self.identity = f"words {_SPLIT_VERSION}, stop words {stop_words.name}, {stemmer}"

    def __reduce__(self) -> tuple[object, ...]:
        return SnowballAnalyzer, (self._language, self._listed, self.language)

    def _spellings(self, stop_words: Collection[str]) -> frozenset[str]:
        """Return the words of a list as texts have them, with and without their accents."""
        words = {word.lower() for entry in stop_words for word in self.split(entry)}
        return frozenset(words | {self._folding.fold(word) for word in words})

    def split(self, text: str) -> list[str]:
        """Return the words of a text, compounds in one, as they are written."""
        text = _typed(text)  # most of English is ASCII then
        if text.isascii() and not self._turkish:
            return text.replace(". ", " ").translate(_ASCII_WORDS).split()
        text = normalized(text).replace("İ", "i")
        if self._turkish:
            text = text.replace("I", "ı")
        return self._words(spaced(visible(_typed(text), self._language.joiners)))

    def tokens(self, word: str) -> Sequence[Token]:
        """Return the token of a word, or those of a compound: its parts and the whole."""
        bare = word.strip(JOINTS)
        if bare.isalnum() and not has_humps(bare):
            return self._token(bare)
        return [token for one in compounds(word) for token in self._of_compound(one)]

    def _of_compound(self, compound: str) -> Sequence[Token]:
        if compound.lower() in self._stop_words:  # don't
            return self._token(compound)
        parts = parts_of(compound, self._language)
        if not parts:
            return ()
        known = {part: self._token(part) for part in set(parts)}
        tokens = [token for part in parts for token in known[part]]
        if len(parts) > 1 and has_whole(compound):
            tokens.append(Token(self._stemmed(whole_of(parts).lower()), Kind.WHOLE))
        return tokens

    def _token(self, word: str) -> Sequence[Token]:
        word = word.lower()
        if word in self._stop_words:
            return (Token.of_function_word(self._folding.fold(word)),)
        term = self._stemmed(word)
        return (Token(term),) if term else ()

    def _stemmed(self, word: str) -> str:
        folded = shortened(word)
        if not (folded.isascii() and folded.isalnum()):
            folded = self._folding.fold(folded)
        with self._lock:
            return self._stem(folded)


def _typed(text: str) -> str:
    """Return a text with the joints that keyboards have in place of typographic ones."""
    for sign, joint in _TYPOGRAPHIC.items():
        text = text.replace(sign, joint)
    return text


def _stemmer(language: Language) -> tuple[Callable[[str], str], str]:
    """Return Snowball's stemmer of a language, and its name with its version."""
    snowball: Any = import_module("Stemmer")
    # Its own version() is out of date in some releases.
    stemmer_version = version("PyStemmer")
    if language.name not in snowball.algorithms():
        msg = (
            f"PyStemmer {stemmer_version} has no {language.name} stemmer: install a newer "
            "one, or pass a function that takes a text to the list of its terms"
        )
        raise InvalidInputError(msg)
    stem: Callable[[str], str] = snowball.Stemmer(language.name, 0).stemWord
    return stem, f"Snowball {language.name} (PyStemmer {stemmer_version})"


@cache
def _word_pattern(joiners: str) -> re.Pattern[str]:
    return re.compile(rf"\w[\w{_marks()}{re.escape(joiners + JOINTS)}]*")


@cache
def _marks() -> str:
    """Return the combining marks of the Basic Multilingual Plane.

    A single one from beyond it, where only historic and small scripts are, would make `re` give up
    its bitmap and match fifteen times slower.
    """
    marks = (chr(point) for point in range(0x300, 0x10000))
    return "".join(mark for mark in marks if unicodedata.category(mark)[0] == "M")
