"""An API key that is never shown: not in `repr`, not in an error, not in a pickle."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybridge.arguments import shown
from hybridge.errors import AuthenticationError, InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.web_api.service import Service

# What is shorter ("no", "none") is no secret, and stands in too many words.
_SHORTEST_SECRET = 8
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


class ApiKey:
    """What proves to a service who asks, hidden: its key, and headers of the user's own.

    A pickle holds neither: where it is loaded, the environment is read again. A key that was
    passed as an argument is therefore missing there, and the first request says so; so it does of
    headers.

    Args:
        service: The service.
        value: The key; None if there is none.
        headers: Further headers of every request; None if they are lost.
    """

    __slots__ = ("_headers", "_value", "service")

    def __init__(
        self, service: Service, value: str | None, headers: Mapping[str, str] | None
    ) -> None:
        self.service = service
        self._value = value
        self._headers = headers

    @classmethod
    def find(cls, service: Service, argument: object, headers: object = None) -> ApiKey:
        """Take the key from `argument`, else from the environment.

        Raises:
            InvalidInputError: The key is not a string, or a header cannot hold it; or `headers`
                are no headers.
            AuthenticationError: There is no key, and the service demands one.
        """
        given = parse_headers(headers)
        if argument is None:
            key = cls(service, service.from_environment(), given)
        elif isinstance(argument, str):
            key = cls(service, argument.strip(), given)
        else:
            msg = f"api_key must be a string, not {type(argument).__name__}"
            raise InvalidInputError(msg)
        key.headers()
        return key

    @classmethod
    def unpickled(cls, service: Service, had_headers: bool) -> ApiKey:
        """Read the key from the environment, now."""
        return cls(service, service.from_environment(), None if had_headers else {})

    def headers(self) -> dict[str, str]:
        """Return the headers of a request, key included, for sending only.

        Raises:
            InvalidInputError: A header cannot hold the key.
            AuthenticationError: There is no key, and the service demands one; or the headers are
                lost.
        """
        service = self.service
        if self._headers is None:
            msg = f"The headers for {service} are in no pickle: make the function anew"
            raise AuthenticationError(msg)
        if service.header.lower() in map(str.lower, self._headers):
            return dict(self._headers)
        if self._value is None:
            if service.url:
                raise AuthenticationError(_missing(service))
            return dict(self._headers)
        # `requests` would quote a bad header, and so the key, in its own error.
        if not self._value or not _is_plain(self._value) or " " in self._value:
            msg = (
                f"The key for {service} is empty or holds spaces, line breaks or "
                "non-ASCII characters; copy it again"
            )
            raise InvalidInputError(msg)
        bearer = "Bearer " if service.header == "Authorization" else ""
        return {**self._headers, service.header: bearer + self._value}

    def redact(self, text: str) -> str:
        """Return `text` with every occurrence of the key, and of a header's value, replaced."""
        # A header may be "Bearer <key>", of which an API quotes the key alone.
        words = [word for value in (self._headers or {}).values() for word in value.split()]
        for secret in (self._value or "", *words):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "[key]")
        return text

    def __repr__(self) -> str:
        return f"ApiKey({self.service}, hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        return ApiKey.unpickled, (self.service, self._headers is None or bool(self._headers))

    def __copy__(self) -> ApiKey:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> ApiKey:
        return self


def parse_headers(headers: object) -> dict[str, str]:
    """Return `default_headers` as a dictionary of what HTTP can send.

    Raises:
        InvalidInputError: They are no mapping, or a name or a value is none that HTTP knows.
    """
    if headers is None:
        return {}
    if not is_mapping(headers):
        msg = f"default_headers must be a mapping, not {type(headers).__name__}"
        raise InvalidInputError(msg)
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            msg = f"default_headers has the name {shown(name)}, which HTTP does not know"
            raise InvalidInputError(msg)
        if not isinstance(value, str) or not _is_plain(value) or value != value.strip():
            msg = f"default_headers[{name!r}] must be a string of printable ASCII characters"
            raise InvalidInputError(msg)
    return dict(headers)


def _is_plain(value: str) -> bool:
    return all(" " <= character <= "~" for character in value)


def _missing(service: Service) -> str:
    variables = " or ".join(service.variables)
    return f"{service} needs a key: pass api_key= or set {variables}; get one at {service.url}"
