"""One static HTML file: nothing in it is loaded from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .8rem; text-align: left }
.chosen { background: #eef6ff; font-weight: 600 }
.small { color: #555; font-size: .85rem }
.columns { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)) }
svg { height: auto; max-width: 100% }
</style>
<h1>$title</h1>
$body
</html>
""")


def write_html(path: str | os.PathLike[str], title: str, parts: Iterable[str]) -> None:
    """Write a page.

    Args:
        path: Where to.
        title: Its title, as text.
        parts: What is in it, as HTML.
    """
    page = _PAGE.substitute(title=escape(title), body="\n".join(parts))
    Path(path).write_text(page, "utf-8")


def element(tag: str, text: str, kind: str = "") -> str:
    """Return an element that holds a text, which is escaped.

    Args:
        tag: Its tag.
        text: The text.
        kind: Its class.
    """
    return block(tag, escape(text), kind)


def block(tag: str, inside: str, kind: str = "") -> str:
    """Return an element that holds HTML; see `element`."""
    opening = f'{tag} class="{kind}"' if kind else tag
    return f"<{opening}>{inside}</{tag}>"
