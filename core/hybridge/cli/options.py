"""The options that several commands have, and what their values mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridge.errors import FilterError
from hybridge.narrowing import is_mapping

if TYPE_CHECKING:
    from hybridge.filters import Filter


def optional(help: str, *flags: str, metavar: str = "NAME") -> Any:
    """Return an option that may be left out, and then has no default to show.

    Args:
        help: What it means.
        *flags: How it is written; without one it is written as its parameter.
        metavar: What stands for its value.
    """
    return typer.Option(*flags, metavar=metavar, help=help, show_default=False)


Uri = Annotated[
    str | None,
    optional(
        "A Milvus Lite path that ends in .db, or a server's URI; "
        "without it MILVUS_URI, else ./milvus.db.",
        "--uri",
        metavar="PATH|URI",
    ),
]
Collection = Annotated[str, typer.Option("--collection", metavar="NAME", help="The collection.")]
Tenant = Annotated[str | None, optional("See and write the rows of this tenant alone.", "--tenant")]
FilterOption = Annotated[
    str | None,
    optional(
        """Only rows whose metadata match, such as '{"year": {"$gte": 2020}}'.""",
        "--filter",
        metavar="JSON",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]

COLLECTION = "hybridge"


def parse_filter(text: str | None) -> Filter | None:
    """Return the filter that an option spells.

    Raises:
        typer.BadParameter: If it is no JSON object, or no filter.
    """
    from hybridge.filters import from_dictionary

    if text is None:
        return None
    try:
        return from_dictionary(parse_object(text, "--filter"))
    except FilterError as error:
        raise typer.BadParameter(str(error), param_hint="--filter") from None


def parse_object(text: str, option: str) -> Mapping[str, Any]:
    """Return the JSON object that an option holds.

    Raises:
        typer.BadParameter: If it holds none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"it is no JSON ({error}): quote it for the shell, '{{\"year\": 2020}}'"
        raise typer.BadParameter(msg, param_hint=option) from None
    if not is_mapping(value):
        msg = f"it is a {type(value).__name__}: give a JSON object, '{{\"year\": 2020}}'"
        raise typer.BadParameter(msg, param_hint=option)
    return value
