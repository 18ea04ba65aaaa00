"""Qdrant collections: a local folder, a server over HTTP, or any client."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.narrowing import is_mapping, is_path
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.nodes import holds_node
from hybridge.tools.origins.origin import PAGE, Origin, make_record
from hybridge.web_api.client import WebApi
from hybridge.web_api.service import Service

_METRICS: dict[str, Metric] = {"Cosine": "COSINE", "Dot": "IP", "Euclid": "L2"}
_SERVICE = Service("Qdrant", "http://localhost:6333", ("QDRANT_API_KEY",), header="api-key")


class _Point(NamedTuple):
    id: int | str
    payload: Mapping[str, Any]
    vectors: Mapping[str, Any]


@dataclass(frozen=True)
class FromQdrant(Origin):
    """A collection of Qdrant, as LangChain and LlamaIndex write it.

    A server needs no library; a local folder needs `qdrant-client`, which reads it whole.

    Attributes:
        place: The folder of a local one, the address of a server, or a `QdrantClient`.
        collection: The name of the collection.
        vectors: Which named vector each field of the new collection gets, such as
            `{"dense": "text", "title": "title"}`; sparse ones too. Without it the only dense one is
            "dense".
        text: The key of the payload that holds the text, where LlamaIndex did not write it.
        metadata: The key that holds the metadata; None makes metadata of all other keys.
        api_key: The key of a server; None takes `QDRANT_API_KEY`.
    """

    place: str | os.PathLike[str] | Any
    collection: str
    vectors: Mapping[str, str] | None = None
    text: str = "page_content"
    metadata: str | None = "metadata"
    api_key: str | None = field(default=None, repr=False)

    def count(self) -> int:
        """Return how many points the collection has."""
        with self._open() as reader:
            return reader.count()

    def records(self) -> Iterator[Record]:
        """Yield the record of each point."""
        names = self._names
        with self._open() as reader:
            for point in reader.points():
                vectors = {one: point.vectors.get(name) for one, name in names.items()}
                yield self._record(point, vectors)

    def metric_of(self, field: str) -> Metric:
        """Return how Qdrant compares the vectors of a field.

        Raises:
            InvalidInputError: If Milvus cannot compare them so.
        """
        distance = self._distances.get(self._names[field], "Dot")
        if distance not in _METRICS:
            msg = f"{field!r} is compared by {distance}, which Milvus has not: index it anew"
            raise InvalidInputError(msg)
        return _METRICS[distance]

    @cached_property
    def _distances(self) -> Mapping[str, str]:
        """The distance of each dense vector, by name."""
        with self._open() as reader:
            return reader.distances()

    @property
    def _names(self) -> Mapping[str, str]:
        """The name of the vector of each field."""
        if self.vectors is not None:
            return self.vectors
        names = list(self._distances)
        if len(names) != 1:
            msg = (
                f"{self.collection!r} has the dense vectors {names}: say which one each field "
                f"gets, such as vectors={{'dense': {names[:1] or '...'}}}"
            )
            raise InvalidInputError(msg)
        return {"dense": names[0]}

    def _record(self, point: _Point, vectors: Mapping[str, Any]) -> Record:
        payload = point.payload
        if holds_node(payload):
            return make_record(point.id, None, payload, vectors)
        if self.text not in payload:
            msg = (
                f"the payload of point {point.id!r} has no {self.text!r}, but {sorted(payload)}: "
                "name the key that holds the text (text=), and that of the metadata (metadata=), "
                "which is None where all other keys are metadata"
            )
            raise InvalidInputError(msg)
        others = {key: one for key, one in payload.items() if key != self.text}
        metadata = others if self.metadata is None else payload.get(self.metadata)
        return make_record(point.id, payload[self.text], metadata, vectors)

    @contextmanager
    def _open(self) -> Generator[_Reader]:
        place = self.place
        if not is_path(place):
            yield _Client(place, self.collection)
        elif str(place).startswith(("http://", "https://")):
            api = WebApi(_SERVICE.at(str(place)), self.api_key, {})
            yield _Server(api, self.collection)
        else:
            qdrant = import_extra("qdrant_client", "FromQdrant", package="qdrant-client")
            client = qdrant.QdrantClient(path=os.fspath(place))
            try:
                yield _Client(client, self.collection)
            finally:
                client.close()


class _Reader(Protocol):
    def count(self) -> int: ...

    def distances(self) -> Mapping[str, str]: ...

    def points(self) -> Iterator[_Point]: ...


class _Server:
    """Reads a collection of a server over HTTP.

    Source: Qdrant's REST API, "Scroll points", "Count points", "Get collection details".
    """

    def __init__(self, api: WebApi, collection: str) -> None:
        self._api = api
        self._path = f"/collections/{collection}"

    def count(self) -> int:
        return int(self._post("/points/count", {"exact": True})["count"])

    def distances(self) -> Mapping[str, str]:
        params = _result(self._api.get(self._path).body)["config"]["params"]
        return _by_name(params["vectors"])

    def points(self) -> Iterator[_Point]:
        asked: dict[str, Any] = {"limit": PAGE, "with_payload": True, "with_vector": True}
        while True:
            page = self._post("/points/scroll", asked)
            for one in page["points"]:
                yield _Point(one["id"], one.get("payload") or {}, _named(one.get("vector")))
            asked["offset"] = page.get("next_page_offset")
            if asked["offset"] is None:
                return

    def _post(self, path: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return _result(self._api.post(self._path + path, payload).body)


class _Client:
    """Reads a collection through `qdrant_client`."""

    def __init__(self, client: Any, collection: str) -> None:
        self._client = client
        self._collection = collection

    def count(self) -> int:
        return int(self._client.count(self._collection, exact=True).count)

    def distances(self) -> Mapping[str, str]:
        config = self._client.get_collection(self._collection).config
        return _by_name(config.params.model_dump(mode="json")["vectors"])

    def points(self) -> Iterator[_Point]:
        offset: Any = None
        while True:
            page, offset = self._client.scroll(
                self._collection, limit=PAGE, offset=offset, with_payload=True, with_vectors=True
            )
            for one in page:
                yield _Point(one.id, one.payload or {}, _named(one.vector))
            if offset is None:
                return


def _result(body: Any) -> Mapping[str, Any]:
    result: Mapping[str, Any] = body["result"]
    return result


def _by_name(vectors: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the distances of dense vectors; the name of an unnamed one is ""."""
    vectors = vectors or {}
    named = {"": vectors} if "distance" in vectors else vectors
    return {name: one["distance"] for name, one in named.items()}


def _named(vectors: Any) -> dict[str, Any]:
    """Return the vectors of a point by name, sparse ones as mappings."""
    named = vectors if is_mapping(vectors) else {"": vectors}
    return {
        name: one.model_dump() if hasattr(one, "model_dump") else one for name, one in named.items()
    }
