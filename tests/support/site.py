"""What the pages of a built site ask for and lead to."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

FETCHED = {"src", "srcset", "poster", "data"}
"""Attributes that make a browser fetch; `href` does where a `link` has it."""


class Page(HTMLParser):
    """A page of HTML: what it fetches, where it leads to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what one element refers to."""
        for name, value in attrs:
            if name in ("id", "name"):
                self.anchors.add(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in FETCHED or name == "href":
                self.fetched.append(value or "")


def pages_of(site: Path) -> dict[Path, Page]:
    """Return each page of a site. That of errors, whose links begin at the root, is left out."""
    return {
        path: Page(path.read_text("utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"
    }


def is_elsewhere(reference: str) -> bool:
    """Whether a reference names another host."""
    return "://" in reference or reference.startswith("//")


def dead_links(pages: dict[Path, Page]) -> list[str]:
    """Return what leads to no file or no anchor, as "page: reference"."""
    dead = []
    for path, page in pages.items():
        for reference in (*page.links, *page.fetched):
            if is_elsewhere(reference) or reference.startswith(("mailto:", "data:")):
                continue
            place, anchor = urldefrag(reference)
            target = (path.parent / unquote(place)).resolve() if place else path.resolve()
            if target.is_dir():
                target /= "index.html"
            known = pages.get(target)
            if not target.is_file() or (known and unquote(anchor) not in known.anchors):
                dead.append(f"{path.name}: {reference}")
    return dead


def fetched_elsewhere(site: Path, pages: dict[Path, Page]) -> list[str]:
    """Return what pages and style sheets fetch from another host."""
    return [
        *(ref for page in pages.values() for ref in page.fetched if is_elsewhere(ref)),
        *(
            str(sheet)
            for sheet in site.rglob("*.css")
            if "url(http" in sheet.read_text("utf-8") or "@import" in sheet.read_text("utf-8")
        ),
    ]
