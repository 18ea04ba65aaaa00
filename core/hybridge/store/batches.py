"""Many rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from tqdm.auto import tqdm

T = TypeVar("T")

BATCH_SIZE = 256
"""Records that are encoded and sent at once; the first so many tell what a new collection holds."""


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def batched_keys(
    keys: Iterable[str], size: int, *, what: str, total: int | None
) -> Iterator[list[str]]:
    """Yield the keys of rows in lists of `size`.

    Args:
        keys: The keys.
        size: How many are in a list.
        what: What is done to the rows, as a progress bar says it.
        total: How many there are about; None shows no bar.
    """
    with tqdm(total=total, disable=total is None, desc=what, unit="row") as bar:
        for batch in batched(keys, size):
            yield batch
            bar.update(len(batch))
