"""Asking again after a failure that may pass."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hybridge.errors import ApiError
from hybridge.web_api.patience import Patience

T = TypeVar("T")

_logger = logging.getLogger("hybridge")


@dataclass(frozen=True)
class Failure:
    """One attempt that failed.

    Attributes:
        error: What to raise if it is the last.
        passing: Whether the same request may succeed later.
        asked: The wait that the API asks for (`Retry-After`), in seconds.
    """

    error: ApiError
    passing: bool = False
    asked: float | None = None


def until_answered(attempt: Callable[[float], T | Failure], patience: Patience) -> T:
    """Attempt a request until it succeeds, fails for good, or patience ends.

    A failure is a value, not an exception: so the error that is raised at last carries no
    exception of the HTTP library, and no frame of it, in which the key stands.

    Args:
        attempt: Sends the request; it is given the seconds that are left.
        patience: How often, and for how long in all.

    Raises:
        ApiError: The last failure's.
    """
    end = time.monotonic() + patience.deadline
    failures = 0
    while isinstance(outcome := attempt(end - time.monotonic()), Failure):
        failures += 1
        wait = patience.wait(failures, outcome.asked)
        spent = failures > patience.max_retries or time.monotonic() + wait >= end
        if spent or not outcome.passing:
            raise outcome.error
        _logger.info("%s Trying again in %.1f s.", outcome.error, wait)
        time.sleep(wait)
    return outcome
