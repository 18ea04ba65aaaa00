"""Engines for tests: the server's half of the dialect over `milvus-lite server`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hybridge.store.bm25.milvus import MilvusBM25Field
from hybridge.store.engine import dialect
from hybridge.store.engine.address import Address


class ServerOverLite(dialect.Server):
    """A server whose engine is Milvus Lite: paged and shared like one, indexed like Lite."""

    exact_indexes = True  # Lite returns too few rows of a filtered search with others
    column_indexes = False
    json_paths = False
    minimum = ()

    def __init__(self, version: str = "") -> None:
        # Lite's own number says nothing of what a server can; a relay says "milvus_lite as v2.5.4".
        super().__init__(version.partition(" as ")[2])
        self.functions = False

    @classmethod
    def speaks(cls, address: Address, version: str) -> bool:
        """A URI at which Milvus Lite answers."""
        return not address.is_path and dialect.Lite.speaks(address, version)


class FunctionsOverLite(ServerOverLite):
    """One that has BM25 functions: Lite's own."""

    def __init__(self, version: str = "") -> None:
        super().__init__(version)
        self.functions = True


@contextmanager
def functions_over_lite() -> Iterator[None]:
    """Within the block it has BM25 functions, too; the scores of Lite's have a minus sign."""
    with servers_over_lite(FunctionsOverLite), patch.object(MilvusBM25Field, "sign", -1):
        yield


@contextmanager
def servers_over_lite(engine: type[dialect.Engine] = ServerOverLite) -> Iterator[None]:
    """Within the block a `milvus-lite server` is taken for a Milvus server; a real one is one."""
    dialect.ENGINES.insert(0, engine)
    try:
        yield
    finally:
        dialect.ENGINES.remove(engine)
