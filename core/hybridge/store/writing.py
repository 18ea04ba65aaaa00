"""From checked records to rows: encoding, keeping what the other framework stored, one batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from hybridge.errors import InvalidInputError, PartialWriteError
from hybridge.records import Record
from hybridge.store.collection import Collection
from hybridge.store.layouts import Layout, column
from hybridge.store.legs import Leg, SparseLeg
from hybridge.store.live_bm25 import LiveBM25
from hybridge.store.reencoding import settle_while_writing
from hybridge.store.schema import EMPTY_SPARSE
from hybridge.store.session import Known
from hybridge.store.validation import valid_dense_batch, valid_dimension, valid_sparse

T = TypeVar("T")

Vectors: TypeAlias = "Sequence[ArrayLike] | NDArray[np.float32]"
Encode: TypeAlias = Callable[[list[str]], Vectors]
AsyncEncode: TypeAlias = Callable[[list[str]], Awaitable[Vectors]]

_ERASED_AT_ONCE = 1000

# What `extra` may say about the row's own text and metadata, kept true when they are overwritten.
OFFSETS = "offsets"  # where in its document the text stood
METADATA = "metadata"  # null: the metadata that the rest of `extra` speaks of are the row's


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class Landing:
    """What one call of `add` has written so far, with a progress bar; a context manager.

    Args:
        total: How many records there are, where that is known.
        progress: Whether to show the bar.

    Raises:
        PartialWriteError: On leaving with an error, if anything was written before it.
    """

    def __init__(self, total: int | None, progress: bool) -> None:
        self.ids: list[str] = []
        self._bar = tqdm(total=total, disable=not progress, desc="add", unit="record")

    def count(self, batch: Sequence[Record]) -> None:
        """Note that these records were written."""
        self.ids += [str(record.id) for record in batch]
        self._bar.update(len(batch))

    def __enter__(self) -> Landing:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()
        if self.ids and isinstance(error, Exception):
            msg = f"{len(self.ids)} records were written before this: {error}"
            raise PartialWriteError(msg, self.ids) from error


def latest(batch: Sequence[Record]) -> list[Record]:
    """Return the last record of each id."""
    return list({record.id: record for record in batch}.values())


def texts_to_encode(records: Sequence[Record]) -> list[str]:
    """Return the texts of the records that have no dense vector."""
    return [record.text for record in records if record.dense is None]


def with_dense(records: Sequence[Record], vectors: Vectors) -> list[Record]:
    """Return the records with the dense vectors that were missing.

    Raises:
        InvalidInputError: If there is not one vector per missing one, or one is no vector.
    """
    names = [f"the vector of {record.id!r:.80}" for record in records if record.dense is None]
    if len(vectors) != len(names):
        msg = f"the embedding function made {len(vectors)} vectors of {len(names)} texts"
        raise InvalidInputError(msg)
    made = iter(valid_dense_batch(vectors, names))
    return [
        record if record.dense is not None else replace(record, dense=next(made))
        for record in records
    ]


def write(records: Sequence[Record], known: Known) -> None:
    """Write records with distinct ids, under the shared lock that the caller holds.

    Raises:
        InvalidInputError: If the vectors do not fit the collection, or a row belongs to another
            tenant; nothing was sent.
    """
    collection, layout, legs = known
    for record in records:
        _check_vectors(record, layout)
    bm25 = live_bm25(legs)
    ids = [str(record.id) for record in records]
    old = collection.read(ids, ["text", "metadata", "document_id", "extra"])
    if layout.partition_key is not None:
        _check_tenants(records, old, layout.partition_key)
    records = [_kept(record, old.get(str(record.id))) for record in records]
    if bm25 is None:
        records = _with_sparse(records, legs.get("sparse"))
        collection.upsert([_row(record, layout) for record in records])
        return
    added = bm25.count(record.text for record in records)
    removed = bm25.count(row["text"] for row in old.values()) if old else None
    vectors = bm25.weigh(added)
    records = [replace(r, sparse=vector) for r, vector in zip(records, vectors, strict=True)]
    with bm25.following(added, removed):
        collection.upsert([_row(record, layout) for record in records])
    settle_while_writing(collection, bm25)


def erase_all(ids: Iterable[str], known: Known) -> int:
    """Delete rows, one batch at a time under the shared lock; return how many there were."""
    shared = known.collection.shared
    erased = 0
    for batch in batched(ids, _ERASED_AT_ONCE):
        with shared.lock:
            shared.refuse_if_broken()
            erased += _erase(batch, known.collection, known.legs)
    return erased


def _erase(ids: Sequence[str], collection: Collection, legs: Mapping[str, Leg]) -> int:
    bm25 = live_bm25(legs)
    old = collection.read(ids, ["text"] if bm25 else [])
    if not old:
        return 0
    if bm25 is None:
        collection.delete(list(old))
    else:
        with bm25.following(removed=bm25.count(row["text"] for row in old.values())):
            collection.delete(list(old))
    return len(old)


def live_bm25(legs: Mapping[str, Leg]) -> LiveBM25 | None:
    """Return the store's own BM25, where it has one."""
    function = legs["sparse"].function if "sparse" in legs else None
    return function if isinstance(function, LiveBM25) else None


def _check_vectors(record: Record, layout: Layout) -> None:
    name = f"the dense vector of record {record.id!r:.80}"
    if layout.dim is None and record.dense is not None:
        msg = f"{name} has no place: the collection holds no dense vectors"
        raise InvalidInputError(msg)
    if layout.dim is not None and record.dense is None:
        msg = f"{name} is missing: set Record(dense=...), or give the store a dense function"
        raise InvalidInputError(msg)
    if layout.dim is not None and record.dense is not None:
        valid_dimension(record.dense, layout.dim, name)
    if layout.sparse is None and record.sparse is not None:
        msg = f"record {record.id!r:.80} has a sparse vector, and the collection holds none"
        raise InvalidInputError(msg)


def _check_tenants(
    records: Sequence[Record], old: Mapping[str, Mapping[str, Any]], key: str
) -> None:
    """An id is unique across tenants: an upsert would take the row from the one that has it."""
    for record in records:
        row = old.get(str(record.id))
        if row is not None and row["metadata"].get(key) != record.metadata.get(key):
            msg = f"the id {record.id!r:.80} belongs to another tenant: use another id"
            raise InvalidInputError(msg)


def _with_sparse(records: Sequence[Record], leg: Leg | None) -> list[Record]:
    """Return the records with the sparse vectors that were missing."""
    if not isinstance(leg, SparseLeg):
        return list(records)
    missing = [record.text for record in records if record.sparse is None]
    vectors = iter(leg.encode_documents(missing) if missing else ())
    return [
        record
        if record.sparse is not None
        else replace(record, sparse=valid_sparse(next(vectors), f"record {record.id!r:.80}"))
        for record in records
    ]


def _kept(record: Record, old: Mapping[str, Any] | None) -> Record:
    """Return the record with what the row held and the record does not say.

    An upsert sets what is left out to NULL, so a framework that knows nothing of `document_id`
    or `extra` would erase what the other one stored.
    """
    if old is None:
        return record
    extra = record.extra
    if extra is None and old["extra"] is not None:
        extra = dict(old["extra"])
        if old["text"] != record.text:
            extra.pop(OFFSETS, None)
        if METADATA in extra and extra[METADATA] is None and old["metadata"] != record.metadata:
            extra[METADATA] = old["metadata"]
    document_id = old["document_id"] if record.document_id is None else record.document_id
    return replace(record, document_id=document_id, extra=extra)


def _row(record: Record, layout: Layout) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": record.id,
        "text": record.text,
        "metadata": dict(record.metadata),
        "document_id": record.document_id or None,
        "extra": None if record.extra is None else dict(record.extra),
    }
    if layout.dim is not None:
        row["dense"] = record.dense
    if layout.sparse is not None:
        row["sparse"] = dict(record.sparse or EMPTY_SPARSE)
    row |= {column(key): record.metadata.get(key) for key in layout.columns}
    return row
