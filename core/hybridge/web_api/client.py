"""One HTTP client: JSON in, JSON out, temporary failures retried, lasting ones explained."""

from __future__ import annotations

import json
from collections.abc import Mapping

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from hybridge.arguments import check_label, shown
from hybridge.errors import ApiConnectionError, InvalidInputError, MalformedAnswerError
from hybridge.web_api.answer import Answer
from hybridge.web_api.deadline import DeadlineError, within
from hybridge.web_api.errors import Refusal, no_answer
from hybridge.web_api.key import ApiKey
from hybridge.web_api.retry import Failure, RetryPolicy, with_retries
from hybridge.web_api.usage import Usage, UsageMeter


class WebApi:
    """Sends JSON to one API over a shared session. Safe to use from several threads.

    Args:
        key: The key, sent as a bearer token.
        base_url: What every path is appended to.
        policy: Timeouts and retries.

    Raises:
        InvalidInputError: `base_url` is not an HTTP address.
    """

    def __init__(self, key: ApiKey, base_url: str, policy: RetryPolicy) -> None:
        check_base_url(base_url)
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._policy = policy
        self._meter = UsageMeter()
        self._session = requests.Session()

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
        body = json.dumps(payload).encode()
        answer = with_retries(lambda left: self._attempt(path, body, left), self._policy)
        self._meter.add(answer.body)
        return answer

    def _attempt(self, path: str, body: bytes, seconds: float) -> Answer | Failure:
        try:
            response = within(seconds, lambda: self._send(path, body))
        except (requests.RequestException, HTTPError) as error:
            # An address that cannot be read is a ValueError too.
            temporary = not isinstance(error, ValueError)
            return Failure(self._no_answer(_message(error), _bare(error)), temporary)
        except DeadlineError:
            return Failure(self._no_answer(f"{self._policy.deadline} s have passed", None))
        if not response.ok or response.is_redirect:
            refusal = Refusal(response.status_code, response.headers, response.content)
            return Failure(refusal.error(self._key), refusal.temporary, refusal.retry_after)
        try:
            return Answer.read(response.content, response.headers, self._key)
        except MalformedAnswerError as error:
            return Failure(error.with_traceback(None))

    def _send(self, path: str, body: bytes) -> requests.Response:
        return self._session.post(
            self._base_url + path,
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            auth=_Bearer(self._key),
            timeout=self._policy.timeout,
            # A redirected POST becomes a GET, and its answer would be a puzzle.
            allow_redirects=False,
        )

    def _no_answer(self, what: str, cause: Exception | None) -> ApiConnectionError:
        return no_answer(self._key, self._base_url, what, cause)


def check_base_url(base_url: str) -> None:
    """Check that an argument is an HTTP address, without a password that errors would show.

    Raises:
        InvalidInputError: It is not.
    """
    check_label(base_url, "base_url")
    if "@" in base_url:
        msg = "base_url must hold no password: pass the key as api_key="
        raise InvalidInputError(msg)
    if not base_url.startswith(("http://", "https://")):
        msg = f"base_url must begin with http:// or https://, not {shown(base_url)}"
        raise InvalidInputError(msg)
    try:
        requests.PreparedRequest().prepare_url(base_url, None)
    except ValueError as error:
        msg = (
            f"base_url must be an address such as https://api.example.com/v1, not {shown(base_url)}"
        )
        raise InvalidInputError(msg) from error


class _Bearer(AuthBase):
    """Puts the key on a request at the last moment, so that no other object holds it in clear."""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request


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
