"""Parts of files cut into chunks, each with the headings that it stands under."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from hybridge.extras import import_extra
from hybridge.tools.files.part import Part

LARGEST = 16_000
"""Characters of a chunk: in UTF-8 no more bytes than a row's text may have."""

_STRETCH = 50_000
"""Characters that are split at once: the splitter takes 300 s for 3,000,000 without a space."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class Chunk(NamedTuple):
    """A piece of a part.

    Attributes:
        text: The text.
        context: The title and the headings above it, if there are any.
    """

    text: str
    context: str


class Splitter:
    """Cuts at the largest units that fit: sections, paragraphs, sentences, words.

    Args:
        size: The largest number of characters of a chunk.

    Raises:
        MissingExtraError: If the splitter is not installed.
    """

    def __init__(self, size: int) -> None:
        library = import_extra(
            "semantic_text_splitter", "cutting texts into chunks", "cli", "semantic-text-splitter"
        )
        self._markdown = library.MarkdownSplitter(size)
        self._text = library.TextSplitter(size)

    def split(self, part: Part) -> Iterator[Chunk]:
        """Yield the chunks of a part; blank ones are none."""
        splitter = self._markdown if part.is_markdown else self._text
        headings = _Headings(part.text if part.is_markdown else "", part.title)
        for start, stretch in _stretches(part.text):
            for offset, text in splitter.chunk_indices(stretch):
                yield Chunk(text, headings.above(start + offset))


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """Yield a long text in pieces with their places, cut at blank lines where there are some."""
    start = 0
    while len(text) - start > _STRETCH:
        end = start + _STRETCH
        cut = max(text.rfind(end_of, start, end) for end_of in ("\n\n", "\n", " "))
        end = cut if cut > start else end
        yield start, text[start:end]
        start = end
    yield start, text[start:]


class _Headings:
    """The headings of a Markdown text: what is above each place in it."""

    def __init__(self, text: str, title: str) -> None:
        self._title = title
        self._places: list[int] = []
        self._paths: list[list[str]] = []
        path: dict[int, str] = {0: title} if title else {}
        place, fence = 0, ""
        for line in text.splitlines(keepends=True):
            if mark := _FENCE.match(line):
                fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
            elif not fence and (heading := _HEADING.match(line)):
                level = len(heading[1])
                path = {one: name for one, name in path.items() if one < level}
                path[level] = heading[2]
                self._places.append(place + heading.start(1))
                self._paths.append(list(path.values()))
            place += len(line)

    def above(self, place: int) -> str:
        """Return the path of headings above a place; one that begins there is not above it."""
        last = bisect_right(self._places, place) - 1
        if last < 0:
            return self._title
        path = self._paths[last]
        return " > ".join(path[:-1] if self._places[last] == place else path)
