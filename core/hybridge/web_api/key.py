"""An API key that is never shown: not in `repr`, not in an error, not in a pickle."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hybridge.errors import AuthenticationError, InvalidInputError


@dataclass(frozen=True)
class KeySource:
    """Where the key of a service is looked for.

    Attributes:
        service: The service's name, for errors.
        variables: The environment variables that may hold the key; the first that is set counts.
        url: Where to get a key.
    """

    service: str
    variables: tuple[str, ...]
    url: str

    def from_environment(self) -> str | None:
        """Return the key that the environment holds, or None."""
        found = (os.environ.get(variable, "").strip() for variable in self.variables)
        return next(filter(None, found), None)


class ApiKey:
    """A service's key, hidden.

    A pickle holds no key: where it is loaded, the environment is read again. A key that was
    passed as an argument is therefore missing there, and the first request says so.

    Args:
        source: The service.
        value: The key; None if there is none.
    """

    __slots__ = ("_value", "source")

    def __init__(self, source: KeySource, value: str | None) -> None:
        self.source = source
        self._value = value

    @classmethod
    def find(cls, source: KeySource, argument: object) -> ApiKey:
        """Take the key from `argument`, else from the environment.

        Raises:
            InvalidInputError: The key is not a string, or a header cannot hold it.
            AuthenticationError: There is no key.
        """
        if argument is None:
            key = cls.from_environment(source)
        elif isinstance(argument, str):
            key = cls(source, argument.strip())
        else:
            msg = f"api_key must be a string, not {type(argument).__name__}"
            raise InvalidInputError(msg)
        key.reveal()
        return key

    @classmethod
    def from_environment(cls, source: KeySource) -> ApiKey:
        """Read the key from the environment, now."""
        return cls(source, source.from_environment())

    def reveal(self) -> str:
        """Return the key itself, for sending only.

        Raises:
            InvalidInputError: A header cannot hold it.
            AuthenticationError: There is no key.
        """
        if self._value is None:
            msg = _missing(self.source)
            raise AuthenticationError(msg)
        # `requests` would quote a bad header, and so the key, in its own error.
        if not self._value or not all("!" <= character <= "~" for character in self._value):
            msg = (
                f"The key for {self.source.service} is empty or holds spaces, line breaks or "
                "non-ASCII characters; copy it again"
            )
            raise InvalidInputError(msg)
        return self._value

    def redact(self, text: str) -> str:
        """Return `text` with every occurrence of the key replaced."""
        return text.replace(self._value, "[key]") if self._value else text

    def __repr__(self) -> str:
        return f"ApiKey({self.source.service}, hidden)"

    def __reduce__(self) -> tuple[object, ...]:
        return ApiKey.from_environment, (self.source,)

    def __copy__(self) -> ApiKey:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> ApiKey:
        return self


def _missing(source: KeySource) -> str:
    variables = " or ".join(source.variables)
    return (
        f"{source.service} needs a key: pass api_key= or set {variables}; get one at {source.url}"
    )
