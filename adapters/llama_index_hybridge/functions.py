"""A model function as a field of a LlamaIndex component: an object, or the name of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

from llama_index.core.bridge.pydantic import PlainSerializer

from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.registry import rerank_function

T = TypeVar("T")

FunctionField = Annotated[
    Any, PlainSerializer(lambda one: one if isinstance(one, str) else None, return_type=str | None)
]
"""Serialised as its name where it was given by name, else as null."""


def resolve(function: T | str, kind: type[Any], by_name: Callable[[str], T]) -> T:
    """Return the function that was given, or that bears the name given.

    Args:
        function: The function, or its name.
        kind: The protocol that it must follow.
        by_name: Finds it by name.

    Raises:
        InvalidInputError: If it is neither, as where a dictionary is loaded that could not hold it.
    """
    if isinstance(function, str):
        return by_name(function)
    # A class has the methods too, and would pass for an instance.
    if isinstance(function, kind) and not isinstance(function, type):
        return cast("T", function)
    msg = (
        f"{type(function).__name__!r} is neither a {kind.__name__} nor the name of one; a "
        "dictionary holds names only, so give an object again: from_dict(data, function=...)"
    )
    raise InvalidInputError(msg)


def as_reranker(reranker: RerankFunction | str | None) -> RerankFunction | None:
    """Return the rerank function that was given, or that bears the name given, or None.

    Raises:
        InvalidInputError: If it is none of these.
    """
    return None if reranker is None else resolve(reranker, RerankFunction, rerank_function)


def name_of(function: object) -> str:
    """Return what tells one function's results from another's, for caches and events."""
    return str(getattr(function, "model_name", type(function).__name__))
