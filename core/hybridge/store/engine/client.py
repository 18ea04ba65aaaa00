"""pymilvus's client, with a connection of its own, and rows made into messages by column."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cache, partial
from typing import Any
from weakref import proxy

from hybridge.store.engine.message import upsert_message
from hybridge.store.engine.pymilvus_import import pymilvus

_PREPARE = "_prepare_row_upsert_request"
"""The method of pymilvus's connection that makes the message of rows."""


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

        def _get_connection(self) -> Any:
            handler = base._get_connection(self)
            if _PREPARE not in vars(handler):
                prepare = getattr(handler, _PREPARE).__func__
                # By a proxy: a handler that held itself would go on connecting when it is closed.
                setattr(handler, _PREPARE, partial(_prepared, prepare, proxy(handler)))
            return handler

    return Client


def _prepared(
    prepare: Callable[..., Any],
    handler: Any,
    collection_name: str,
    rows: list[Any],
    partition_name: str | None = None,
    timeout: float | None = None,
    context: Any = None,
    **options: Any,
) -> Any:
    """Return the message of an upsert: ours where that is known to be the same as pymilvus's."""
    if not partition_name and not any(options.values()):
        schema, changed = handler._get_schema(collection_name, timeout=timeout, context=context)
        message = upsert_message(collection_name, rows, schema["fields"], changed)
        if message is not None:
            return message
    named = {"timeout": timeout, "context": context, **options}
    return prepare(handler, collection_name, rows, partition_name, **named)
