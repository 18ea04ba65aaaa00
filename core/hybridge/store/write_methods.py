"""The methods of a store that change rows, or the collection itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from hybridge.errors import InvalidInputError
from hybridge.filters import DOCUMENT_ID, ROW_ID, And, as_filter
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.records import Record
from hybridge.store.selection import FilterLike, check, select_ids
from hybridge.store.session import Session
from hybridge.store.tenancy import Tenant
from hybridge.store.threads import Threads, async_twin
from hybridge.store.validation import valid_ids, valid_limit, valid_record
from hybridge.store.writing import (
    AsyncEncode,
    Encode,
    Landing,
    batched,
    erase_all,
    latest,
    texts_to_encode,
    with_dense,
    write,
)

BATCH_SIZE = 256


class WriteMethods:
    """What `MilvusStore` does to rows, sync and async."""

    dense: DenseEmbeddingFunction | None
    _session: Session
    _tenant: Tenant
    threads: Threads

    def add(
        self,
        records: Iterable[Record],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        encode: Encode | None = None,
    ) -> list[str]:
        """Insert records, or overwrite those whose id is there already.

        A list is checked as a whole before anything is sent; another iterable batch by batch.
        Overwriting keeps `document_id` and `extra` where the record leaves them out.

        Args:
            records: What to store. The last of several with one id wins.
            batch_size: How many records are encoded and sent at once.
            progress: Whether to show a progress bar.
            encode: Makes one dense vector per text, in place of the store's dense function.

        Returns:
            One id per record, in order.

        Raises:
            InvalidInputError: If a record cannot be stored; it names the record.
            PartialWriteError: If a later batch fails; `landed` holds the ids that were written.
        """
        batches = self._checked_batches(records, batch_size)
        with self._session.entered(), Landing(_length(records), progress) as landing:
            for batch in batches:
                self._add_batch(latest(batch), encode)
                landing.count(batch)
        return landing.ids

    async def aadd(
        self,
        records: Iterable[Record],
        *,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        encode: AsyncEncode | None = None,
    ) -> list[str]:
        """Async twin of `add`; `encode` is awaited in the caller's event loop."""
        if encode is None:
            add = partial(self.add, records, batch_size=batch_size, progress=progress)
            return await self.threads.run(add)
        batches = await self.threads.run(partial(self._checked_batches, records, batch_size))
        with Landing(_length(records), progress) as landing:
            while batch := await self.threads.run(lambda: next(batches, None)):
                written = latest(batch)
                if texts := texts_to_encode(written):
                    written = with_dense(written, await encode(texts))
                await self.threads.run(partial(self.add, written, batch_size=batch_size))
                landing.count(batch)
        return landing.ids

    def _checked_batches(
        self, records: Iterable[Record], batch_size: int
    ) -> Iterator[list[Record]]:
        batch_size = valid_limit(batch_size, "batch_size")
        with self._session.entered() as known:
            there = self._session.demands if known is None else known.layout
        checked: Iterable[Record] = (
            self._tenant.claim(valid_record(record, position, there.columns), there.partition_key)
            for position, record in enumerate(records)
        )
        return batched(list(checked) if isinstance(records, Sequence) else checked, batch_size)

    def _add_batch(self, records: list[Record], encode: Encode | None) -> None:
        encode = encode or self._encoder()
        if encode is not None and (texts := texts_to_encode(records)):
            records = with_dense(records, encode(texts))
        shared = self._session.collection().shared
        with shared.lock:
            shared.refuse_if_broken()
            first = next((len(r.dense) for r in records if r.dense is not None), None)
            write(records, self._session.made(first))

    def _encoder(self) -> Encode | None:
        """Return what encodes texts: there must be a function, and a field for its vectors."""
        known = self._session.look()
        if self.dense is None or (known is not None and "dense" not in known.legs):
            return None
        return self.dense.encode_documents

    def delete(
        self,
        ids: Sequence[str] | None = None,
        *,
        document_id: str | None = None,
        filter: FilterLike = None,
        expr: str | None = None,
    ) -> int:
        """Delete the rows that every given selector selects; ids that are missing are fine.

        Args:
            ids: These rows.
            document_id: The chunks of this document.
            filter: The rows that match.
            expr: The rows that a raw Milvus expression selects.

        Returns:
            How many rows there were.

        Raises:
            InvalidInputError: If no selector is given; `drop()` removes everything.
        """
        wanted = as_filter(filter)
        check(wanted, expr)
        if ids is None and document_id is None and wanted is None and not expr:
            msg = (
                "delete() without a selector: give ids, document_id, filter or expr; "
                "clear() removes every row, drop() the collection as well"
            )
            raise InvalidInputError(msg)
        ids = None if ids is None else list(dict.fromkeys(valid_ids(ids)))
        with self._session.entered() as known:
            if known is None or ids == []:
                return 0
            by_id = None if ids is None else ROW_ID.isin(ids)
            by_document = None if document_id is None else DOCUMENT_ID.isin([document_id])
            others = self._tenant.scope(And([wanted, by_document]), known.layout)
            if ids is None or others is not None or expr:
                wanted = And([by_id, others])
                ids = select_ids(known.collection, known.layout, wanted, expr)
            return erase_all(ids, known)

    def flush(self) -> None:
        """Make what was written fast to search at once, instead of at the next read."""
        with self._session.entered() as known:
            if known is not None:
                known.collection.flush()

    def drop(self) -> None:
        """Remove the collection and its companion; the next write makes them anew.

        Raises:
            InvalidInputError: If this is the view of one tenant.
        """
        if self._tenant.value is not None:
            msg = "drop() would remove all tenants: use clear() to remove the rows of this one"
            raise InvalidInputError(msg)
        with self._session.entered():
            self._session.collection().drop()

    def clear(self) -> None:
        """Remove every row; the collection keeps its dimension, its analyzer and its columns."""
        with self._session.entered() as known:
            if known is None:
                return
            if self._tenant.value is None:
                known.collection.clear()
            else:
                scope = self._tenant.scope(None, known.layout)
                erase_all(select_ids(known.collection, known.layout, scope), known)

    adelete = async_twin(delete)
    aflush = async_twin(flush)
    aclear = async_twin(clear)
    adrop = async_twin(drop)


def _length(items: Iterable[object]) -> int | None:
    return len(items) if isinstance(items, Sequence) else None
