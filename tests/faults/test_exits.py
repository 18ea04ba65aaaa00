"""However a program ends, it ends: within seconds, with its rows safe and no traceback."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from faults.programs import end_of, start, wait_until_ready
from hybridge import MilvusStore
from support.lite_server import LiteServer

EXITS = {
    "nothing is closed": "store.search('word1')",
    "closed at exit": "atexit.register(store.close)",
    "closed at exit, registered before": """
        import hybridge
        other = MilvusStore(path, collection_name="other")
        atexit.register(other.close)
        other.add([Record(id="a", text="word")])
    """,
    "a daemon thread in a call": """
        def work():
            while True:
                store.search("word1")
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
    """,
    "a thread in a call": """
        threading.Thread(target=lambda: store.add([Record(text="word")] * 400)).start()
        time.sleep(0.05)
    """,
    "a pool in a call": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(4)
        calls = [pool.submit(store.search, "word1") for _ in range(40)]
    """,
    "an object that closes it": """
        class App:
            def __init__(self):
                self.store = store
            def __del__(self):
                self.store.close()
        app = App()
    """,
    "an object in a cycle that closes it": """
        class App:
            def __init__(self):
                self.store, self.me = store, self
            def __del__(self):
                self.store.close()
        app = App()
    """,
    "a cancelled async call": """
        import asyncio
        async def main():
            task = asyncio.ensure_future(store.asearch("word1"))
            await asyncio.sleep(0)
            task.cancel()
        asyncio.run(main())
    """,
    "threads that close": """
        for _ in range(5):
            threading.Thread(target=store.close).start()
    """,
    "SIGTERM in a call": """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        ready()
        while True:
            store.add([Record(id="0", text="word0 and more")])
    """,
    "SIGTERM in a call, whose handler closes": """
        def stop(*_):
            store.close()
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        ready()
        while True:
            store.search("word1")
    """,
    "sys.exit in the middle of a scroll": """
        rows = store.scroll()
        next(rows)
        ready()
        sys.exit(0)
    """,
}


TOO_LATE = {
    "atexit": "atexit.register(lambda: store.search('word1'))",
    "a thread that goes on": """
        def work():
            while True:
                store.search("word1")
        threading.Thread(target=work).start()
        time.sleep(0.2)
    """,
}


@pytest.mark.parametrize("way", TOO_LATE)
def test_a_call_after_the_end_is_refused(way: str, tmp_path: Path) -> None:
    """Milvus Lite can no longer answer it: it says so at once, and the program ends."""
    code, _, errors = end_of(start(tmp_path / "milvus.db", TOO_LATE[way]))
    assert code == 0
    assert "StoreClosedError" in errors
    assert "since the interpreter ends" in errors


def check_exit(way: str, path: Path) -> float:
    """See that a program ends in some way; return how long that took it, in seconds."""
    program = start(path, EXITS[way], "\nready()\n")
    wait_until_ready(program)
    begun = time.monotonic()
    code, _, errors = end_of(program)
    took = time.monotonic() - begun
    assert (code, errors) == (0, "")
    with MilvusStore(path) as store:
        assert {str(n) for n in range(10)} <= {record.id for record in store.scroll()}
        assert store.check() == []
    return took


@pytest.mark.parametrize("way", EXITS)
def test_a_program_ends(way: str, tmp_path: Path) -> None:
    """It says nothing, and what was acknowledged is there afterwards; HYBRIDGE_EXITS times."""
    times = int(os.environ.get("HYBRIDGE_EXITS", "1"))
    took = [check_exit(way, tmp_path / f"{n}.db") for n in range(times)]
    print(f"{way}: {times} times, within {max(took):.1f} s")


def test_many_stores_in_calls_to_a_server_that_froze(tmp_path: Path) -> None:
    """They are waited for together, not one after the other."""
    body = """
        def count(one):
            with contextlib.suppress(HybridgeError):
                one.count()
        stores = [MilvusStore(URI, collection_name=f"some{n}") for n in range(12)]
        for one in stores:
            one.count()
        ready()
        sys.stdin.readline()
        for one in stores:
            threading.Thread(target=count, args=[one]).start()
        time.sleep(0.2)
    """
    server = LiteServer(tmp_path)
    server.start()
    try:
        head = "import contextlib\nfrom hybridge.errors import HybridgeError\n"
        program = start(tmp_path / "milvus.db", head, body.replace("URI", repr(server.uri)))
        wait_until_ready(program)
        server.freeze()
        assert end_of(program) == (0, "", "")
    finally:
        server.stop()
