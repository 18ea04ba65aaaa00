"""Cutting a list of texts into requests that an API accepts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(
    texts: Sequence[str], most: int, most_bytes: float = float("inf")
) -> Iterator[list[str]]:
    """Cut `texts`, in order, into lists within two limits.

    Args:
        texts: What to send.
        most: The most texts in one list.
        most_bytes: The most bytes of UTF-8 in one list; a longer text gets a list of its own. No
            tokenizer makes more tokens than there are bytes, so this also bounds tokens.
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
