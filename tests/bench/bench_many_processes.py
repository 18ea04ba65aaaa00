"""Several processes on one `milvus-lite server`: how soon words are found, whether counts add up.

A process ingests 2,000 documents of new words in batches of 20, while this one searches for a word
of each batch from the moment of its acknowledgement. Two seconds after the last one, the top 10 of
200 queries are compared with those of a process that has just begun. Then four processes write,
overwrite and delete rows of their own, 4,000 adds in all, and sum up their counts every 16 writes.
Bars: each word within 3 s; 200 of 200 alike; the counts equal a recount.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hybridge import MilvusStore, Record

sys.path.append(str(Path(__file__).parents[1]))
from bars import show

from support.lite_server import lite_server

FOUND_BAR, SAME_BAR = 3.0, 200
BATCHES, WRITERS = 100, 4

OPEN = """
import random, sys, time
from hybridge import MilvusStore, Record
from hybridge.store.bm25 import statistics_log
uri, name, writer = sys.argv[1:4]
store, rng = MilvusStore(uri, collection_name=name), random.Random(writer)
"""
INGEST = """
for i in range(100):
    store.add(Record(text=f"new{i}x{j} parrot {rng.choice('abcd')}") for j in range(20))
    print(f"new{i}x7", time.time(), flush=True)
"""
ASK = """
for query in sys.stdin:
    print([(hit.id, hit.score) for hit in store.search(query.strip(), k=10)])
"""
WRITE = """
statistics_log.COMPACT_AT = 16
for i in range(50):
    ids = [f"{writer}-{rng.randrange(400)}" for _ in range(20)]
    store.add(Record(id=one, text=f"{one} {rng.choice('abcd')} word{i}") for one in ids)
    if i % 5 == 4:
        store.delete(ids=ids[:3])
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, lite_server(Path(folder)) as uri:
        kept = [*words_are_found(uri), counts_add_up(uri)]
    return 0 if all(kept) else 1


def words_are_found(uri: str) -> tuple[bool, bool]:
    """Search while another ingests, and at the end as one that has just begun does."""
    late = []
    with MilvusStore(uri, collection_name="words") as store:
        store.add([Record(id="first", text="a parrot")])
        writer = started(INGEST, uri, "words")
        assert writer.stdout is not None
        for line in writer.stdout:
            word, acknowledged = line.split()
            while not store.search(word, mode="sparse"):
                time.sleep(0.05)
            late.append(time.time() - float(acknowledged))
        assert (len(late), writer.wait()) == (BATCHES, 0)
        time.sleep(2.1)
        queries = [
            query
            for i in range(BATCHES)
            for query in (f"new{i}x{i % 20} parrot a", f"parrot b new{i}x3")
        ]
        answers, _ = started(ASK, uri, "words").communicate("\n".join(queries))
        same = sum(
            str([(hit.id, hit.score) for hit in store.search(query, k=10)]) == answer
            for query, answer in zip(queries, answers.splitlines(), strict=True)
        )
    return (
        show("a new word is found after, at most", f"{max(late):.2f} s", max(late) <= FOUND_BAR),
        show("top 10 like those of a new process", f"{same} of {len(queries)}", same >= SAME_BAR),
    )


def counts_add_up(uri: str) -> bool:
    """Let four write at once, and count afterwards."""
    writers = [started(WRITE, uri, "counts", str(number)) for number in range(WRITERS)]
    assert all(writer.wait() == 0 for writer in writers)
    with MilvusStore(uri, collection_name="counts") as store:
        report, rows = store.check(), store.count()
    return show(f"counts of {WRITERS} writers, {rows} rows left", report or "equal", not report)


def started(program: str, uri: str, name: str, writer: str = "w") -> subprocess.Popen[str]:
    """Start a process with a store of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", OPEN + program, uri, name, writer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main())
