"""An API's refusals as errors of ours: what happened, and what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from hybridge.errors import (
    ApiConnectionError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    RateLimitError,
    ServerError,
)
from hybridge.narrowing import is_list, is_mapping
from hybridge.web_api.key import ApiKey

_DETAIL_LENGTH = 300
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "cf-ray")


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer that is not a success.

    Attributes:
        status: The HTTP status.
        headers: The answer's headers, looked up without regard to case.
        body: The answer's body, whatever it holds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def error(self, key: ApiKey) -> ApiError:
        """Return the error for this answer; the key is taken out of anything quoted."""
        kind, advice = self._kind(key)
        detail = key.redact(detail_of(self.body))
        said = f"HTTP {self.status}: {detail}" if detail else f"HTTP {self.status}"
        identity = request_id(self.headers)
        quote = f" Request id: {identity}." if identity else ""
        msg = f"{key.source.service} answered {said}. {advice}{quote}"
        return kind(msg, status=self.status, request_id=identity)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return not self._used_up and (self.status == 429 or self.status >= 500)

    @property
    def retry_after(self) -> float | None:
        """The seconds that the API asks to wait, given as a number or as an HTTP date."""
        return seconds_until(self.headers.get("retry-after", ""), datetime.now(timezone.utc))

    @property
    def _used_up(self) -> bool:
        # Jina reports an empty account as 402 or as 403 with a code, OpenAI as 429 with another.
        codes = (b"AUTHZ_INSUFFICIENT_BALANCE", b"insufficient_quota")
        return self.status == 402 or any(code in self.body for code in codes)

    def _kind(self, key: ApiKey) -> tuple[type[ApiError], str]:
        source = key.source
        if self._used_up:
            return RateLimitError, f"The account has no quota left: top it up at {source.url}."
        if self.status in (401, 403):
            variables = " or ".join(source.variables)
            return AuthenticationError, f"Check the key (api_key=, {variables}) at {source.url}."
        if self.status == 429:
            return RateLimitError, "Send fewer requests at a time, or raise the account's limit."
        if self.status >= 500:
            return ServerError, "The service failed: try again later."
        return BadRequestError, "Correct the request: model name, options, texts, base_url."


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the API's own id of a request, to quote to its support."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


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


def detail_of(body: bytes) -> str:
    """Return what an error body says, on one line and of bounded length.

    JSON bodies keep it under `detail`, `error` or `message`, as a string, a list or an object;
    proxies answer in HTML.
    """
    text = body.decode("utf-8", "replace")
    try:
        said = _said(json.loads(text))
    except (ValueError, RecursionError):
        said = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", text)
    said = " ".join(said.split())
    return said if len(said) <= _DETAIL_LENGTH else said[:_DETAIL_LENGTH] + "…"


def _said(value: object) -> str:
    """Flatten the shapes in which APIs describe an error."""
    if isinstance(value, str):
        return value
    if is_list(value):
        return "; ".join(_said(item) for item in value)
    if is_mapping(value):
        for name in ("detail", "error", "message", "msg"):
            if value.get(name):
                return _place(value) + _said(value[name])
    return json.dumps(value, ensure_ascii=False)


def _place(value: Mapping[str, object]) -> str:
    """Return where a validation error lies (`loc` of FastAPI), or nothing."""
    place = value.get("loc")
    return ".".join(map(str, place)) + ": " if is_list(place) else ""


def no_answer(key: ApiKey, base_url: str, what: str, cause: Exception | None) -> ApiConnectionError:
    """Return the error for a request that got no answer.

    Args:
        key: The key that was used.
        base_url: Where the request went.
        what: What happened, as a clause.
        cause: What to chain; it must hold nothing but its message.
    """
    error = ApiConnectionError(
        f"{key.source.service} at {base_url} gave no answer: {key.redact(what)}. "
        "Check the network, the proxy and base_url=, "
        "or allow more time with timeout= and deadline=."
    )
    error.__cause__ = cause
    return error
