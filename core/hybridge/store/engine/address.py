"""Where Milvus is: a Milvus Lite path, or the URI of a server."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_path
from hybridge.store.engine.pymilvus_import import uri_of_environment
from hybridge.store.server_options import TLS

logger = logging.getLogger("hybridge")

DEFAULT_PATH = "./milvus.db"
_URI = re.compile(r"^(https?|tcp)://|^unix:", re.IGNORECASE)


class Secret(str):
    """A string whose repr does not show it: error reporters print the variables of each frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class Address:
    """Where Milvus is.

    Attributes:
        uri: The real path of a Milvus Lite folder, or the URI of a server.
        token: The server's token; never shown.
        db_name: The server's database, "" for its default.
        is_path: Whether Milvus Lite runs inside this process.
        tls: How the connection to a server is encrypted, beyond what its URI says.
    """

    uri: str = field(repr=False)
    token: str = field(default="", repr=False)
    db_name: str = ""
    is_path: bool = False
    tls: TLS | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether the server is spoken to by TLS."""
        return self.tls is not None or self.uri.lower().startswith("https:")

    def __str__(self) -> str:
        """Return the URI without the credentials that it may carry."""
        if self.is_path or self.uri.startswith("unix:"):
            return self.uri
        parts = urlsplit(self.uri)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def resolve_address(
    uri: str | os.PathLike[str] | None = None,
    token: str | None = None,
    db_name: str | None = None,
    tls: TLS | None = None,
) -> Address:
    """Return the address that the arguments, else the environment, name.

    Args:
        uri: A path that ends in `.db`, or a URI; None takes `MILVUS_URI`, else `./milvus.db`.
        token: The server's token; None takes `MILVUS_TOKEN`.
        db_name: The server's database.
        tls: How the connection to a server is encrypted, beyond what its URI says.

    Raises:
        InvalidInputError: If `uri` is neither a URI nor a path that ends in `.db`.
    """
    token = Secret(_parse_text(token, "token") or os.environ.get("MILVUS_TOKEN", ""))
    db_name = _parse_text(db_name, "db_name")
    if uri is None or (isinstance(uri, str) and not uri):
        uri = uri_of_environment() or DEFAULT_PATH
    uri = _parse_uri(uri)
    if _URI.match(uri):
        return Address(Secret(uri), token, db_name, tls=tls)
    if not uri.endswith(".db") or "://" in uri:
        msg = (
            f"{uri.rpartition('@')[2]!r} is neither a URI nor a Milvus Lite path: write a URI such "
            "as 'http://localhost:19530', or a path that ends in '.db'"
        )
        raise InvalidInputError(msg)
    if token:
        logger.warning("Milvus Lite ignores the token: %s is a path, not a server", uri)
    return Address(str(Path(os.path.realpath(Path(uri).expanduser()))), db_name="", is_path=True)


def _parse_uri(uri: object) -> str:
    """Return a URI or a path as a string.

    Raises:
        InvalidInputError: If it is neither, or nothing can look like it.
    """
    if not is_path(uri):
        msg = f"uri is a {type(uri).__name__}: give a URI, or a path that ends in '.db'"
        raise InvalidInputError(msg)
    text = os.fspath(uri)
    try:
        urlsplit(text)
        text.encode()
    except (ValueError, AttributeError, TypeError) as error:
        msg = f"uri is neither a URI nor a path ({error})"
        raise InvalidInputError(msg) from None
    if "\0" in text:
        msg = "uri holds a NUL, which neither a URI nor a path can"
        raise InvalidInputError(msg)
    return text


def _parse_text(value: object, name: str) -> str:
    if value is not None and not isinstance(value, str):
        msg = f"{name} is a {type(value).__name__}: give a string"
        raise InvalidInputError(msg)
    return value or ""
