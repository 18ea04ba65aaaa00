"""A server that is killed in the middle of writes comes back with all that it acknowledged."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from hybridge import MilvusStore, Record
from support.milvus_server import MilvusServer
from support.writer import Writer

KILLS = 10 if "HYBRIDGE_TEST_FULL" in os.environ else 2


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
            writer.end()
            acknowledged |= set(writer.acknowledged)
            assert len(acknowledged) > 10 * kill
            assert acknowledged <= {record.id for record in store.scroll()}
        assert store.check() == []
        assert len(store.search("the first", mode="sparse")) == 1
    with MilvusStore(server.uri, collection_name="killed", timeout=60) as fresh:
        assert acknowledged <= {record.id for record in fresh.scroll()}
        assert fresh.count() >= len(acknowledged) + 1
