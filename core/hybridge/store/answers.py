"""What embedding functions answer, as the plain values that frameworks take."""

from __future__ import annotations

from typing import Any

import numpy as np

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_list, is_mapping
from hybridge.store.fields import sparse_rows


def parse_vectors(answer: Any, count: int) -> list[list[float]]:
    """Return a dense function's answer as plain lists, with a vector for each text.

    Raises:
        InvalidInputError: If it is no matrix, or there is not one vector per text.
    """
    try:
        matrix = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"the function gave no dense vectors: {error}"
        raise InvalidInputError(msg) from error
    if matrix.shape[:1] != (count,) or (count and matrix.ndim != 2):
        msg = f"the function gave vectors of shape {matrix.shape} for {count} texts"
        raise InvalidInputError(msg)
    vectors: list[list[float]] = matrix.tolist()
    return vectors


def parse_weights(answer: Any, count: int) -> list[dict[int, float]]:
    """Return a sparse function's answer, a csr_array or mappings, with a vector for each text.

    Raises:
        InvalidInputError: If it is none of these, or there is not one vector per text.
    """
    rows: Any = sparse_rows(answer) if hasattr(answer, "indptr") else answer
    if not is_list(rows) or not all(map(is_mapping, rows)):
        msg = f"the function gave a {type(answer).__name__}: no csr_array, and no list of mappings"
        raise InvalidInputError(msg)
    if len(rows) != count:
        msg = f"the function gave {len(rows)} vectors for {count} texts"
        raise InvalidInputError(msg)
    return [dict(row) for row in rows]
