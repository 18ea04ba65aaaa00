"""What a store accepts. Everything here raises before anything is sent.

Limits are in bytes of UTF-8, as a Milvus server counts them; Milvus Lite counts characters, and
accepts much that it then stores as something else (NaN as null, a datetime as a string).
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridge.errors import InvalidInputError
from hybridge.records import DenseVector, Record, SparseVector

ID_BYTES = 512
DOCUMENT_ID_BYTES = 2048
TEXT_BYTES = 65_535
JSON_BYTES = 65_536
MAX_DEPTH = 100
MAX_LIMIT = 16_384
MAX_INDEX = 2**32 - 2
MAX_FLOAT32 = float(np.finfo(np.float32).max)


def valid_record(
    record: Record, position: int, metadata_schema: Mapping[str, type] | None = None
) -> Record:
    """Return the record with an id, if the store can hold it.

    Args:
        record: The record.
        position: Its place among those given, for the error.
        metadata_schema: The metadata keys that are columns as well, and their types.

    Raises:
        InvalidInputError: Naming the record, and the metadata key where there is one.
    """
    if not isinstance(record, Record):
        msg = f"record {position} is a {type(record).__name__}: give hybridge.Record objects"
        raise InvalidInputError(msg)
    name = (
        f"record {position}" if record.id is None else f"record {position} (id {record.id!r:.80})"
    )
    if record.id is not None:
        valid_id(record.id, name)
    _check_text(record.text, TEXT_BYTES, f"{name}: the text", "split it into smaller chunks")
    if record.document_id is not None:
        what = f"{name}: the document_id"
        _check_text(record.document_id, DOCUMENT_ID_BYTES, what, "use a shorter one")
    _check_json(record.metadata, f"{name}: metadata")
    if record.extra is not None:
        _check_json(record.extra, f"{name}: extra")
    _check_columns(record.metadata, metadata_schema or {}, name)
    return replace(
        record,
        id=record.id or str(uuid.uuid4()),
        dense=None if record.dense is None else valid_dense(record.dense, name),
        sparse=None if record.sparse is None else valid_sparse(record.sparse, name),
    )


def valid_id(value: str, name: str = "the id") -> str:
    """Return the id if it can be a primary key.

    Raises:
        InvalidInputError: If it is not a string, empty, or too long.
    """
    if value == "":
        msg = f"{name}: the id is empty: leave it out (None) to get a new one"
        raise InvalidInputError(msg)
    _check_text(value, ID_BYTES, f"{name}: the id", "use a shorter one, or a hash of it")
    return value


def valid_ids(ids: Sequence[str]) -> list[str]:
    """Return the ids as a list of strings.

    Raises:
        InvalidInputError: If one string is given instead of a list, or one id is no string.
    """
    if isinstance(ids, str):
        msg = f"ids is the string {ids!r:.80}: give a list, such as [{ids!r:.80}]"
        raise InvalidInputError(msg)
    return [valid_id(value, f"ids[{position}]") for position, value in enumerate(ids)]


def valid_dense(value: ArrayLike, name: str) -> DenseVector:
    """Return one dense vector as float32.

    Raises:
        InvalidInputError: If it is not one-dimensional, is empty, or holds NaN or infinity.
    """
    vector = _as_float32(value, name)
    if vector.ndim != 1 or len(vector) == 0:
        msg = f"{name}: a dense vector has shape (dim,), not {vector.shape}"
        raise InvalidInputError(msg)
    if not np.isfinite(vector).all():
        msg = f"{name}: the dense vector holds NaN or infinity: check the embedding function"
        raise InvalidInputError(msg)
    return vector


def valid_dense_batch(
    values: Sequence[ArrayLike] | NDArray[np.float32], names: Sequence[str]
) -> list[DenseVector]:
    """Return many dense vectors as float32.

    `valid_dense` for all at once: 500 lists of 384 numbers take 2.2 ms instead of 3.4, the rows of
    an array .1 instead of 1.

    Args:
        values: The vectors; where one differs from the others in length, each is read alone.
        names: What errors call each.

    Raises:
        InvalidInputError: If one is no dense vector; it names it.
    """
    try:
        matrix = _as_float32(values, "the batch")  # type: ignore[arg-type]  # NumPy nests
    except InvalidInputError:
        matrix = np.empty(0, dtype=np.float32)
    if matrix.ndim == 2 and matrix.size and np.isfinite(matrix).all():
        return list(matrix)
    return [valid_dense(value, name) for value, name in zip(values, names, strict=True)]


def valid_sparse(value: SparseVector, name: str) -> SparseVector:
    """Return one sparse vector as a mapping of int to float, without zeros.

    Raises:
        InvalidInputError: If an index is out of range, or a weight is negative or not finite.
    """
    vector = {int(index): float(weight) for index, weight in value.items() if weight != 0}
    for index, weight in vector.items():
        if not 0 <= index <= MAX_INDEX:
            msg = f"{name}: the sparse index {index} is outside 0..{MAX_INDEX}"
            raise InvalidInputError(msg)
        if not 0 < weight <= MAX_FLOAT32:
            msg = f"{name}: the sparse weight {weight} of index {index} is not a positive number"
            raise InvalidInputError(msg)
    return vector


def valid_vectors(value: Sequence[Any] | NDArray[Any]) -> list[DenseVector]:
    """Return the query vectors as a list of float32 arrays.

    Raises:
        InvalidInputError: If one of them is no dense vector.
    """
    return [valid_dense(vector, f"vectors[{position}]") for position, vector in enumerate(value)]


def valid_dimension(vector: DenseVector, dim: int, name: str) -> None:
    """Check a dense vector against the collection's dimension.

    Raises:
        InvalidInputError: If they differ.
    """
    if len(vector) != dim:
        msg = (
            f"{name} has dimension {len(vector)}, but the collection holds {dim}: use the "
            "embedding function that the collection was made with"
        )
        raise InvalidInputError(msg)


def valid_limit(value: int, name: str) -> int:
    """Return the number of hits asked for.

    Raises:
        InvalidInputError: If it is not an integer from 1 to 16,384, Milvus's limit.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        msg = f"{name}={value!r}: it must be an integer of at least 1"
        raise InvalidInputError(msg)
    if value > MAX_LIMIT:
        msg = f"{name}={value!r}: Milvus returns at most {MAX_LIMIT} hits of one search"
        raise InvalidInputError(msg)
    return int(value)


def _as_float32(value: ArrayLike, name: str) -> DenseVector:
    try:
        with np.errstate(over="ignore"):  # an overflow becomes infinity, which is refused
            return np.ascontiguousarray(value, dtype=np.float32)
    except (TypeError, ValueError) as error:
        msg = f"{name}: a dense vector is a sequence of numbers ({error})"
        raise InvalidInputError(msg) from error


def _check_text(value: object, limit: int, what: str, cure: str) -> None:
    if not isinstance(value, str):
        msg = f"{what} is a {type(value).__name__}, not a string"
        raise InvalidInputError(msg)
    size = len(_utf8(value, what))
    if size > limit:
        msg = f"{what} has {size:,} bytes in UTF-8, and Milvus takes {limit:,}: {cure}"
        raise InvalidInputError(msg)


def _utf8(value: str, what: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        msg = (
            f"{what} holds a lone surrogate (character {error.start}), which no encoding can store"
        )
        raise InvalidInputError(msg) from error


def _check_json(value: object, what: str) -> None:
    if not isinstance(value, Mapping):
        msg = f"{what} is a {type(value).__name__}: give a dictionary"
        raise InvalidInputError(msg)
    _check_json_value(value, what, 0)
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict).encode())
    if size > JSON_BYTES:
        msg = (
            f"{what} has {size:,} bytes as JSON, and Milvus takes {JSON_BYTES:,}: keep large "
            "values elsewhere and store a reference"
        )
        raise InvalidInputError(msg)


def _check_json_value(value: object, what: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        msg = f"{what:.200} is nested more than {MAX_DEPTH} levels deep"
        raise InvalidInputError(msg)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                msg = f"{what}: the key {key!r} is a {type(key).__name__}: JSON keys are strings"
                raise InvalidInputError(msg)
            _utf8(key, f"{what}: the key {key!r}")
            _check_json_value(inner, f"{what}[{key!r}]", depth + 1)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _check_json_value(inner, f"{what}[{position}]", depth + 1)
    else:
        _check_json_scalar(value, what)


def _check_json_scalar(value: object, what: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _utf8(value, what)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            msg = f"{what} is {value}, beyond 64 bits: store it as a string"
            raise InvalidInputError(msg)
    elif isinstance(value, float):
        if not math.isfinite(value):
            msg = f"{what} is {value}, which JSON cannot hold: use None or a number"
            raise InvalidInputError(msg)
    else:
        msg = (
            f"{what} is a {type(value).__name__}, which would not come back as it went in: "
            "convert it to a string, number, bool, list, dictionary or None"
        )
        raise InvalidInputError(msg)


def _check_columns(
    metadata: Mapping[str, Any], metadata_schema: Mapping[str, type], name: str
) -> None:
    for key, kind in metadata_schema.items():
        value = metadata.get(key)
        if value is not None and type(value) is not kind:
            msg = (
                f"{name}: metadata[{key!r}] is {value!r:.80} of type {type(value).__name__}, but "
                f"metadata_schema says {kind.__name__}: convert it"
            )
            raise InvalidInputError(msg)
        if kind is str and isinstance(value, str):
            what = f"{name}: metadata[{key!r}]"
            _check_text(value, TEXT_BYTES, what, "take the key out of metadata_schema")
