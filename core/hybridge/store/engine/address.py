"""Where Milvus is: a Milvus Lite path, or the URI of a server."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hybridge.errors import InvalidInputError

logger = logging.getLogger("hybridge")

DEFAULT_PATH = "./milvus.db"
_URI = re.compile(r"^(https?|tcp)://|^unix:", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where Milvus is.

    Attributes:
        uri: The real path of a Milvus Lite folder, or the URI of a server.
        token: The server's token; never shown.
        db_name: The server's database, "" for its default.
        is_path: Whether Milvus Lite runs inside this process.
    """

    uri: str = field(repr=False)
    token: str = field(default="", repr=False)
    db_name: str = ""
    is_path: bool = False

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
) -> Address:
    """Return the address that the arguments, else the environment, name.

    Args:
        uri: A path that ends in `.db`, or a URI; None takes `MILVUS_URI`, else `./milvus.db`.
        token: The server's token; None takes `MILVUS_TOKEN`.
        db_name: The server's database.

    Raises:
        InvalidInputError: If `uri` is neither a URI nor a path that ends in `.db`.
    """
    token = token or os.environ.get("MILVUS_TOKEN", "")
    uri = os.fspath(uri or os.environ.get("MILVUS_URI") or DEFAULT_PATH)
    if _URI.match(uri):
        return Address(uri, token, db_name or "")
    if not uri.endswith(".db") or "://" in uri:
        msg = (
            f"{uri.rpartition('@')[2]!r} is neither a URI nor a Milvus Lite path: write a URI such "
            "as 'http://localhost:19530', or a path that ends in '.db'"
        )
        raise InvalidInputError(msg)
    if token:
        logger.warning("Milvus Lite ignores the token: %s is a path, not a server", uri)
    return Address(str(Path(os.path.realpath(Path(uri).expanduser()))), db_name="", is_path=True)
