"""Embedding a list of texts over an API, request by request."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from hybridge.arguments import check_flag
from hybridge.web_api.answer import Answer


def embed_batches(
    batches: Iterable[list[str]],
    ask: Callable[[list[str]], Answer],
    *,
    dim: int | None,
    total: int,
    progress: bool,
) -> NDArray[np.float32]:
    """Return one vector per text: float32 of shape `(total, dim)`.

    Args:
        batches: The texts, at least one, as one list per request.
        ask: Sends one request.
        dim: The length that every vector must have; None takes the first one's.
        total: How many texts there are.
        progress: Whether to show a progress bar.

    Raises:
        InvalidInputError: `progress` is not a bool.
        ApiError: A request failed, or an answer cannot be trusted.
    """
    check_flag(progress, "progress")
    parts: list[NDArray[np.float32]] = []
    with tqdm(total=total, unit="text", disable=not progress) as bar:
        for batch in batches:
            answer = ask(batch)
            vectors = answer.vectors(len(batch))
            dim = dim or vectors.shape[1]
            if vectors.shape[1] != dim:
                msg = f"a vector has {vectors.shape[1]} numbers, not {dim}"
                raise answer.malformed(msg)
            parts.append(vectors)
            bar.update(len(batch))
    return np.concatenate(parts)
