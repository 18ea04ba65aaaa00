"""One HTTP client: JSON in, JSON out, patient with what passes and plain about what does not."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import requests
from requests.auth import AuthBase

from hybridge.errors import ApiConnectionError, ApiError, InvalidInputError, MalformedAnswerError
from hybridge.web_api.deadline import DeadlineError, within
from hybridge.web_api.errors import Refusal, request_id
from hybridge.web_api.key import ApiKey
from hybridge.web_api.patience import Patience

_logger = logging.getLogger("hybridge")


@dataclass(frozen=True)
class Answer:
    """A successful answer.

    Attributes:
        json: The body.
        request_id: The API's id of the request, if it gave one.
    """

    json: dict[str, Any]
    request_id: str | None


@dataclass(frozen=True)
class Usage:
    """What has been used so far.

    Attributes:
        requests: Requests that were answered with success.
        total_tokens: Tokens that the API counted for them.
    """

    requests: int = 0
    total_tokens: int = 0


@dataclass(frozen=True)
class _Failure:
    """One attempt that failed; `asked` is the wait that the API wishes, in seconds."""

    error: ApiError
    passing: bool = False
    asked: float | None = None


class WebApi:
    """Sends JSON to one API over a shared session. Safe to use from several threads.

    Args:
        key: The key, sent as a bearer token.
        base_url: What every path is appended to.
        patience: Timeouts and retries.

    Raises:
        InvalidInputError: `base_url` is no HTTP address.
    """

    def __init__(self, key: ApiKey, base_url: str, patience: Patience) -> None:
        if not isinstance(base_url, str) or not base_url.startswith(("http://", "https://")):
            msg = f"base_url must begin with http:// or https://, not {base_url!r}"
            raise InvalidInputError(msg)
        if "@" in base_url:
            raise InvalidInputError("base_url must hold no password: pass the key as api_key=")
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._patience = patience
        self._usage = Usage()
        self._open()

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this object so far."""
        return self._usage

    def post(self, path: str, payload: Mapping[str, object]) -> Answer:
        """Send one request, again if need be, and return its answer.

        Args:
            path: Appended to the base URL, with its leading slash.
            payload: The body, anything that JSON can hold.

        Raises:
            ApiError: One of its kinds; see `hybridge.errors`.
        """
        body = json.dumps(payload).encode()
        end = time.monotonic() + self._patience.deadline
        failures = 0
        while isinstance(outcome := self._attempt(path, body, end), _Failure):
            failures += 1
            wait = self._patience.wait(failures, outcome.asked)
            spent = failures > self._patience.max_retries or time.monotonic() + wait >= end
            if spent or not outcome.passing:
                raise outcome.error
            _logger.info("%s Trying again in %.1f s.", outcome.error, wait)
            time.sleep(wait)
        self._count(outcome)
        return outcome

    def malformed(self, what: str, request_id: str | None) -> MalformedAnswerError:
        """Return the error for a successful answer that cannot be trusted.

        Args:
            what: What is wrong with it, as a clause.
            request_id: The API's id of the request, if it gave one.
        """
        quote = f" Request id: {request_id}." if request_id else ""
        msg = (
            f"The answer of {self._key.source.service} cannot be trusted: "
            f"{self._key.redact(what)}. None of it was used. "
            f"Try again, and report it if it stays.{quote}"
        )
        return MalformedAnswerError(msg, status=200, request_id=request_id)

    def _attempt(self, path: str, body: bytes, end: float) -> Answer | _Failure:
        try:
            response = within(end - time.monotonic(), lambda: self._send(path, body))
        except requests.RequestException as error:
            return _Failure(self._no_answer(_words(error), _bare(error)), passing=True)
        except DeadlineError:
            return _Failure(self._no_answer(f"{self._patience.deadline} s have passed", None))
        if not response.ok or response.is_redirect:
            refusal = Refusal(response.status_code, response.headers, response.content)
            return _Failure(refusal.error(self._key), refusal.passing, refusal.retry_after)
        return self._read(response)

    def _send(self, path: str, body: bytes) -> requests.Response:
        return self._session.post(
            self._base_url + path,
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            auth=_Bearer(self._key),
            timeout=self._patience.timeout,
            # A redirected POST becomes a GET; saying so beats a puzzling answer.
            allow_redirects=False,
        )

    def _read(self, response: requests.Response) -> Answer | _Failure:
        identity = request_id(response.headers)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return Answer(answer, identity)
        return _Failure(self.malformed("it is no JSON object", identity))

    def _no_answer(self, what: str, cause: Exception | None) -> ApiConnectionError:
        error = ApiConnectionError(
            f"{self._key.source.service} at {self._base_url} gave no answer: "
            f"{self._key.redact(what)}. Check the network, the proxy and base_url=, "
            "or allow more time with timeout= and deadline=."
        )
        error.__cause__ = cause
        return error

    def _count(self, answer: Answer) -> None:
        usage = answer.json.get("usage")
        tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
        counted = tokens if isinstance(tokens, int) else 0
        with self._lock:
            self._usage = Usage(self._usage.requests + 1, self._usage.total_tokens + counted)

    def _open(self) -> None:
        self._session = requests.Session()
        self._lock = Lock()

    def __getstate__(self) -> dict[str, object]:
        unpicklable = ("_session", "_lock")
        return {name: value for name, value in self.__dict__.items() if name not in unpicklable}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._open()


class _Bearer(AuthBase):
    """Puts the key on a request at the last moment, so that no other object holds it in clear."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request


def _words(error: requests.RequestException) -> str:
    """Name the kind of failure in the system's own words, without object addresses."""
    said = str(error).rpartition(">: ")[2].rstrip("')")
    return f"{type(error).__name__}, {said}"


def _bare(error: requests.RequestException) -> requests.RequestException:
    """Cut an error down to its words.

    What hangs on it (the prepared request, the frames of its traceback, the errors before it)
    holds the `Authorization` header, which error reporters print.
    """
    return type(error)(str(error))
