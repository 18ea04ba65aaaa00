"""`hybridge search`: the best rows for a question."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from hybridge.cli.options import (
    COLLECTION,
    Collection,
    FilterOption,
    Json,
    Tenant,
    Uri,
    optional,
    parse_filter,
)
from hybridge.cli.output import short_path, show
from hybridge.cli.stores import Place
from hybridge.narrowing import is_mapping

if TYPE_CHECKING:
    from hybridge.records import Hit

_SHOWN = 240
"""Characters of a hit that are shown."""


Question = Annotated[
    str, typer.Argument(metavar="QUESTION", help="What is asked.", show_default=False)
]
Count = Annotated[int, typer.Option("-k", min=1, max=16_384, help="How many hits.")]
Offset = Annotated[int, typer.Option(min=0, help="How many of the best are left out.")]
ModeOption = Annotated[
    str | None,
    optional(
        "dense, sparse, hybrid, or names of fields with commas between them; "
        "hybrid where there are both."
    ),
]
Least = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The least relevance, from 0 to 1.", show_default=False),
]
Dense = Annotated[
    str | None,
    optional("The embedding model, where the collection cannot make its own."),
]
Reranker = Annotated[
    str | None,
    optional("Orders the hits anew, such as cross-encoder/ms-marco-MiniLM-L6-v2."),
]
Page = Annotated[
    Path | None,
    optional("Write every mode side by side as one HTML file, too.", metavar="FILE"),
]
Full = Annotated[bool, typer.Option("--full", help="Show whole texts.")]


def search(
    query: Question,
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    filter: FilterOption = None,
    k: Count = 5,
    offset: Offset = 0,
    mode: ModeOption = None,
    min_relevance: Least = None,
    dense: Dense = None,
    reranker: Reranker = None,
    full: Full = False,
    html: Page = None,
    json: Json = False,
) -> None:
    """Search a collection by meaning and by words."""
    from hybridge.registry import rerank_function
    from hybridge.tools import write_search_page

    asked: dict[str, Any] = {
        "k": k,
        "offset": offset,
        "mode": _parse_mode(mode),
        "filter": parse_filter(filter),
        "min_relevance": min_relevance,
        "reranker": None if reranker is None else rerank_function(reranker),
    }
    place = Place(uri, collection, tenant)
    # BM25 alone needs no model, which may take seconds to load.
    embeds = mode != "sparse" or html is not None
    with place.reading(models=embeds, dense=dense) as store:
        hits = store.search(query, **asked)
        if html is not None:
            write_search_page(store, query, html, k=k, filter=asked["filter"], full=full)
    data = {**place.to_json(), "query": query, "hits": [_data(hit) for hit in hits]}
    show(data, _lines(hits, full=full), as_json=json)


def _parse_mode(mode: str | None) -> str | list[str] | None:
    if mode is None or "," not in mode:
        return mode
    return [name.strip() for name in mode.split(",")]


def _data(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "score": float(hit.score),
        "relevance": _number(hit.relevance),
        "text": hit.text,
        "context": hit.context,
        "document_id": hit.document_id,
        "metadata": dict(hit.metadata),
        "scores": {
            name: {"score": float(one.score), "rank": one.rank, "relevance": _number(one.relevance)}
            for name, one in hit.scores.items()
        },
    }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _lines(hits: Sequence[Hit], *, full: bool) -> Iterator[Text | str]:
    if not hits:
        yield "nothing was found"
    for rank, hit in enumerate(hits, 1):
        relevance = "  - " if hit.relevance is None else f"{hit.relevance:.2f}"
        context = f"  {hit.context}" if hit.context else ""
        yield Text.assemble(f"{rank}. {relevance}  ", (_place(hit), "bold"), (context, "dim"))
        yield Text(f"{_text(hit.text, full=full)}\n")


def _place(hit: Hit) -> str:
    """Return where a hit is from: its file, with page or line, else its id."""
    said = hit.metadata.get("file")
    if not is_mapping(said) or "path" not in said:
        return hit.id
    spot = next((f"{name} {said[name]}" for name in ("page", "line") if name in said), "")
    return os.fspath(short_path(said["path"])) + (f", {spot}" if spot else "")


def _text(text: str, *, full: bool) -> str:
    if full:
        return text
    line = " ".join(text.split())
    return f"   {line if len(line) <= _SHOWN else line[:_SHOWN] + ' ...'}"
