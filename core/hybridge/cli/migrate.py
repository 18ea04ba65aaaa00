"""`hybridge migrate`: what another store holds into a collection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridge.cli.options import COLLECTION, Collection, Json, Uri, optional, parse_object
from hybridge.cli.output import is_watched
from hybridge.cli.reports import end_with
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping

if TYPE_CHECKING:
    from hybridge.tools.origins import Origin

ORIGINS = {
    "chroma": "FromChroma",
    "faiss": "FromFAISS",
    "jsonl": "FromJSONL",
    "lancedb": "FromLanceDB",
    "llama-index": "FromLlamaIndex",
    "langchain": "FromInMemory",
    "parquet": "FromParquet",
    "pgvector": "FromPGVector",
    "postgres": "FromPostgres",
    "qdrant": "FromQdrant",
}
"""The classes of `hybridge.tools.origins` that a place can be given to."""

Kind = Annotated[str, typer.Argument(help=f"One of {', '.join(ORIGINS)}.", show_default=False)]
Location = Annotated[
    str,
    typer.Argument(
        metavar="PLACE", help="Its folder, file, URI or connection string.", show_default=False
    ),
]
Name = Annotated[
    str | None,
    typer.Argument(help="The collection, table or index there.", show_default=False),
]
Options = Annotated[
    str,
    typer.Option(
        "--options",
        metavar="JSON",
        help="""More of the origin's arguments, such as '{"columns": {"text": "body"}}'.""",
    ),
]
Dense = Annotated[
    str | None,
    optional("The model that made the vectors; it is not called."),
]


def migrate(
    kind: Kind,
    place: Location,
    name: Name = None,
    options: Options = "{}",
    uri: Uri = None,
    collection: Collection = COLLECTION,
    dense: Dense = None,
    json: Json = False,
) -> None:
    """Move the rows of another store into a collection.

    Their vectors come along, and what was written is verified. No model is called. What is there
    already is left alone, so that a run that was interrupted is gone on with by the next. A place
    of "-" is read from HYBRIDGE_ORIGIN, for those that hold a password.
    """
    from hybridge import tools

    origin = _origin(kind, place, name, parse_object(options, "--options"))
    report = tools.migrate(
        origin, uri=uri, collection_name=collection, dense=dense, progress=is_watched()
    )
    end_with(report, as_json=json)


def _origin(kind: str, place: str, name: str | None, options: Mapping[str, Any]) -> Origin:
    from hybridge.tools import origins

    if kind not in ORIGINS:
        msg = f"there is no {kind!r}: one of {', '.join(ORIGINS)}"
        raise typer.BadParameter(msg, param_hint="KIND")
    given = dict(options)
    if is_mapping(columns := given.get("columns")):
        given["columns"] = _made(origins.Columns, (), columns)
    named = () if name is None else (name,)
    origin: Origin = _made(getattr(origins, ORIGINS[kind]), (_secret(place), *named), given)
    return origin


def _secret(place: str) -> str:
    if place != "-":
        return place
    if found := os.environ.get("HYBRIDGE_ORIGIN"):
        return found
    msg = "the place is '-', and HYBRIDGE_ORIGIN is not set: put the connection string there"
    raise InvalidInputError(msg)


def _made(kind: Any, places: tuple[str, ...], options: Mapping[str, Any]) -> Any:
    try:
        return kind(*places, **options)
    except TypeError as error:
        why = str(error).partition("() ")[2]
        msg = f"{kind.__name__} {why}: its page in docs/moving says what it takes"
        raise typer.BadParameter(msg, param_hint="--options") from None
