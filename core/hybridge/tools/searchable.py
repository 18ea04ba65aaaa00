"""The fields of a collection that a text alone can search."""

from __future__ import annotations

from collections.abc import Mapping

from hybridge.errors import InvalidInputError
from hybridge.store import MilvusStore, VectorField


def searchable_fields(store: MilvusStore) -> Mapping[str, VectorField]:
    """Return the fields that encode a text by themselves, by name.

    Raises:
        InvalidInputError: If there is none.
    """
    fields = {
        name: field for name, field in store.vector_fields().items() if field.function is not None
    }
    if not fields:
        msg = (
            f"no field of {store.collection_name!r} can be searched by a text: give the store the "
            "functions that made its vectors"
        )
        raise InvalidInputError(msg)
    return fields
