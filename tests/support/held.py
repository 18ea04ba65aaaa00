"""How many rows a client holds of those that a server gives it page by page."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hybridge.store.engine import dialect


class Key(str):
    """A key that can be told to be gone."""

    __slots__ = ("__weakref__",)


class Held:
    """Counts the keys that are alive.

    Attributes:
        read: How many were given.
        most: The most that were alive at one time.
    """

    def __init__(self) -> None:
        self.read = self.most = self._now = 0

    def key(self, value: str) -> Key:
        """Return a key that is counted as long as anything refers to it."""
        key = Key(value)
        self.read, self._now = self.read + 1, self._now + 1
        self.most = max(self.most, self._now)
        weakref.finalize(key, self._gone)
        return key

    def _gone(self) -> None:
        self._now -= 1


@contextmanager
def held_keys(page: int) -> Iterator[Held]:
    """Within the block a server's pages have so many rows, whose keys are counted."""
    held, select = Held(), dialect.Server.select

    def counted(self: Any, connection: Any, name: str, *arguments: Any) -> Iterator[Any]:
        key = arguments[-1].name
        for rows in select(self, connection, name, *arguments):
            if not name.endswith("__hybridge"):
                for row in rows:
                    row[key] = held.key(row[key])
            yield rows
            del rows

    with patch.object(dialect, "_PAGE", page), patch.object(dialect.Server, "select", counted):
        yield held
