"""How long an API asks to wait: in a header, or in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_AMOUNT = r"\d+(?:\.\d+)?\s*(?:ms|s|m|h)(?![a-z])"
# "Please try again in 1m8.2s", "retry after 8 seconds", and Gemini's "retryDelay": "34s".
_WORDS = re.compile(
    rf'(?:try again|retry)(?: in| after)\s+((?:{_AMOUNT}\s*)+)|"retryDelay":\s*"((?:{_AMOUNT})+)"'
)
_NAMES = re.compile(r"(?<=\d)(\s*)(milliseconds?|seconds?|secs?|minutes?|mins?|hours?)")


def seconds_asked_for(headers: Mapping[str, str], body: bytes) -> float | None:
    """Return the seconds that an answer asks to wait, or None.

    `retry-after-ms` (OpenAI, Azure) says it most exactly, then comes `Retry-After`, then the text.

    Args:
        headers: The answer's headers, looked up without regard to case.
        body: The answer's body, whatever it holds.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", milliseconds):
        return float(milliseconds) / 1000
    seconds = seconds_until(headers.get("retry-after", ""), datetime.now(timezone.utc))
    return seconds_in(body.decode("utf-8", "replace")) if seconds is None else seconds


def seconds_until(retry_after: str, now: datetime) -> float | None:
    """Read a `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date.

    Args:
        retry_after: The header's value.
        now: The present, with a time zone.

    Returns:
        Seconds from `now`, at least 0; None if the value is neither.
    """
    if re.fullmatch(r"\d+(\.\d+)?", retry_after.strip()):
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - now).total_seconds())


def seconds_in(text: str) -> float | None:
    """Return the seconds after which a text says to try again, or None."""
    short = _NAMES.sub(lambda found: "ms" if found[2].startswith("mil") else found[2][0], text)
    found = _WORDS.search(short)
    if found is None:
        return None
    amounts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)", found[1] or found[2])
    return sum(float(number) * _UNITS[unit] for number, unit in amounts)
