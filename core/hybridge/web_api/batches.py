"""Cutting a list of texts into requests that an API accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hybridge.errors import InvalidInputError


def batches(
    texts: Sequence[str], most: int, most_bytes: float = float("inf")
) -> Iterator[list[str]]:
    """Cut `texts`, in order, into lists within two limits.

    Args:
        texts: What to send.
        most: Texts in one list, at most.
        most_bytes: Bytes of UTF-8 in one list, at most; a longer text makes a list by itself.
            No tokenizer makes more tokens than there are bytes, so this also bounds tokens.
    """
    batch: list[str] = []
    held = 0
    for text in texts:
        size = len(text.encode())
        if batch and (len(batch) == most or held + size > most_bytes):
            yield batch
            batch, held = [], 0
        batch.append(text)
        held += size
    if batch:
        yield batch


def check_batch_size(batch_size: int, most: int) -> None:
    """Refuse a batch that the API would refuse.

    Raises:
        InvalidInputError: It is no whole number from 1 to `most`.
    """
    if type(batch_size) is not int or not 1 <= batch_size <= most:
        raise InvalidInputError(f"batch_size must be from 1 to {most}, not {batch_size!r}")
