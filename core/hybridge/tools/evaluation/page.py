"""An evaluation as one static file: nothing in it is loaded from elsewhere."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from string import Template

from hybridge.tools.evaluation.evaluation import Evaluation
from hybridge.tools.evaluation.plot import svg

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .8rem; text-align: left }
.proposed { background: #eef6ff; font-weight: 600 }
svg { height: auto; max-width: 100% }
</style>
<h1>$title</h1>
$body
</html>
""")


def write_page(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write an evaluation as an HTML file.

    Args:
        evaluation: What is shown; without questions there is no picture.
        path: Where to.

    Raises:
        MissingExtraError: If there is a picture, and matplotlib is not installed.
    """
    title = f"{evaluation.collection}: {evaluation.documents:,} documents"
    picture = [] if evaluation.proposed is None else [svg(evaluation)]
    parts = [
        f"<p>{evaluation.questions:,} questions, the first {evaluation.k} hits of each.</p>",
        *(f"<p>{escape(one)}</p>" for one in evaluation.advice()),
        _table(evaluation),
        *picture,
        *(f"<p>Health of {escape(name)}: {one:.2f}</p>" for name, one in evaluation.health.items()),
    ]
    page = _PAGE.substitute(title=escape(title), body="\n".join(parts))
    Path(path).write_text(page, "utf-8")


def _table(evaluation: Evaluation) -> str:
    heading, lines = evaluation.table()
    rows = [
        _row(cells, "td", "proposed" if place == evaluation.proposed else "")
        for place, cells in enumerate(lines)
    ]
    return "\n".join(["<table>", _row(heading, "th", ""), *rows, "</table>"])


def _row(cells: list[str], tag: str, kind: str) -> str:
    inside = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f'<tr class="{kind}">{inside}</tr>' if kind else f"<tr>{inside}</tr>"
