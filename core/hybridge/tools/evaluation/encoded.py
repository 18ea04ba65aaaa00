"""Questions encoded once, and not anew for each way to search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from hybridge.store import DenseField, MilvusStore


def encoded(store: MilvusStore, texts: Sequence[str], names: Collection[str]) -> dict[str, Any]:
    """Return the vectors of questions by dense field, one per question.

    Args:
        store: The collection.
        texts: The questions.
        names: The fields that are searched.
    """
    return {
        name: field.function.encode_queries(list(texts))
        for name, field in store.vector_fields().items()
        if name in names
        and isinstance(field, DenseField)
        and hasattr(field.function, "encode_queries")
    }
