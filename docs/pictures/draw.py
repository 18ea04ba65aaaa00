"""Draws the pictures of the documentation, each from a real run.

    python docs/pictures/draw.py

demo.svg shows what `examples/quickstart.py` prints about its questions; the collection is made
first where it is not there yet. Text stays text, and no font or script comes from elsewhere.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
COMMAND = "$ make demo"

SIZE = 14  # of the letters, in pixels
ADVANCE, LEADING, MARGIN = SIZE * 0.6, SIZE * 1.4, SIZE * 1.5
PAPER, INK, FAINT = "#14181f", "#d7dde5", "#8fb7ff"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"


def main() -> None:
    """Draw all of them."""
    shown = demo()
    title = "The output of make demo: at which place three modes of search find the right answers"
    (HERE / "demo.svg").write_text(svg(f"{COMMAND}\n{shown}", title), "utf-8")


def demo() -> str:
    """Return what the demo says about its questions."""
    sys.path.insert(0, str(EXAMPLES))
    import quickstart
    from hybridge import DefaultEmbeddingFunction, MilvusStore

    model = DefaultEmbeddingFunction()
    with (
        MilvusStore(
            quickstart.DATABASE, collection_name=quickstart.COLLECTION, dense=model
        ) as store,
        contextlib.redirect_stdout(io.StringIO()) as out,
    ):
        quickstart.index(store)
        out.truncate(0)
        quickstart.compare_modes(store)
    return out.getvalue().lstrip("\0")


def svg(text: str, title: str) -> str:
    """Return a picture of a terminal; headings, which start at the margin, are tinted."""
    lines = text.rstrip("\n").splitlines()
    width = 2 * MARGIN + ADVANCE * max(map(len, lines))
    height = 2 * MARGIN + LEADING * len(lines)
    drawn = "\n".join(
        # Runs of words have places of their own, since viewers make one space of several.
        f'<text x="{MARGIN + ADVANCE * run.start():.1f}" y="{MARGIN + LEADING * number + SIZE:.1f}"'
        f' textLength="{ADVANCE * len(run[0]):.1f}" fill="{INK if line[0] == " " else FAINT}">'
        f"{escape(run[0])}</text>"
        for number, line in enumerate(lines)
        for run in re.finditer(r"\S+(?: \S+)*", line)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' font-family="{FONTS}" font-size="{SIZE}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n{drawn}\n</svg>\n'
    )


if __name__ == "__main__":
    main()
