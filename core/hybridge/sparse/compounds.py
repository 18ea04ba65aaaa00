"""Words that are made of words: Wi-Fi, re-entry, getUserName, snake_case, v2.3.1, a@b.org, l'eau.

A compound is found by its parts and, whichever way it is spelled, as a whole: "wifi", "reentry".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, takewhile

from hybridge.sparse.languages import Language

JOINTS = "-_.@/'"
"""What joins the parts of a compound; two of them in a row do not."""

_GAPS = re.compile(rf"[{JOINTS}]{{2,}}")
_HARD_JOINTS = re.compile("[-_.@/]")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_SHORT = 3
"""Letters of what a hyphen joins to a word that is written without one, too: re-entry, Wi-Fi."""


def has_humps(word: str) -> bool:
    """Whether a word has capitals inside: of letters and digits alone, as a cheap check."""
    return not (word.islower() or word[1:].islower() or word.isupper() or word.isdigit())


def compounds(chunk: str) -> Iterator[str]:
    """Yield the compounds of what white space and other signs part from the rest of a text."""
    for compound in _GAPS.split(chunk):
        if stripped := compound.strip(JOINTS):
            yield stripped


def parts_of(compound: str, language: Language) -> list[str]:
    """Return the words of a compound, without elided ones and endings: eau of l'eau."""
    pieces = _HARD_JOINTS.split(compound)
    known = {piece: _words_of(piece, language) for piece in set(pieces)}
    return [word for piece in pieces for word in known[piece]]


def has_whole(compound: str) -> bool:
    """Whether a compound is written as one word, too.

    Of long words that hyphens join it is not, and of such compounds there are many.
    """
    pieces = compound.split("-")
    joined = len(pieces) > 1
    return not (joined and all(piece.isalpha() and len(piece) > _SHORT for piece in pieces))


def whole_of(parts: Sequence[str]) -> str:
    """Return a compound as one word; a dot stays between numbers, so that 1.12 is not 11.2."""
    dots = [
        "." if before[-1].isdigit() and part[0].isdigit() else ""
        for before, part in pairwise(parts)
    ]
    return "".join(chain.from_iterable(zip(["", *dots], parts, strict=True)))


def _words_of(piece: str, language: Language) -> list[str]:
    joined = "'" in language.joiners
    words = [piece] if joined else _without_apostrophes(piece.strip("'"), language)
    return [part for word in words for part in _HUMPS.sub(" ", word).split(" ") if part]


def _without_apostrophes(word: str, language: Language) -> list[str]:
    """Return the parts around apostrophes that are words."""
    parts = word.split("'")
    elided = takewhile(lambda part: part.lower() in language.elided, parts[:-1])
    parts = parts[sum(1 for _ in elided) :]
    if language.endings is None:
        return parts[:1]
    if len(parts) > 1 and parts[-1].lower() in language.endings:
        del parts[-1]
    return parts
