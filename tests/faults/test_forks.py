"""A forked child says at its first call that it has no store, or opens it anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults.programs import end_of, start

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

IN_A_CHILD = """
    def in_a_child(call):
        child = os.fork()
        if child == 0:
            try:
                print(call(), flush=True)
                store.close()
            except Exception as error:
                print(type(error).__name__, error, flush=True)
            os._exit(0)
        os.waitpid(child, 0)
"""


def test_a_path_is_the_parents(tmp_path: Path) -> None:
    """Milvus Lite runs there; the child is told, and disturbs nothing."""
    body = """
        import asyncio
        in_a_child(lambda: store.search("word1"))
        in_a_child(lambda: store.add([Record(text="word")]))
        in_a_child(lambda: asyncio.run(store.acount()))
        in_a_child(lambda: MilvusStore(path).count())
        store.add([Record(id="more", text="word")])
        print(len(store.search("word", k=20)), store.check())
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", IN_A_CHILD, body))
    *children, parent = out.splitlines()
    assert (code, parent) == (0, "1 []"), errors  # gRPC says a line of its own at each fork
    assert len(children) == 4
    assert all("forked" in line for line in children), children


def test_a_store_that_was_not_open_is_the_childs(tmp_path: Path) -> None:
    """Nothing was opened yet, as with gunicorn's preload."""
    body = """
        store.close()
        store = MilvusStore(path)
        in_a_child(lambda: (len(store.search("word1")), store.check()))
    """
    code, out, errors = end_of(start(tmp_path / "milvus.db", IN_A_CHILD, body))
    assert (code, errors, out) == (0, "", "(1, [])\n")


def test_a_server_is_everybodys(lite_server: str, collection_name: str, tmp_path: Path) -> None:
    """Parent and children write side by side, each with counts of its own."""
    body = f"""
        server = MilvusStore({lite_server!r}, collection_name={collection_name!r})
        server.add([Record(id=f"p{{n}}", text=f"parent word{{n}}") for n in range(10)])
        def write():
            server.add([Record(id=f"c{{os.getpid()}}", text="child")])
            return len(server.search("word1"))
        for _ in range(3):
            in_a_child(write)
            server.add([Record(text="parent again")])
        time.sleep(2.1)
        print(server.count(), len(server.search("child", k=20)), server.check())
    """
    body = body.replace("store.close()", "server.close()")
    code, out, errors = end_of(start(tmp_path / "milvus.db", IN_A_CHILD, body))
    assert code == 0, errors
    assert out.splitlines() == ["1", "1", "1", "16 3 []"]
