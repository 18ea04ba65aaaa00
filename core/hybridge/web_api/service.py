"""Where an API is, and where its key is looked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import requests

from hybridge.arguments import check_label, shown
from hybridge.errors import InvalidInputError


@dataclass(frozen=True)
class Service:
    """One API, at one address.

    Attributes:
        name: Its name, for errors.
        base_url: What every path is appended to.
        variables: The environment variables that may hold the key; the first that is set counts.
        url: Where to get a key; None for a server of one's own, which may need none.
        base_url_variable: The environment variable that may hold another address.
        header: The header that carries the key, as a bearer token if it is `Authorization`.
    """

    name: str
    base_url: str
    variables: tuple[str, ...]
    url: str | None = None
    base_url_variable: str = ""
    header: str = "Authorization"

    def at(self, base_url: str | None) -> Service:
        """Return the service at another address: somebody's own, of whom nothing else is known.

        Args:
            base_url: The address; None takes the environment's, else the service's own.

        Raises:
            InvalidInputError: It is not an HTTP address, or there is none.
        """
        if base_url is not None:
            check_base_url(base_url)
        given = base_url or os.environ.get(self.base_url_variable, "").strip()
        if not given and not self.base_url:
            msg = (
                f"{self.name} has an address of your own: pass it, or set {self.base_url_variable}"
            )
            raise InvalidInputError(msg)
        if not given or given.rstrip("/") == self.base_url:
            return self
        check_base_url(given)
        name = "The API" if self.base_url else self.name
        return replace(self, name=name, base_url=given.rstrip("/"), url=None)

    def from_environment(self) -> str | None:
        """Return the key that the environment holds, or None."""
        found = (os.environ.get(variable, "").strip() for variable in self.variables)
        return next(filter(None, found), None)

    def __str__(self) -> str:
        return self.name if self.url else f"{self.name} at {self.base_url}"


def check_base_url(base_url: object) -> None:
    """Check that an argument is an HTTP address, without a password that errors would show.

    Raises:
        InvalidInputError: It is not.
    """
    check_label(base_url, "base_url")
    address = str(base_url)
    if "@" in address:
        msg = "base_url must hold no password: pass the key as api_key="
        raise InvalidInputError(msg)
    if not address.startswith(("http://", "https://")):
        msg = f"base_url must begin with http:// or https://, not {shown(address)}"
        raise InvalidInputError(msg)
    if "?" in address or "#" in address:
        msg = f"base_url must end with a path, not {shown(address)}"
        raise InvalidInputError(msg)
    try:
        requests.PreparedRequest().prepare_url(address, None)
    except ValueError as error:
        msg = (
            f"base_url must be an address such as https://api.example.com/v1, not {shown(address)}"
        )
        raise InvalidInputError(msg) from error
