"""One spelling for what is typed in several: accents, digits, ligatures, points and marks.

Words are folded before they are stemmed, so that "café" and "cafe" have one term by construction,
whatever the stemmer makes of them. What a language counts as a letter of its own stays: ä, ö, ü in
German, å in Swedish, й in Russian, ñ in Spanish (`Language.letters`).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

from hybridge.sparse.languages import Language

_PLAIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
    "ı": "i", "ŋ": "n", "ς": "σ", "ş": "s", "ţ": "t",
    "ँ": "ं", "·": "", "'": "", "\N{ARABIC TATWEEL}": "",
}  # fmt: skip
_OWN = {
    "ro": {"ş": "ș", "ţ": "ț"},
    "ar": {"ک": "ك", "ی": "ي"},
    "fa": {"ك": "ک", "ي": "ی", "ى": "ی"},
    "ur": {"ك": "ک", "ي": "ی", "ى": "ی", "ه": "ہ"},
}
"""Letters that are written for those of the language: by keyboards of another one, as a rule."""

_STRIPPED = (
    (0x0000, 0x0530),  # Latin, Greek, Cyrillic
    (0x0590, 0x06FF),  # Hebrew, Arabic
    (0x1E00, 0x2000),  # Latin and Greek with several marks
)
"""Scripts whose marks are left out: all others have vowels among them."""

_NUKTA = 7
"""The combining class of a dot that Brahmic scripts add to a letter, and that typists leave out."""


_NASALS = re.compile("ङ्(?=[क-घ])|ञ्(?=[च-झ])|ण्(?=[ट-ढ])|न्(?=[त-ध])|म्(?=[प-भ])")
"""A nasal before a consonant of its place, for which Devanagari has a dot, too: हिन्दी, हिंदी."""

_INVISIBLE = "\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}"

_MANY_SIGNS = re.compile(r"[^\w\s!-~][^\w\s!-~]{31}")
"""A cheap check: more marks on a letter than any language has are among so many signs.

It begins with a single one, which `re` looks for faster.
"""


def normalized(text: str) -> str:
    """Return a text in NFKC; of many marks in a row the first, as they are sorted by insertion."""
    if _MANY_SIGNS.search(text):
        text = _many_marks().sub(r"\1", text)
    return unicodedata.normalize("NFKC", text)


def visible(text: str, kept: str = "") -> str:
    """Return a text without soft hyphens and joiners, which nobody sees or types, but for some."""
    for mark in _INVISIBLE:
        if mark not in kept:
            text = text.replace(mark, "")
    return text


@cache
def _many_marks() -> re.Pattern[str]:
    """Return what finds marks in a row, of any script, the first of them as its group."""
    marks = "".join(filter(unicodedata.combining, map(chr, range(sys.maxunicode + 1))))
    return re.compile(f"([{marks}]{{8}})[{marks}]+")


class Folding(dict[int, str]):
    """Takes lower case to the one spelling of a language, by a table for `str.translate`.

    Args:
        language: The language.
    """

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._letters = frozenset(language.letters)
        self._own = _OWN.get(language.code, {})

    def fold(self, word: str) -> str:
        """Return the one spelling of a word."""
        return _NASALS.sub("ं", word.translate(self))

    def __missing__(self, point: int) -> str:
        folded = self[point] = self._folded(chr(point))
        return folded

    def _folded(self, character: str) -> str:
        if character in self._letters:
            return character
        if character in self._own:
            return self._own[character]
        if character in _PLAIN:
            return _PLAIN[character]
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            return str(digit)
        return _without_marks(character)


def _without_marks(character: str) -> str:
    """Return the letter below the marks, or nothing for a mark."""
    if unicodedata.combining(character) == _NUKTA:
        return ""
    if not any(first <= ord(character) < end for first, end in _STRIPPED):
        return character
    parts = unicodedata.normalize("NFD", character)
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")
