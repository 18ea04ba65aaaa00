"""`hybridge stats`: what a collection holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hybridge.cli.options import COLLECTION, Collection, Json, Tenant, Uri
from hybridge.cli.output import show
from hybridge.cli.stores import Place

_TOLD = ("kind", "model", "source", "dim", "metric", "language", "health")
"""What people want to know of a field; `--json` has all there is."""


def stats(
    uri: Uri = None,
    collection: Collection = COLLECTION,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Show the rows and the fields of a collection.

    Of a field that is its model, its length and metric, and how well the model knows the documents.
    """
    place = Place(uri, collection, tenant)
    with place.reading() as store:
        described = store.describe()
    data = {**place.to_json(), **described}
    show(data, _lines(data), as_json=json)


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"{data['collection']} at {data['uri']}: {data['rows']:,} rows"
    for name, field in data["fields"].items():
        told = [f"{key} {field[key]}" for key in _TOLD if field.get(key) is not None]
        yield f"  {name}: {', '.join(told)}"
    columns = ", ".join(f"{key} ({kind})" for key, kind in data["metadata_schema"].items())
    for what, value in (
        ("typed columns", columns),
        ("partition key", data["partition_key"]),
        ("made by", data.get("library")),
        ("searched", data.get("searched")),
    ):
        if value:
            yield f"  {what}: {value}"
