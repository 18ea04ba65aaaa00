"""However a program ends, it ends: within seconds, with its rows safe and no traceback."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from faults.programs import end_of, start, wait_until_ready
from hybridge import MilvusStore

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
