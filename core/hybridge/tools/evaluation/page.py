"""An evaluation as one static HTML file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hybridge.tools.evaluation.evaluation import Evaluation
from hybridge.tools.evaluation.plot import svg
from hybridge.tools.page import block, element, write_html


def write_page(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write an evaluation as an HTML file that loads nothing from elsewhere.

    Args:
        evaluation: What is shown; without questions there is no picture.
        path: Where to.

    Raises:
        MissingExtraError: If there is a picture, and matplotlib is not installed.
    """
    asked = f"{evaluation.questions:,} questions, the first {evaluation.k} hits of each."
    health = (f"Health of {name}: {one:.2f}" for name, one in evaluation.health.items())
    picture = [] if evaluation.proposed is None else [svg(evaluation)]
    write_html(
        path,
        f"{evaluation.collection}: {evaluation.documents:,} documents",
        [
            *(element("p", text) for text in (asked, *evaluation.advice())),
            _table(evaluation),
            *picture,
            *(element("p", text) for text in health),
        ],
    )


def _table(evaluation: Evaluation) -> str:
    heading, lines = evaluation.table()
    rows = [
        _row(cells, "td", "chosen" if place == evaluation.proposed else "")
        for place, cells in enumerate(lines)
    ]
    return block("table", "\n".join([_row(heading, "th"), *rows]))


def _row(cells: Sequence[str], tag: str, kind: str = "") -> str:
    return block("tr", "".join(element(tag, cell) for cell in cells), kind)
