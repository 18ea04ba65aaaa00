"""A folder of rows through `MilvusStore`, for those who have no access to the import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hybridge.records import Record
from hybridge.store import MilvusStore, to_record
from hybridge.tools.bulk.folder import Folder
from hybridge.tools.bulk.parquet import read_rows
from hybridge.tools.migrate import BATCH_SIZE, migrate
from hybridge.tools.origins import Origin
from hybridge.tools.verify import Report


@dataclass(frozen=True)
class FromBulk(Origin):
    """The rows of a folder that `bulk.write` has finished.

    Attributes:
        folder: The folder.
    """

    folder: str | os.PathLike[str]

    @cached_property
    def _folder(self) -> Folder:
        return Folder(self.folder)

    def count(self) -> int:
        """Return how many rows there are."""
        return self._folder.manifest.rows

    def records(self) -> Iterator[Record]:
        """Yield each row with the vectors that a store does not make by itself."""
        plan = self._folder.plan
        for name in self._folder.manifest.files:
            for row in read_rows(self._folder.rows / name, plan.columns):
                yield to_record(row, plan.moved)


def load(
    folder: str | os.PathLike[str],
    store: MilvusStore,
    *,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
) -> Report:
    """Add the rows of a folder to a collection, and verify them; no model is called.

    A new collection is made as the rows were. Call it again after an interruption: only what is not
    there is written.

    Args:
        folder: What `bulk.write` has finished.
        store: Where the rows go: a path or a server.
        batch_size: How many rows are read, looked up and written at once.
        progress: Whether to show a progress bar.

    Returns:
        What was written, and how the collection compares with the files; print it.

    Raises:
        InvalidInputError: If the folder is not finished.
        CollectionMismatchError: If the collection holds something else.
    """
    there = Folder(folder)
    counts, _ = there.counts()
    store.prepare_import(there.plan, counts)
    return migrate(FromBulk(folder), store, batch_size=batch_size, progress=progress)
