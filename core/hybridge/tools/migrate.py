"""Moving data into a collection with the vectors that they have: no model is called.

What is there already as the origin has it is left alone, so that a run that was interrupted, by
`kill -9` as well, is gone on with by the next, and a finished one writes nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from tqdm.auto import tqdm
from typing_extensions import Unpack

from hybridge.arguments import check_flag
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.store import (
    DenseField,
    MilvusStore,
    StoreArguments,
    VectorField,
    batched,
    parse_limit,
)
from hybridge.tools.origins import FromStore, Origin
from hybridge.tools.rows import Rows
from hybridge.tools.verify import Report, verify

BATCH_SIZE = 1000


def migrate(
    origin: Origin,
    store: MilvusStore | None = None,
    *,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
    dense: DenseEmbeddingFunction | str | None = None,
    **arguments: Unpack[StoreArguments],
) -> Report:
    """Move the records of an origin into a collection, and verify them.

    Vectors are moved as they are, and the store's BM25 is counted on the way. Call it again after
    an interruption, or when the origin has changed: only what is not there is written.

    Args:
        origin: Where the records are, such as `FromChroma("./chroma", "docs")`.
        store: Where they go; None takes the arguments of one. Its functions are not called.
        batch_size: How many records are read, looked up and written at once.
        progress: Whether to show a progress bar.
        dense: The model that made the vectors of "dense", or its name. It is not called: a new
            collection remembers its name, so that `MilvusStore.open` makes it again.
        **arguments: Those of `MilvusStore`, such as `uri=` and `collection_name=`. Where a new
            collection is made, its fields are the origin's, by the origin's metric.

    Returns:
        What was written, and how the collection compares with the origin; print it.

    Raises:
        InvalidInputError: If an argument makes no sense, or a record cannot be stored; what came
            before it is written.
        MissingExtraError: If a library is not installed that reads the origin.
    """
    _check(origin, store, {**arguments, **({} if dense is None else {"dense": dense})})
    batch_size = parse_limit(batch_size, "batch_size")
    check_flag(progress, "progress")
    with _opened(origin, store, dense, arguments) as target:
        written = _move(origin, target, batch_size, progress)
        return replace(verify(origin, target, progress=progress), written=written)


def copy(
    source: MilvusStore,
    target: MilvusStore | None = None,
    *,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
    **arguments: Unpack[StoreArguments],
) -> Report:
    """Copy a collection: to another path or server, or into the layout of this version.

    Args:
        source: What is copied.
        target: Where it goes; see `migrate`, as for all that follow.
        batch_size: See `migrate`.
        progress: See `migrate`.
        **arguments: See `migrate`.
    """
    origin = FromStore(source)
    return migrate(origin, target, batch_size=batch_size, progress=progress, **arguments)


def _check(origin: object, store: MilvusStore | None, arguments: Any) -> None:
    if not isinstance(origin, Origin):
        msg = f"the origin is a {type(origin).__name__}: give one of hybridge.tools.origins"
        raise InvalidInputError(msg)
    if store is not None and arguments:
        msg = f"a store, and {sorted(arguments)} of another: give one of the two"
        raise InvalidInputError(msg)


def _move(origin: Origin, store: MilvusStore, batch_size: int, progress: bool) -> int:
    """Write what the store has not; return how many records that were."""
    rows, written = Rows(store), 0
    with tqdm(total=origin.count(), disable=not progress, desc="migrate", unit="record") as bar:
        for page in batched(origin.records(), batch_size):
            if differing := rows.differing(page):
                written += len(store.add(differing, batch_size=batch_size))
            bar.update(len(page))
    return written


@contextmanager
def _opened(
    origin: Origin,
    store: MilvusStore | None,
    dense: DenseEmbeddingFunction | str | None,
    arguments: StoreArguments,
) -> Generator[MilvusStore]:
    """Give a store that calls no function; one that was made here is closed afterwards."""
    if store is not None:
        yield _without_functions(store)
        return
    with MilvusStore(dense=dense, **arguments) as there:
        if there.exists() and not arguments.get("overwrite"):
            yield _without_functions(there)
            return
    with MilvusStore(**_for_new(origin, dense, arguments)) as new:
        yield _without_functions(new)


def _for_new(
    origin: Origin, dense: DenseEmbeddingFunction | str | None, given: StoreArguments
) -> StoreArguments:
    """Return the arguments of a store for a new collection; what is given counts."""
    own = origin.arguments()
    fields: dict[str, VectorField] = {**(own.get("fields") or {}), **(given.get("fields") or {})}
    if isinstance(one := fields.get("dense"), DenseField):
        function, dim = dense or one.function, given.get("dim") or one.dim
        fields["dense"] = replace(one, function=function, dim=dim)
    if "sparse" in given:
        fields.pop("sparse", None)
    return cast("StoreArguments", {**own, **given, "fields": fields, "dim": None})


def _without_functions(store: MilvusStore) -> MilvusStore:
    called = {
        name: None
        for name, one in store.vector_fields().items()
        if one.function is not None and not one.is_made_here
    }
    return store.using(**called)
