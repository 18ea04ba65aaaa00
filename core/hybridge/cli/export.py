"""`hybridge export`: the rows of a collection into a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybridge.cli.options import (
    COLLECTION,
    Collection,
    FilterOption,
    Json,
    Tenant,
    Uri,
    parse_filter,
)
from hybridge.cli.output import is_watched, show
from hybridge.cli.stores import Place

if TYPE_CHECKING:
    from hybridge.tools.exports import Writer

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A file that ends in .jsonl or .parquet; - prints lines of JSON.",
        show_default=False,
    ),
]
Vectors = Annotated[bool, typer.Option("--vectors", help="With the vectors of all fields.")]


def export(
    file: File,
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    filter: FilterOption = None,
    vectors: Vectors = False,
    json: Json = False,
) -> None:
    """Write rows to a file of JSON lines or Parquet.

    The file is there once it is whole. `hybridge migrate` reads it back.
    """
    from hybridge.tools.exports import export_records, writer_of

    to_stdout = file == "-"
    if to_stdout and json:
        msg = "the rows go to stdout, and so does --json: leave one of them out"
        raise typer.BadParameter(msg, param_hint="--json")
    write: Writer = writer_of(".jsonl" if to_stdout else Path(file).suffix)
    place, tree = Place(uri, collection, tenant), parse_filter(filter)
    with place.reading() as store:
        rows = export_records(
            store,
            sys.stdout.buffer if to_stdout else Path(file),
            write,
            filter=tree,
            with_vectors=vectors,
            progress=is_watched(),
        )
    if not to_stdout:
        data = {**place.to_json(), "file": os.path.realpath(file), "rows": rows}
        show(data, [f"{rows:,} rows in {file}"], as_json=json)
