"""What a component is given, checked before LlamaIndex or a function sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from llama_index.core.bridge.pydantic import PlainSerializer
from llama_index.core.callbacks import CallbackManager
from llama_index.core.rate_limiter import BaseRateLimiter
from llama_index.core.storage.kvstore.types import BaseKVStore
from typing_extensions import TypedDict

from hybridge.errors import InvalidInputError
from hybridge.spellings import Spellings, check_names
from hybridge.texts import parse_texts

FunctionField = Annotated[
    Any, PlainSerializer(lambda one: one if isinstance(one, str) else None, return_type=str | None)
]
"""A model function as a field: serialised as its name where it was given by name, else as null."""


class SparseSettings(TypedDict, total=False):
    """The settings of `BaseSparseEmbedding`.

    Attributes:
        model_name: What events call the function; its own `model_name` if left out.
        embed_batch_size: Texts in one call of the function.
        num_workers: Calls at a time, of the async methods.
    """

    model_name: str
    embed_batch_size: int
    num_workers: int | None


class DenseSettings(SparseSettings, total=False):
    """The settings of `BaseEmbedding`.

    Attributes:
        callback_manager: Told of every call.
        embeddings_cache: Keeps vectors.
        rate_limiter: Asked before every call.
    """

    callback_manager: CallbackManager
    embeddings_cache: BaseKVStore | None
    rate_limiter: BaseRateLimiter | None


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
    return str(getattr(function, "model_name", None) or type(function).__name__)


def parse_settings(
    given: Mapping[str, Any],
    known: Iterable[str],
    owner: str,
    spellings: Spellings | None = None,
) -> dict[str, Any]:
    """Return the settings of a component, without the class name that a dictionary carries.

    Pydantic would drop what it does not know.

    Args:
        given: The settings.
        known: The names of all that there are.
        owner: What has those, for the error.
        spellings: What others call them, and what to do instead.

    Raises:
        InvalidInputError: If there is no such setting; it says what was meant, as far as that can
            be told.
    """
    settings = {name: value for name, value in given.items() if name != "class_name"}
    check_names(settings, known, owner, spellings)
    return settings


def check_dense_settings(settings: Mapping[str, Any]) -> None:
    """Refuse what LlamaIndex refuses by an error that is not ours, or takes and trips over later.

    Raises:
        InvalidInputError: If the cache or the rate limiter is none.
    """
    for name, kind in (("embeddings_cache", BaseKVStore), ("rate_limiter", BaseRateLimiter)):
        value = settings.get(name)
        if not isinstance(value, (kind, type(None))):
            msg = f"{name} must be a {kind.__name__}, not {type(value).__name__}"
            raise InvalidInputError(msg)


def parse_queries(queries: list[str]) -> list[str]:
    """Return the queries whose vectors are to be one.

    Raises:
        InvalidInputError: If it is no list of strings, or empty.
    """
    texts = parse_texts(queries, "queries")
    if not texts:
        raise InvalidInputError("queries is empty: there is no mean of no vectors")
    return texts
