"""How long to wait for an API, and how often to ask it again."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from hybridge.errors import InvalidInputError


@dataclass(frozen=True)
class Patience:
    """Timeouts and retries of one API.

    Attributes:
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        deadline: Seconds that one request may take in all, its retries and waits included.
        max_retries: How often a request is sent again after 429, 5xx or a failed connection.
        backoff: Seconds of the first wait; each further one is twice as long.

    Raises:
        InvalidInputError: A number is negative, not finite, or zero where time is needed.
    """

    timeout: float | tuple[float, float] = (5.0, 60.0)
    deadline: float = 120.0
    max_retries: int = 3
    backoff: float = 1.0

    def __post_init__(self) -> None:
        parts = self.timeout if isinstance(self.timeout, tuple) else (self.timeout,)
        for seconds in parts:
            _check_number("timeout", seconds, lowest=0.001)
        _check_number("deadline", self.deadline, lowest=0.001)
        _check_number("max_retries", self.max_retries, lowest=0)
        _check_number("backoff", self.backoff, lowest=0)

    def wait(self, failures: int, asked: float | None) -> float:
        """Return the seconds to wait after so many failures.

        The back-off is shortened by up to half at random, so that many clients do not come back
        together.

        Args:
            failures: How often the request has failed, from 1.
            asked: What the API asked for (`Retry-After`); the wait is never shorter.
        """
        jittered = self.backoff * 2.0 ** (failures - 1) * random.uniform(0.5, 1.0)
        return jittered if asked is None else asked + random.uniform(0.0, jittered)


def _check_number(name: str, value: float, lowest: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < lowest:
        raise InvalidInputError(f"{name} must be a number of at least {lowest}, not {value!r}")
