"""The requests and tokens that an API has counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from hybridge.narrowing import is_mapping


@dataclass(frozen=True)
class Usage:
    """What has been used so far.

    Attributes:
        requests: Requests that succeeded.
        total_tokens: Tokens that the API counted for them.
    """

    requests: int = 0
    total_tokens: int = 0


class UsageMeter:
    """Adds up usage over threads. A copy or a pickle starts from zero."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.usage = Usage()

    def add(self, answer: Mapping[str, object]) -> None:
        """Count one answer; one that reports no tokens counts as a request only."""
        reported = answer.get("usage")
        tokens = reported.get("total_tokens") if is_mapping(reported) else None
        counted = tokens if isinstance(tokens, int) else 0
        with self._lock:
            self.usage = Usage(self.usage.requests + 1, self.usage.total_tokens + counted)

    def __reduce__(self) -> tuple[object, ...]:
        return UsageMeter, ()
