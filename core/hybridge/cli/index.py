"""`hybridge index`: files into a collection, as far as they have changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridge.cli.failures import FAILED
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
from hybridge.cli.output import is_watched, short_path, show
from hybridge.cli.stores import DENSE, NONE, Place

if TYPE_CHECKING:
    from hybridge.tools.files import Found, Indexed, Reading


Paths = Annotated[
    list[str], typer.Argument(metavar="PATH", help="Files and folders.", show_default=False)
]
Dense = Annotated[
    str | None,
    optional(f"The embedding model, '{NONE}' for BM25 alone; of a new collection {DENSE}."),
]
Sparse = Annotated[
    str | None,
    optional(f"bm25:LANGUAGE, a sparse model, or '{NONE}'; of a new collection bm25:en."),
]
ChunkSize = Annotated[int, typer.Option(min=1, max=16_000, help="Characters of a chunk, at most.")]
TextColumn = Annotated[
    str, typer.Option(metavar="NAME", help="The column of JSONL and CSV with the text.")
]
IdColumn = Annotated[
    str | None,
    optional("The column of JSONL and CSV with the id."),
]
Encoding = Annotated[
    str, typer.Option(metavar="NAME", help="The encoding of files that do not say theirs.")
]


def index(
    paths: Paths,
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    filter: FilterOption = None,
    dense: Dense = None,
    sparse: Sparse = None,
    chunk_size: ChunkSize = 1000,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Index text, Markdown, HTML, PDF, JSONL and CSV.

    Files that have not changed are skipped, changed ones replaced, and those that are gone removed:
    under the folders that are named, and never of a folder that is missing or empty.
    """
    from hybridge.tools.files import Reading, Settings, find_files

    _check_encoding(encoding)
    settings = Settings(encoding, text_column, id_column)
    reading = Reading(settings, chunk_size, parse_filter(filter))
    place = Place(uri, collection, tenant)
    found = find_files(paths)
    done = _bring_up_to_date(place, found, reading, dense=dense, sparse=sparse)
    show(_data(place, found, done), _lines(found, done), as_json=json)
    if done.failed:
        raise typer.Exit(FAILED)


def _check_encoding(encoding: str) -> None:
    from hybridge.tools.files.decoding import is_encoding

    if not is_encoding(encoding):
        msg = f"Python knows no {encoding!r}: utf-8, cp1252, latin-1, shift_jis, ..."
        raise typer.BadParameter(msg, param_hint="--encoding") from None


def _bring_up_to_date(
    place: Place, found: Found, reading: Reading, *, dense: str | None, sparse: str | None
) -> Indexed:
    """Compare, then write what has changed; a model is made only where there is something."""
    from hybridge.tools.files import Plan

    with place.looking() as there:
        plan = Plan.make(there, found, reading)
        if not plan.to_write:
            return plan.done if there is None else plan.run(there)
    store = (
        place.making(dense, sparse)
        if there is None
        else place.reading(models=True, dense=dense, sparse=sparse)
    )
    with store as opened:
        return plan.run(opened, progress=is_watched())


def _data(place: Place, found: Found, done: Indexed) -> dict[str, Any]:
    left_alone = [str(folder) for folder in found.empty]
    return {**place.to_json(), **asdict(done), "skipped": dict(found.skipped), "left": left_alone}


def _lines(found: Found, done: Indexed) -> Iterator[str]:
    numbers = {
        "new": len(done.new),
        "changed": len(done.changed),
        "unchanged": done.unchanged,
        "empty": len(done.empty),
        "removed": len(done.removed),
        "failed": len(done.failed),
    }
    told = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
    files = "1 file" if len(found.files) == 1 else f"{len(found.files):,} files"
    yield f"{files}: {told or 'nothing to do'}"
    yield f"{done.written} chunks written, {done.deleted} deleted"
    if found.skipped:
        skipped = ", ".join(f"{what} ({n})" for what, n in found.skipped.most_common())
        yield f"skipped: {skipped}"
    for folder in found.empty:
        yield f"{short_path(str(folder))} holds no file to read: what is known of it was left alone"
    for path, why in done.failed.items():
        yield f"failed: {short_path(path)}: {why}"
