"""`hybridge check`: whether what BM25 keeps is what the rows hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hybridge.cli.failures import FAULTS
from hybridge.cli.options import COLLECTION, Collection, Json, Tenant, Uri
from hybridge.cli.output import show
from hybridge.cli.stores import Place

if TYPE_CHECKING:
    from hybridge.store import MilvusStore

Health = Annotated[
    bool, typer.Option("--health", help="Measure too how well the models know the documents.")
]


def check(
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    health: Health = False,
    json: Json = False,
) -> None:
    """Count afresh, and say what differs in BM25.

    The exit code is 3 if anything does, and `hybridge reindex` mends it. With --health the models
    are loaded, and each is asked for the documents by words from their middle; `hybridge stats`
    shows the figures.
    """
    place = Place(uri, collection, tenant)
    with place.reading(models=health) as store:
        rows, faults = store.count(), find_faults(store)
    data = {**place.to_json(), "ok": not faults, "rows": rows, "faults": faults}
    lines = [*faults, "`hybridge reindex` mends it"] if faults else [f"{rows:,} rows, all is well"]
    show(data, lines, as_json=json)
    if faults:
        raise typer.Exit(FAULTS)


def find_faults(store: MilvusStore) -> list[str]:
    """Return what differs; nothing where the store counts nothing by itself."""
    return store.check() if counts(store) else []


def counts(store: MilvusStore) -> bool:
    """Whether some field has a BM25 of the store's own."""
    return any(one.is_counted for one in store.vector_fields().values())
