"""What a pickle of a store holds: functions by name, and no secret.

A function of Hybridge is packed as the name and the settings that make it again, an unnamed one of
Hybridge's own (a BM25) as it is, and so is a function at the top of a module. Others are refused:
an object of somebody else may hold a key in clear, as a pickled `SecretStr` does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.function_settings import settings_of
from hybridge.narrowing import is_mapping
from hybridge.registry import (
    dense_function,
    function_name,
    rerank_function,
    sparse_function,
)
from hybridge.store.arguments import StoreArguments
from hybridge.store.fields import DenseField, VectorField

Make = Callable[..., Any]

_NOT_KEPT = {"uri", "token", "db_name", "overwrite"}
"""The arguments that a pickle leaves out or says in another way."""


@dataclass(frozen=True)
class NamedFunction:
    """A function that a pickle holds by name.

    Attributes:
        name: The name that makes it; see `hybridge.registry`.
        settings: What it takes beside its model; see `hybridge.function_settings`.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


def kept_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a store that its pickle holds, of all that it was given."""
    names = {"dense", *StoreArguments.__annotations__} - _NOT_KEPT
    return {name: given[name] for name in names}


def pack_function(function: Any, what: str) -> Any:
    """Return what a pickle holds of a function, or of None, a name, or a setting in its place.

    Args:
        function: The function.
        what: What it is, for the error.

    Raises:
        InvalidInputError: If it is an object of somebody else.
    """
    if (name := function_name(function)) is not None:
        return NamedFunction(name, settings_of(function))
    kind: type[Any] = type(function)
    known = function is None or kind is str or kind.__module__.startswith("hybridge.")
    if known or _is_named(function):
        return function
    msg = (
        f"{what} is a {kind.__name__}, which is not pickled: it may hold a key. Give a function of "
        "Hybridge or its name, or make the object anew where it is needed; copy.deepcopy is "
        "another view of the same store"
    )
    raise InvalidInputError(msg)


def pack_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a store as a pickle holds them.

    Raises:
        InvalidInputError: If a function is an object of somebody else, or the encoder has no name.
    """
    check_named(arguments["metadata_encoder"], "metadata_encoder")
    packed = {**arguments}
    for name in ("dense", "sparse"):
        packed[name] = pack_function(arguments[name], f"the function of {name!r}")
    if is_mapping(fields := arguments["fields"]):
        packed["fields"] = {
            name: replace(one, function=pack_function(one.function, f"the function of {name!r}"))
            for name, one in fields.items()
        }
    return packed


def check_named(function: Any, what: str) -> None:
    """Refuse a function that a pickle cannot hold by name.

    Raises:
        InvalidInputError: If it is a lambda, one inside another, or an object of a class.
    """
    if function is not None and not _is_named(function):
        msg = (
            f"{what} is {shown(function)}, which is not pickled: give a function with a name, at "
            "the top of a module"
        )
        raise InvalidInputError(msg)


def _is_named(function: Any) -> bool:
    """Whether a function or a class is what its module has under its name."""
    home = sys.modules.get(getattr(function, "__module__", None) or "")
    return getattr(home, getattr(function, "__qualname__", ""), None) is function


def unpack_arguments(packed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a store that `pack_arguments` packed.

    Raises:
        HybridgeError: If a function cannot be made, for instance without a key.
    """
    arguments = {**packed, **unpack_functions({name: packed[name] for name in ("dense", "sparse")})}
    if is_mapping(fields := packed["fields"]):
        arguments["fields"] = {name: _unpack_field(one) for name, one in fields.items()}
    return arguments


def unpack_functions(packed: Mapping[str, Any]) -> dict[str, Any]:
    """Return functions by field; the one of "sparse" is sparse, the others are dense."""
    return {
        name: _unpack(one, sparse_function if name == "sparse" else dense_function)
        for name, one in packed.items()
    }


def unpack_reranker(packed: Any) -> Any:
    """Return the rerank function that `pack_function` packed."""
    return _unpack(packed, rerank_function)


def _unpack_field(one: VectorField) -> VectorField:
    make = dense_function if isinstance(one, DenseField) else sparse_function
    return replace(one, function=_unpack(one.function, make))


def _unpack(packed: Any, make: Make) -> Any:
    return make(packed.name, **packed.settings) if isinstance(packed, NamedFunction) else packed
