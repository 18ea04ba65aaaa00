"""What pymilvus, gRPC and the engine say when they fail, as errors of ours that say what to do.

The codes are those of Milvus 2.3 and later (`pkg/util/merr`); Milvus Lite says 1 for nearly all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybridge.errors import (
    EngineError,
    StoreAbsentError,
    StoreAuthenticationError,
    StoreConnectionError,
    StoreDatabaseError,
    StoreError,
    StoreLimitError,
    StoreOverloadedError,
    StorePermissionError,
)
from hybridge.store.engine.address import Address

COLLECTION_NOT_FOUND = 100
NOT_LOADED = 101
_NOT_READY = 1
_UNAVAILABLE = 2

TRANSIENT = frozenset({4, 12, 103, 106, 202})
"""Codes that pass: too many requests, no resources yet, a collection or partition that is loaded or
recovered just now. Rate limits (8) are pymilvus's to repeat, until the time limit."""

_KINDS: Mapping[int, type[EngineError]] = {
    3: StoreOverloadedError,
    4: StoreOverloadedError,
    7: StoreOverloadedError,
    8: StoreOverloadedError,
    9: StoreOverloadedError,
    12: StoreOverloadedError,
    COLLECTION_NOT_FOUND: StoreAbsentError,
    800: StoreDatabaseError,
    1102: StoreLimitError,
    1400: StoreAuthenticationError,
    1401: StorePermissionError,
}
_STATES: Mapping[str, type[EngineError]] = {
    "UNAUTHENTICATED": StoreAuthenticationError,
    "PERMISSION_DENIED": StorePermissionError,
    "RESOURCE_EXHAUSTED": StoreLimitError,
}
_WORDS: Mapping[str, type[EngineError]] = {
    "auth check failure": StoreAuthenticationError,
    "permission deny": StorePermissionError,
    "database not found": StoreDatabaseError,
    "message larger than max": StoreLimitError,
    "results exceed the": StoreLimitError,  # more than 100 MB of rows in one answer, code 65535
}
_CURES: Mapping[type[EngineError], str] = {
    StoreAuthenticationError: "the server refuses the credentials: check token=, or MILVUS_TOKEN",
    StorePermissionError: "the user of this token may not do that: grant the privilege to its role",
    StoreDatabaseError: "there is no such database: check db_name=, or create it",
    StoreAbsentError: "the collection is not there, perhaps dropped by another process: call again",
    StoreOverloadedError: "the server is at its limit: call again later, or send less at once",
    StoreLimitError: "the message is too large for the server: send fewer or smaller records",
    EngineError: "the engine refused the request",
}

_UNKNOWN_COLUMN = re.compile(r"unknown field '([^']+)' at column|field (\w+) not exist")
"""As Milvus Lite and servers say it; the former suggests another column, such as a vector's."""

_DAMAGED = "Could not open Parquet"
"""As Milvus Lite says of a file of rows that is cut short or overwritten."""


def translate(error: Exception, address: Address, limit: float | None = None) -> StoreError:
    """Return the error of ours that says what pymilvus, gRPC or the engine said.

    Args:
        error: What was raised.
        address: Where Milvus is.
        limit: The time limit of the call, in seconds.
    """
    error = _told(error)
    code = _code(error)
    message = _message(error)
    state = getattr(code, "name", "")
    if state == "DEADLINE_EXCEEDED" or "Deadline Exceeded" in message:
        within = "in time" if limit is None else f"within {limit:g} s"
        msg = (
            f"Milvus at {address} did not answer {within}: check that it is well, or give more "
            "time by timeout="
        )
        return StoreConnectionError(msg)
    kind = _kind(code, state, message)
    if kind is None:
        msg = f"Milvus at {address} does not answer ({message}): check that it runs, and the URI"
        return StoreConnectionError(msg)
    number = int(code) if isinstance(code, int) else None
    if unknown := _UNKNOWN_COLUMN.search(message):
        msg = (
            f"Milvus at {address}: expr= names the column {(unknown[1] or unknown[2])!r:.80}, and "
            "there is none: metadata keys belong into filter= (in LlamaIndex filters=)"
        )
        return EngineError(msg, number)
    if _DAMAGED in message:
        msg = f"Milvus at {address}: a file of the engine is damaged, restore a copy ({message})"
        return EngineError(msg, number)
    msg = f"Milvus at {address}: {_CURES[kind]} (code {number}: {message})"
    return kind(msg, number, passes=_passes(number, message), too_large=kind is StoreLimitError)


def _told(error: Exception) -> Exception:
    """Return the failure that says most: pymilvus hides a refused token behind its own error."""
    cause = error.__cause__
    is_told = isinstance(cause, Exception) and getattr(_code(cause), "name", "") in _STATES
    return cause if is_told and isinstance(cause, Exception) else error


def _code(error: BaseException) -> object:
    code = getattr(error, "code", None)
    return code() if callable(code) else code


def _kind(code: object, state: str, message: str) -> type[EngineError] | None:
    """Return what kind of refusal it is, or None where nobody answered."""
    if state in _STATES:
        return _STATES[state]
    for words, kind in _WORDS.items():
        if words in message.lower():
            return kind
    if code == _UNAVAILABLE or state == "UNAVAILABLE":
        return None
    return _KINDS.get(code, EngineError) if isinstance(code, int) else EngineError


def _passes(code: int | None, message: str) -> bool:
    """Whether the same call may succeed a moment later."""
    not_ready = code == _NOT_READY and "not ready" in message
    return code in TRANSIENT or not_ready


def _message(error: Exception) -> str:
    details = getattr(error, "details", None)  # of gRPC, whose str() is a page
    if callable(details) and details():
        return str(details())
    return str(getattr(error, "message", None) or error)
