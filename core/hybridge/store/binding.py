"""The store under an adapter: the one that it was given, or a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.store.arguments import StoreArguments, with_functions
from hybridge.store.store import MilvusStore


def bound_store(
    store: MilvusStore | None,
    arguments: StoreArguments,
    embedding: Any,
    name: str,
    dense: Callable[[Any], DenseEmbeddingFunction | None],
    sparse: Callable[[Any], Any],
) -> MilvusStore:
    """Return the store that was given, or a new one, with the embedding for its dense field.

    Args:
        store: The store, or None.
        arguments: Those of a new one.
        embedding: The framework's embedding, or anything that `dense` takes.
        name: What the adapter calls the embedding.
        dense: Makes the dense function of an embedding; None of None.
        sparse: Makes the sparse function of one.

    Raises:
        InvalidInputError: If a store and its arguments are given, or two functions of one field.
    """
    function = dense(embedding)
    if store is None:
        return MilvusStore(dense=function, **with_functions(arguments, dense, sparse))
    if arguments:
        msg = f"store= and {', '.join(arguments)}: give those arguments to the store itself"
        raise InvalidInputError(msg)
    if not isinstance(store, MilvusStore):
        msg = f"store is a {type(store).__name__}: give a MilvusStore"
        raise InvalidInputError(msg)
    if function is None or store.dense == function:
        return store
    if store.dense is not None:
        msg = f"the store has a dense function of its own: leave {name} out"
        raise InvalidInputError(msg)
    return store.using(dense=function)
