"""`ServerOptions`: how a server keeps a collection and is reached; checked before anything is made.

One word and one place each: what holds for any engine is an argument of the store (`timeout`), what
holds for one vector field is said by that field (`index_type`), and the rest is here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from typing_extensions import Self

from hybridge.arguments import check_choice, check_label, shown
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_path
from hybridge.store.fields import VectorField
from hybridge.store.settings import Allowed, check_setting, check_settings

ConsistencyLevel = Literal["Strong", "Session", "Bounded", "Eventually"]

TTL = "collection.ttl.seconds"
ISOLATION = "partitionkey.isolation"
_RATE = Allowed(float, 0, 1e9)
PROPERTIES: Mapping[str, Allowed] = {
    TTL: Allowed(int),
    "mmap.enabled": Allowed(bool),
    ISOLATION: Allowed(bool),
    "collection.autocompaction.enabled": Allowed(bool),
    "lazyload.enabled": Allowed(bool),
    "collection.insertRate.max.mb": _RATE,
    "collection.upsertRate.max.mb": _RATE,
    "collection.deleteRate.max.mb": _RATE,
    "collection.queryRate.max.qps": _RATE,
    "collection.searchRate.max.vps": _RATE,
    "collection.diskProtection.diskQuota.mb": _RATE,
}
"""The properties of a collection that Milvus knows, by Milvus's names."""

_LEVELS = ("Strong", "Session", "Bounded", "Eventually")
_COUNTS: Mapping[str, Allowed] = {
    "num_shards": Allowed(int, 1, 64),
    "replica_number": Allowed(int, 1, 1024),
    "num_partitions": Allowed(int, 1, 4096),
}


@dataclass(frozen=True)
class TLS:
    """How the connection to a server is encrypted, beyond what `https://` alone says.

    Files are given by path, and are read when the connection is opened.

    Args:
        ca: The certificates (PEM) of those who may sign the server's; the usual authorities if
            None.
        certificate: The client's certificate (PEM), where the server asks for one.
        key: The private key of that certificate (PEM).
        server_name: The name in the server's certificate, where the URI has another.

    Raises:
        InvalidInputError: If a file is not there or is no PEM, or one is given without another that
            it needs.
    """

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        for name in ("ca", "certificate", "key"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _parse_pem(value, f"TLS: {name}"))
        if self.server_name is not None:
            check_label(self.server_name, "TLS: server_name")
        if (self.certificate is None) != (self.key is None):
            msg = "TLS: certificate and key belong together: give both or none"
            raise InvalidInputError(msg)
        if self.certificate is not None and self.ca is None:
            msg = "TLS: a client's certificate goes with the server's authority: give ca= as well"
            raise InvalidInputError(msg)


@dataclass(frozen=True)
class ServerOptions:
    """The settings of a server; on a Milvus Lite path they are accepted and have no effect.

    All but `consistency_level` and `tls` are those of a collection that the store makes; one that
    is there keeps its own.

    Args:
        consistency_level: What a search sees of the writes of others: "Strong", all that was
            acknowledged before it; "Session", at least this process's own (the default);
            "Bounded", what is some seconds old; "Eventually", whatever is there. Reads by id,
            counts, scrolls, and what a write reads are never weaker than "Session".
        num_shards: How many shards take the writes; Milvus's 1 if None.
        replica_number: How often the collection is loaded; 1 if None.
        num_partitions: Into how many partitions a `partition_key` spreads the rows; Milvus's 16 if
            None.
        properties: Properties of the collection by Milvus's names, such as `{"mmap.enabled": True}`
            (`PROPERTIES` has all). `"collection.ttl.seconds"` deletes rows behind the store's back:
            it is refused beside a BM25 of the store's own, whose counts it would falsify, and on
            Milvus Lite, which keeps rows for ever, a warning says that nothing expires.
        tls: How the connection is encrypted, where `https://` does not say enough.

    Raises:
        InvalidInputError: If there is no such setting, or it may not have that value.
    """

    consistency_level: ConsistencyLevel = "Session"
    num_shards: int | None = None
    replica_number: int | None = None
    num_partitions: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tls: TLS | None = None

    def __post_init__(self) -> None:
        check_choice(self.consistency_level, "server: consistency_level", _LEVELS)
        for name, allowed in _COUNTS.items():
            if (value := getattr(self, name)) is not None:
                check_setting(value, allowed, f"server: {name}")
        check_settings(self.properties, PROPERTIES, "server: properties")
        if not isinstance(self.tls, (TLS, type(None))):
            msg = f"server: tls={shown(self.tls)}: give a hybridge.TLS"
            raise InvalidInputError(msg)

    @property
    def expires(self) -> bool:
        """Whether Milvus deletes rows by itself."""
        return bool(self.properties.get(TTL))

    def creation(self) -> dict[str, Any]:
        """Return what a new collection is made with, as pymilvus takes it."""
        properties = {key: _as_text(value) for key, value in self.properties.items()}
        made = {
            "num_shards": self.num_shards,
            "num_partitions": self.num_partitions,
            "properties": properties or None,
        }
        return {name: value for name, value in made.items() if value is not None}

    def loading(self) -> dict[str, Any]:
        """Return what a collection is loaded with, as pymilvus takes it."""
        return {} if self.replica_number is None else {"replica_number": self.replica_number}

    def check_beside(self, vector_fields: Iterable[VectorField], partition_key: str | None) -> None:
        """Check the settings against what the store asks of its collection.

        Raises:
            InvalidInputError: If they contradict each other.
        """
        counted = next((one.name for one in vector_fields if one.is_counted), None)
        if self.expires and counted is not None:
            msg = (
                f"{TTL} deletes rows that the BM25 of the field {counted!r} goes on counting: give "
                "sparse='milvus', a sparse function or None, or delete old rows by a filter"
            )
            raise InvalidInputError(msg)
        for name, given in (
            ("num_partitions", self.num_partitions),
            (ISOLATION, self.properties.get(ISOLATION)),
        ):
            if given and partition_key is None:
                msg = f"server: {name} is about tenants: give partition_key= as well"
                raise InvalidInputError(msg)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON: no secret, only the paths of files."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**values, "tls": None if self.tls is None else dict(vars(self.tls))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the settings that `to_json` described."""
        tls = value["tls"]
        values: dict[str, Any] = {**value, "tls": None if tls is None else TLS(**tls)}
        return cls(**values)


def parse_server_options(given: object) -> ServerOptions:
    """Return the settings that were given, else the default ones.

    Raises:
        InvalidInputError: If it is something else.
    """
    if given is None:
        return ServerOptions()
    if not isinstance(given, ServerOptions):
        msg = f"server={shown(given)}: give a hybridge.ServerOptions"
        raise InvalidInputError(msg)
    return given


def _parse_pem(value: object, name: str) -> str:
    """Return the path of a PEM file as a string; what is in it is not kept.

    Raises:
        InvalidInputError: If it cannot be read, or is none.
    """
    if not is_path(value):
        msg = f"{name}={shown(value)}: give the path of a PEM file"
        raise InvalidInputError(msg)
    try:
        path = os.path.realpath(Path(value).expanduser())
        with Path(path).open("rb") as file:
            is_pem = any(line.startswith(b"-----BEGIN ") for line in file)
    except (OSError, ValueError) as error:
        msg = f"{name}={shown(value)} cannot be read ({error}): give the path of a PEM file"
        raise InvalidInputError(msg) from None
    if not is_pem:
        msg = f"{name}={shown(path)} is no PEM file: convert it, for instance by openssl"
        raise InvalidInputError(msg)
    return path


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
