"""`hybridge copy`: a collection to another path, server or layout."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from hybridge.cli.options import COLLECTION, Json, optional
from hybridge.cli.output import is_watched
from hybridge.cli.reports import end_with
from hybridge.cli.stores import Place

_TARGET_TOKEN = "HYBRIDGE_TARGET_TOKEN"

Source = Annotated[str, typer.Argument(help="The path or URI to copy from.", show_default=False)]
Target = Annotated[str, typer.Argument(help="The path or URI to copy to.", show_default=False)]
From = Annotated[str, typer.Option("--collection", metavar="NAME", help="What is copied.")]
To = Annotated[
    str | None,
    optional("What the copy is called, if otherwise."),
]
Sparse = Annotated[
    str | None,
    optional("Another BM25, such as bm25:de."),
]


def copy(
    source: Source,
    target: Target,
    collection: From = COLLECTION,
    to_collection: To = None,
    sparse: Sparse = None,
    json: Json = False,
) -> None:
    """Copy a collection, and verify the copy.

    Vectors come along. No model is called. What is there already is left alone, so that a run that
    was interrupted is gone on with by the next. The token of a server is read from MILVUS_TOKEN;
    that of the target, where it has another, from HYBRIDGE_TARGET_TOKEN.
    """
    from hybridge import tools

    arguments: dict[str, Any] = {
        "uri": target,
        "collection_name": to_collection or collection,
        "token": os.environ.get(_TARGET_TOKEN),
        **({} if sparse is None else {"sparse": sparse}),
    }
    with Place(source, collection).reading() as store:
        report = tools.copy(store, progress=is_watched(), **arguments)
    end_with(report, as_json=json)
