"""Metadata as JSON holds it: what is stored comes back as it went in, or was asked to differ."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import NUMPY, is_list, is_mapping, is_set, is_tuple, plain_scalar

JSON_BYTES = 65_536
MAX_DEPTH = 100

MetadataEncoder: TypeAlias = Callable[[Any], Any]
"""Makes what JSON can hold of a value that it cannot; what it does not know it returns as it is."""


def plain_value(value: object) -> object:
    """Return what JSON can hold for a value from real life; the ready `metadata_encoder=`.

    Args:
        value: A date or a time becomes its ISO string, a UUID, a path and a Decimal their string,
            an Enum its value, a tuple, a set and a NumPy array a list. Anything else comes back as
            it is.
    """
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, PurePath, Decimal, np.datetime64)):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_set(value):
        return sorted(value, key=str)
    if is_tuple(value):
        return list(value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def parse_encoder(encoder: object) -> MetadataEncoder | None:
    """Return the encoder if it is one.

    Raises:
        InvalidInputError: If it cannot be called.
    """
    if encoder is None or callable(encoder):
        return encoder
    msg = f"metadata_encoder={shown(encoder)}: give a function, such as hybridge.plain_value"
    raise InvalidInputError(msg)


def parse_metadata(
    value: object, what: str, encoder: MetadataEncoder | None = None
) -> dict[str, Any]:
    """Return a dictionary as JSON holds it; NumPy's scalars become Python's.

    Args:
        value: The dictionary.
        what: Whose it is, for the error.
        encoder: Makes values of what JSON cannot hold.

    Raises:
        InvalidInputError: If JSON cannot hold it, or Milvus not so much of it.
    """
    if not is_mapping(value):
        msg = f"{what} is a {type(value).__name__}: give a dictionary"
        raise InvalidInputError(msg)
    parsed: dict[str, Any] = _Parser(encoder).mapping(value, what, 0)
    size = len(json.dumps(parsed, ensure_ascii=False, separators=(",", ":")).encode())
    if size > JSON_BYTES:
        msg = (
            f"{what} has {size:,} bytes as JSON, and Milvus takes {JSON_BYTES:,}: keep large "
            "values elsewhere and store a reference"
        )
        raise InvalidInputError(msg)
    return parsed


class _Parser:
    """Reads values, the ones inside others too."""

    def __init__(self, encoder: MetadataEncoder | None) -> None:
        self._encoder = encoder

    def mapping(self, value: Mapping[Any, Any], what: str, depth: int) -> dict[str, Any]:
        parsed: dict[str, Any] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                msg = (
                    f"{what}: the key {shown(key)} is a {type(key).__name__}: JSON keys are strings"
                )
                raise InvalidInputError(msg)
            utf8(key, f"{what}: the key {key!r}")
            parsed[str.__str__(key)] = self.value(inner, f"{what}[{key!r}]", depth + 1)
        return parsed

    def value(self, value: Any, what: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            msg = f"{what:.200} is nested more than {MAX_DEPTH} levels deep"
            raise InvalidInputError(msg)
        if is_mapping(value):
            return self.mapping(value, what, depth)
        if is_list(value):
            return [self.value(one, f"{what}[{i}]", depth + 1) for i, one in enumerate(value)]
        if isinstance(value, NUMPY):
            value = plain_scalar(value)
        if value is None or isinstance(value, (bool, str, int, float)):
            return _parse_scalar(value, what)
        encoded = value if self._encoder is None else self._encoder(value)
        if encoded is not value:
            return self.value(encoded, what, depth + 1)
        msg = (
            f"{what} is a {type(value).__name__}, which would not come back as it went in: "
            "convert it to a string, number, bool, list, dictionary or None, or let the store do "
            "so: metadata_encoder=hybridge.plain_value"
        )
        raise InvalidInputError(msg)


def _parse_scalar(value: str | float | None, what: str) -> str | float | None:
    """Return a scalar as exactly Python's own, without what a subclass adds to it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        utf8(value, what)
        return str.__str__(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            msg = f"{what} is an integer beyond 64 bits: store it as a string"
            raise InvalidInputError(msg)
        return int(value)
    if not math.isfinite(value):
        msg = f"{what} is {value}, which JSON cannot hold: use None or a number"
        raise InvalidInputError(msg)
    return float(value)


def utf8(value: str, what: str) -> bytes:
    """Return a string as it is stored.

    Raises:
        InvalidInputError: If no encoding can store it.
    """
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        msg = (
            f"{what} holds a lone surrogate (character {error.start}), which no encoding can store"
        )
        raise InvalidInputError(msg) from error
