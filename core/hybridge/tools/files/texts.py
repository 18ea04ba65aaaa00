"""Texts, Markdown and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from hybridge.tools.files.decoding import decode, is_encoding, read_whole
from hybridge.tools.files.part import Part, Settings

_BLOCKS = re.compile(
    "address|article|aside|blockquote|br|d[dlt]|details|div|fieldset|figcaption|figure|footer|form|"
    "header|hr|li|main|nav|ol|p|pre|section|summary|table|t[dhr]|ul"
)
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg"})
_HEADING = re.compile(r"h([1-6])")
_BLANK_LINES = re.compile(r"[ \t]*\n([ \t]*\n)+")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([A-Za-z0-9_-]{1,40})", re.IGNORECASE)


def read_text(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield the text of a file."""
    yield Part(decode(read_whole(path), settings.encoding))


def read_markdown(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield the text of a Markdown file."""
    yield Part(decode(read_whole(path), settings.encoding), is_markdown=True)


def read_html(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield what a page says, its headings as those of Markdown."""
    content = read_whole(path)
    declared = _CHARSET.search(content[:2048])
    encoding = settings.encoding if declared is None else declared[1].decode("ascii")
    page = _Page()
    page.feed(decode(content, encoding if is_encoding(encoding) else settings.encoding))
    page.close()
    title = " ".join("".join(page.title).split())
    text = _BLANK_LINES.sub("\n\n", "".join(page.pieces)).strip()
    yield Part(text, is_markdown=True, title=title)


class _Page(HTMLParser):
    """The text of a page, block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.title: list[str] = []
        self._unseen = 0
        self._in_title = self._verbatim = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self._in_title = self._in_title or tag == "title"
        self._verbatim = self._verbatim or tag == "pre"
        if heading := _HEADING.fullmatch(tag):
            self.pieces.append(f"\n\n{'#' * int(heading[1])} ")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif _BLOCKS.fullmatch(tag):
            self.pieces.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(self._unseen - (tag in _UNSEEN), 0)
        self._in_title = self._in_title and tag != "title"
        self._verbatim = self._verbatim and tag != "pre"
        if _HEADING.fullmatch(tag) or _BLOCKS.fullmatch(tag):
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._unseen:
            self.pieces.append(data if self._verbatim else re.sub(r"\s+", " ", data))
