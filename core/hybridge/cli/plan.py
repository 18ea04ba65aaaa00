"""`hybridge plan`: what a collection of some size costs."""

from __future__ import annotations

from typing import Annotated

import typer

from hybridge.cli.options import Json
from hybridge.cli.output import show

Documents = Annotated[
    float, typer.Option("--documents", help="How many, such as 1e8.", show_default=False)
]
Dim = Annotated[int, typer.Option("--dim", help="The length of their vectors.")]
Queries = Annotated[
    float, typer.Option("--queries-per-second", help="How many queries come a second.")
]
Words = Annotated[float, typer.Option("--words", help="How many words a document has.")]


def plan(
    documents: Documents,
    dim: Dim = 384,
    queries_per_second: Queries = 10.0,
    words: Words = 200.0,
    json: Json = False,
) -> None:
    """Reckon what a collection costs in storage, memory and machine-hours, and what to choose.

    Our own share is measured, the server's is by figures that Milvus and Zilliz have published.
    """
    from hybridge.tools.capacity import plan_capacity

    capacity = plan_capacity(documents, dim, queries_per_second, words)
    show(capacity.to_json(), capacity.lines(), as_json=json)
