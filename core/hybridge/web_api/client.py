"""One HTTP client: JSON in, JSON out, temporary failures retried, lasting ones explained."""

from __future__ import annotations

import json
from collections.abc import Mapping

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from hybridge.errors import MalformedAnswerError
from hybridge.web_api.answer import Answer
from hybridge.web_api.deadline import DeadlineError, within
from hybridge.web_api.errors import Refusal, no_answer
from hybridge.web_api.key import ApiKey
from hybridge.web_api.options import ApiOptions
from hybridge.web_api.retry import Failure, RetryPolicy, with_retries
from hybridge.web_api.service import Service
from hybridge.web_api.usage import Usage, UsageMeter


class WebApi:
    """Sends JSON to one API over a shared session. Safe to use from several threads.

    Args:
        service: The API; see `Service.at` for another address.
        api_key: The key; else the environment's.
        options: Timeouts, retries and headers.
        query: What every address ends with, such as `{"api-version": "2024-10-21"}`.

    Raises:
        AuthenticationError: There is no key, and the service demands one.
        InvalidInputError: The key or an option cannot be used.
    """

    def __init__(
        self,
        service: Service,
        api_key: str | None,
        options: ApiOptions,
        query: Mapping[str, str] | None = None,
    ) -> None:
        limits = dict(options)
        self._key = ApiKey.find(service, api_key, limits.pop("default_headers", None))
        self._policy = RetryPolicy(**limits)  # type: ignore[arg-type]
        self._query = dict(query or {})
        self._meter = UsageMeter()
        self._session = requests.Session()

    @property
    def service(self) -> Service:
        """The API."""
        return self._key.service

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this object so far."""
        return self._meter.usage

    def post(self, path: str, payload: Mapping[str, object]) -> Answer:
        """Send one request, with retries, and return its answer.

        Args:
            path: Appended to the base URL, with its leading slash.
            payload: The body, anything that JSON can hold.

        Raises:
            ApiError: One of its kinds; see `hybridge.errors`.
        """
        answer = self._ask(path, json.dumps(payload).encode())
        self._meter.add(answer.body)
        return answer

    def get(self, path: str) -> Answer:
        """Ask for what is at a path, with retries; see `post`.

        Raises:
            ApiError: One of its kinds; see `hybridge.errors`.
        """
        return self._ask(path, None)

    def _ask(self, path: str, body: bytes | None) -> Answer:
        return with_retries(lambda left: self._attempt(path, body, left), self._policy)

    def _attempt(self, path: str, body: bytes | None, seconds: float) -> Answer | Failure:
        try:
            response = within(seconds, lambda: self._send(path, body))
        except (requests.RequestException, HTTPError) as error:
            # An address that cannot be read is a ValueError too.
            temporary = not isinstance(error, ValueError)
            return Failure(no_answer(self._key, _message(error), _bare(error)), temporary)
        except DeadlineError:
            return Failure(no_answer(self._key, f"{self._policy.deadline} s have passed", None))
        if not response.ok or response.is_redirect:
            refusal = Refusal(response.status_code, response.headers, response.content)
            what = refusal.error(self._key)
            return Failure(what, refusal.temporary, refusal.limited, refusal.retry_after)
        try:
            return Answer.read(response.content, response.headers, self._key)
        except MalformedAnswerError as error:
            return Failure(error.with_traceback(None))

    def _send(self, path: str, body: bytes | None) -> requests.Response:
        return self._session.request(
            "GET" if body is None else "POST",
            address_of(self.service.base_url, path),
            params=self._query,
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            auth=_Headers(self._key),
            timeout=self._policy.timeout,
            # A redirected POST becomes a GET, and its answer would be a puzzle.
            allow_redirects=False,
        )


class _Headers(AuthBase):
    """Puts the key on a request at the last moment, so that no other object holds it in clear."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._key.headers())
        return request


def address_of(base_url: str, path: str) -> str:
    """Return where a request goes; a base that ends as the path begins ("/v1") is not doubled."""
    base = base_url.rstrip("/")
    parts = path.split("/")
    begins = ("/".join(parts[:count]) for count in range(len(parts), 1, -1))
    return base.removesuffix(next(filter(base.endswith, begins), "")) + path


def _message(error: Exception) -> str:
    """Return the kind of failure and the system's own message, without object addresses."""
    said = str(error).rpartition(">: ")[2].rstrip("')")
    return f"{type(error).__name__}, {said}"


def _bare(error: Exception) -> requests.RequestException:
    """Return an error of the same kind that holds the message alone.

    What is attached to it (the prepared request, the frames of its traceback, the errors before
    it) holds the `Authorization` header, which error reporters print.
    """
    kind = (
        type(error) if isinstance(error, requests.RequestException) else requests.RequestException
    )
    return kind(str(error))
