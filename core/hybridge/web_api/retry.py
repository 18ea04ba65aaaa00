"""Sending a request again after a temporary failure."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hybridge.arguments import check_count, shown
from hybridge.errors import ApiError, InvalidInputError
from hybridge.narrowing import is_number

T = TypeVar("T")

logger = logging.getLogger("hybridge")

# The operating system counts the milliseconds of a socket's timeout in 31 bits.
_LONGEST = 1e6
_LONGEST_BACKOFF = 20.0
# A server at its limit is asked no more than ten times a second, whatever the back-off.
_SHORTEST_BREAK = 0.1


@dataclass(frozen=True)
class RetryPolicy:
    """Timeouts and retries of one API.

    Attributes:
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        deadline: Seconds that one request may take in total, including retries and waits.
        max_retries: How often a request is sent again after 5xx or a failed connection. After 429
            it is sent again until the deadline, unless this is 0.
        backoff: Seconds of the first wait; each further one is twice as long, up to 20 s.

    Raises:
        InvalidInputError: A number is negative, not finite, too large, or zero where time is
            needed.
    """

    timeout: float | tuple[float, float] = (5.0, 60.0)
    deadline: float = 120.0
    max_retries: int = 3
    backoff: float = 1.0

    def __post_init__(self) -> None:
        parts = self.timeout if isinstance(self.timeout, tuple) else (self.timeout, self.timeout)
        if len(parts) != 2:
            msg = f"timeout must be one number or two, not {shown(self.timeout)}"
            raise InvalidInputError(msg)
        for seconds in parts:
            _check_seconds(seconds, "timeout", lowest=0.001)
        _check_seconds(self.deadline, "deadline", lowest=0.001)
        check_count(self.max_retries, "max_retries", lowest=0)
        _check_seconds(self.backoff, "backoff", lowest=0)


@dataclass(frozen=True)
class Failure:
    """One attempt that failed.

    Attributes:
        error: What to raise if no other attempt follows.
        temporary: Whether the same request may succeed later.
        limited: Whether the API is at a limit of requests, which time alone cures.
        retry_after: The seconds that the API asks to wait.
    """

    error: ApiError
    temporary: bool = False
    limited: bool = False
    retry_after: float | None = None


def with_retries(attempt: Callable[[float], T | Failure], policy: RetryPolicy) -> T:
    """Attempt a request until it succeeds, fails for good, or the policy ends it.

    A failure is a value, not an exception: so the error that is finally raised carries no
    exception of the HTTP library, and none of its frames, which hold the key.

    Args:
        attempt: Sends the request; it is given the seconds that are left.
        policy: How often to try, and for how long in total.

    Raises:
        ApiError: The last failure's.
    """
    end = time.monotonic() + policy.deadline
    retries = faults = 0
    while isinstance(outcome := attempt(end - time.monotonic()), Failure):
        faults += not outcome.limited
        wait = seconds_to_wait(outcome, retries, policy.backoff)
        # A wait that would outlast the deadline is not begun.
        late = time.monotonic() + wait >= end
        if late or not outcome.temporary or faults > policy.max_retries or not policy.max_retries:
            raise outcome.error
        logger.info("%s Trying again in %.1f s.", outcome.error, wait)
        time.sleep(wait)
        retries += 1
    return outcome


def seconds_to_wait(failure: Failure, retries: int, backoff: float) -> float:
    """Return how long to wait before the next attempt.

    The back-off is shortened by up to half at random, so that many clients do not come back
    together. The wait is never shorter than what the API asked for.

    Args:
        failure: The last attempt.
        retries: How many retries there were before.
        backoff: Seconds of the first wait.
    """
    doubled = backoff * 2.0 ** min(retries, 30)
    jittered = min(doubled, max(backoff, _LONGEST_BACKOFF)) * random.uniform(0.5, 1.0)
    if failure.retry_after is not None:
        return failure.retry_after + random.uniform(0.0, min(jittered, 1.0))
    return max(jittered, _SHORTEST_BREAK) if failure.limited else jittered


def _check_seconds(value: object, name: str, lowest: float) -> None:
    if not is_number(value) or not lowest <= value <= _LONGEST:  # NaN lies within no limits
        msg = f"{name} must be a number from {lowest} to {_LONGEST:,.0f}, not {shown(value)}"
        raise InvalidInputError(msg)
