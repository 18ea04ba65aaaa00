"""A server that is killed in the middle of writes comes back with all that it acknowledged."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable

from hybridge import MilvusStore, Record
from hybridge.errors import StoreError
from support.milvus_server import MilvusServer

KILLS = 10 if "HYBRIDGE_TEST_FULL" in os.environ else 2


class Writer(threading.Thread):
    """Writes rows until it is told to stop, and remembers which the store has acknowledged."""

    def __init__(self, store: MilvusStore, name: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.failures: list[StoreError] = []
        self.stop = threading.Event()
        self._store, self._prefix = store, name

    def run(self) -> None:
        """Write ten rows at a time; after a failure the same ones again."""
        batch = 0
        while not self.stop.is_set():
            ids = [f"{self._prefix}-{batch}-{number}" for number in range(10)]
            try:
                self._store.add([Record(id=one, text=f"word{batch}", dense=[1, 2]) for one in ids])
            except StoreError as error:
                self.failures.append(error)
                self.stop.wait(0.5)
                continue
            self.acknowledged += ids
            batch += 1


def test_a_killed_server_has_what_it_acknowledged(
    make_server: Callable[..., MilvusServer],
) -> None:
    """Whenever it is killed; the store that wrote goes on by itself."""
    server, rng = make_server(), random.Random(11)
    acknowledged: set[str] = set()
    with MilvusStore(server.uri, collection_name="killed", timeout=60) as store:
        store.add([Record(id="first", text="the first", dense=[1, 1])])
        for kill in range(KILLS):
            writer = Writer(store, str(kill))
            writer.start()
            writer.stop.wait(rng.uniform(0.5, 4))
            server.kill()
            server.start()
            writer.stop.wait(2)
            writer.stop.set()
            writer.join()
            acknowledged |= set(writer.acknowledged)
            assert len(acknowledged) > 10 * kill
            assert acknowledged <= {record.id for record in store.scroll()}
        assert store.check() == []
        assert len(store.search("the first", mode="sparse")) == 1
    with MilvusStore(server.uri, collection_name="killed", timeout=60) as fresh:
        assert acknowledged <= {record.id for record in fresh.scroll()}
        assert fresh.count() >= len(acknowledged) + 1
