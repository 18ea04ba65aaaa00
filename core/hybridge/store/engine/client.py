"""pymilvus's client, with a connection of its own, and rows made into messages by column."""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from hybridge.store.engine.message import upsert_message
from hybridge.store.engine.pymilvus_import import pymilvus


def make_client(**arguments: Any) -> Any:
    """Make pymilvus's client; tests put one in its place that stands in for what a server lacks.

    The alias keeps pymilvus 2.6 from giving out a connection of others to this address, whatever
    certificates that was opened with: it would end when they close theirs.
    """
    return _client_class()(dedicated=True, alias=f"hybridge-{uuid.uuid4().hex}", **arguments)


@cache
def _client_class() -> Any:
    """Return pymilvus's client, made to keep its connection apart from those of others.

    pymilvus's clients share a manager, which is locked while any of them connects or is closed: for
    as long as one server does not answer, no other could be opened.
    """
    base: Any = pymilvus().MilvusClient

    class Client(base):  # type: ignore[misc]
        @property
        def _manager(self) -> Any:
            return self._own_manager

        @_manager.setter
        def _manager(self, shared: Any) -> None:
            self._own_manager = type(shared)()

        def upsert(self, collection_name: str, data: list[Any], **options: Any) -> Any:
            """Write whole rows by a message of ours, and what it is not made for by pymilvus's."""
            handler, timeout = self._get_connection(), options.get("timeout")
            context = self._generate_call_context()
            schema, _ = handler._get_schema(collection_name, timeout=timeout, context=context)
            message = None
            if not options.get("partial_update"):
                message = upsert_message(collection_name, data, schema["fields"])
            if message is None:
                return base.upsert(self, collection_name, data, **options)
            request = {"upsert_param": message, "schema": schema, "context": context}
            return handler.upsert(collection_name, [], timeout=timeout, **request)

    return Client
