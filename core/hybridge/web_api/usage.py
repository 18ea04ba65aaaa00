"""The requests and tokens that an API has counted."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from hybridge.narrowing import is_mapping, is_number


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

    def add(self, answer: object) -> None:
        """Count one answer; one that reports no tokens counts as a request only."""
        tokens = _tokens(answer)
        with self._lock:
            self.usage = Usage(self.usage.requests + 1, self.usage.total_tokens + tokens)

    def __reduce__(self) -> tuple[object, ...]:
        return UsageMeter, ()


def _tokens(answer: object) -> int:
    """Return the tokens that an answer reports: OpenAI's and Jina's `usage`, Cohere's `meta`."""
    for path in (
        ("usage", "total_tokens"),
        ("usage", "prompt_tokens"),
        ("meta", "billed_units", "input_tokens"),
    ):
        found = answer
        for name in path:
            found = found.get(name) if is_mapping(found) else None
        if is_number(found):
            return int(found)
    return 0
