"""One question in every mode, side by side, as one static HTML file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hybridge.arguments import check_flag
from hybridge.records import Hit
from hybridge.store import FilterLike, MilvusStore
from hybridge.tools.page import block, element, write_html
from hybridge.tools.searchable import searchable_fields

_SHOWN = 400
"""Characters of a hit that are shown."""

_TERMS = 8
"""Terms of a hit that are shown, those that add most."""


def write_search_page(
    store: MilvusStore,
    query: str,
    path: str | os.PathLike[str],
    *,
    k: int = 10,
    filter: FilterLike = None,
    full: bool = False,
) -> None:
    """Write what each field finds for a question, and what all of them find together.

    Every hit has its score, its relevance, what each field says of it, and for BM25 which terms
    match and what they add.

    Args:
        store: The collection, with the functions that encode questions.
        query: The question.
        path: Where to.
        k: How many hits of each mode.
        filter: Which rows may be found.
        full: Whether whole texts are shown.

    Raises:
        InvalidInputError: If an argument makes no sense.
    """
    check_flag(full, "full")
    fields = searchable_fields(store)
    counted = [name for name, one in fields.items() if one.is_counted]
    modes: dict[str, list[str]] = {name: [name] for name in fields}
    if len(fields) > 1:
        modes = {" + ".join(fields): list(fields), **modes}
    columns: list[str] = []
    for name, mode in modes.items():
        hits = store.search(query, k=k, mode=mode, filter=filter)
        found = [block("li", "".join(_shown(store, query, hit, counted, full))) for hit in hits]
        column = block("ol", "\n".join(found)) if found else element("p", "nothing was found")
        columns.append(block("section", element("h2", name) + column))
    write_html(path, query, [block("div", "\n".join(columns), "columns")])


def _shown(
    store: MilvusStore, query: str, hit: Hit, counted: list[str], full: bool
) -> Iterator[str]:
    relevance = "" if hit.relevance is None else f"relevance {hit.relevance:.2f}, "
    yield element("div", hit.id, "chosen")
    yield element("div", f"{relevance}score {hit.score:.4g}", "small")
    for name, one in hit.scores.items():
        yield element("div", f"{name}: rank {one.rank}, score {one.score:.4g}", "small")
    for name in counted:
        if name in hit.scores:
            terms = list(store.explain(query, hit.id, field=name).items())[:_TERMS]
            told = ", ".join(f"{term} {value:.2f}" for term, value in terms)
            yield element("div", f"{name} terms: {told}", "small")
    cut = full or len(hit.text) <= _SHOWN
    yield element("div", hit.text if cut else hit.text[:_SHOWN] + " ...")
