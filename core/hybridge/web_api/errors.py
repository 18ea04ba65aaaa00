"""An API's refusals as errors of ours: what happened, and what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
from hybridge.web_api.retry_after import seconds_asked_for

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
        detail = detail_of(self.body, key.redact)
        said = f"HTTP {self.status}: {detail}" if detail else f"HTTP {self.status}"
        identity = request_id(self.headers)
        quote = f" Request id: {identity}." if identity else ""
        msg = f"{key.service} answered {said}. {advice}{quote}"
        return kind(msg, status=self.status, request_id=identity)

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        failed = self.status >= 500 and not self._too_large
        return (failed or self.status == 429) and not self._used_up

    @property
    def limited(self) -> bool:
        """Whether the API is at a limit of requests, which time alone cures."""
        return self.status == 429 and not self._used_up

    @property
    def retry_after(self) -> float | None:
        """The seconds that the API asks to wait, or None."""
        return seconds_asked_for(self.headers, self.body)

    @property
    def _used_up(self) -> bool:
        # Jina reports an empty account as 402 or as 403 with a code, OpenAI as 429 with another.
        codes = (b"AUTHZ_INSUFFICIENT_BALANCE", b"insufficient_quota")
        return self.status == 402 or any(code in self.body for code in codes)

    @property
    def _too_large(self) -> bool:
        # llama.cpp refuses a text that is too long as if it had failed itself.
        return self.status == 500 and b"too large" in self.body

    def _kind(self, key: ApiKey) -> tuple[type[ApiError], str]:
        service = key.service
        place = f" at {service.url}" if service.url else ""
        if self._used_up:
            return RateLimitError, f"The account has no quota left: top it up{place}."
        if self.status in (401, 403):
            variables = " or ".join(service.variables)
            return AuthenticationError, f"Check the key (api_key=, {variables}){place}."
        if self.status == 429:
            return RateLimitError, "Send fewer requests at a time, or raise the account's limit."
        if self.status >= 500 and not self._too_large:
            return ServerError, "The service failed: try again later."
        return BadRequestError, "Correct the request: model name, options, texts, base_url."


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the API's own id of a request, to quote to its support."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def detail_of(body: bytes, redact: Callable[[str], str] = str) -> str:
    """Return what an error body says, on one line and of bounded length.

    JSON bodies keep it under `detail`, `error` or `message`, as a string, a list or an object;
    proxies answer in HTML.

    Args:
        body: The body, whatever it holds.
        redact: Takes secrets out, before anything is cut off in the midst of one.
    """
    text = body.decode("utf-8", "replace")
    try:
        said = _said(json.loads(text))
    except (ValueError, RecursionError):
        said = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", text)
    said = redact(" ".join(said.split()))
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


def no_answer(key: ApiKey, what: str, cause: Exception | None) -> ApiConnectionError:
    """Return the error for a request that got no answer.

    Args:
        key: The key that was used.
        what: What happened, as a clause.
        cause: What to chain; it must hold nothing but its message.
    """
    error = ApiConnectionError(
        f"{key.service.name} at {key.service.base_url} gave no answer: {key.redact(what)}. "
        "Check the network, the proxy and base_url=, "
        "or allow more time with timeout= and deadline=."
    )
    error.__cause__ = cause
    return error
