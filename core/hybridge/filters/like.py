"""The patterns of `like`: `%` is any text, `_` one character, and a backslash escapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Part:
    """What stands between two `%`: characters and `_`, so it fits texts of one length only.

    Attributes:
        regex: The part as a regular expression.
        length: The characters that it takes up.
    """

    regex: re.Pattern[str]
    length: int


def fits(text: str, pattern: str) -> bool:
    """Say whether the whole text fits the pattern.

    The first part belongs at the start of the text and the last at its end. For every part between
    them the earliest place is always good enough, so nothing is tried twice, however many `%`
    there are.
    """
    first, *others = _parts(pattern)
    if not others:
        return first.regex.fullmatch(text) is not None
    *middle, last = others
    place, end = first.length, len(text) - last.length
    if place > end or not first.regex.match(text) or not last.regex.match(text, end):
        return False
    for part in middle:
        found = part.regex.search(text, place, end)
        if found is None:
            return False
        place = found.end()
    return True


@lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[Part, ...]:
    """Return what stands before, between and after the `%` of a pattern."""
    parts: list[list[str]] = [[]]
    for sign in re.findall(r"\\.|.", pattern, flags=re.DOTALL):
        if sign == "%":
            parts.append([])
        else:
            parts[-1].append("." if sign == "_" else re.escape(sign[-1]))
    return tuple(Part(re.compile("".join(part), flags=re.DOTALL), len(part)) for part in parts)
