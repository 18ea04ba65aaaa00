"""A model function as a field of a LlamaIndex component: an object, or the name of one."""

from __future__ import annotations

from typing import Annotated, Any

from llama_index.core.bridge.pydantic import PlainSerializer

from hybridge.errors import InvalidInputError

FunctionField = Annotated[
    Any, PlainSerializer(lambda one: one if isinstance(one, str) else None, return_type=str | None)
]
"""Serialised as its name where it was given by name, else as null."""


def check_given(function: object) -> None:
    """Refuse a function that is absent, as where a dictionary is loaded that could not hold it.

    Raises:
        InvalidInputError: If it is None.
    """
    if function is None:
        msg = (
            "there is no function: a dictionary holds one by its name only, so give an object "
            "again: from_dict(data, function=...)"
        )
        raise InvalidInputError(msg)


def name_of(function: object) -> str:
    """Return what tells one function's results from another's, for caches and events."""
    return str(getattr(function, "model_name", type(function).__name__))
