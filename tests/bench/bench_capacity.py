"""Our own share of a document and of a query, and of statistics: the figures of docs/capacity.md.

Real documents (docstrings, manual pages, descriptions of packages) with ready vectors go to a
`milvus-lite server`, and are asked for. Counted are the calls to the server and the CPU time of
this process, which is the client alone. Then statistics of ten million terms are written, and read
by a process of their own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from hybridge import MilvusStore, Record
from hybridge.store.engine.connection import Connection

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "examples")]
from machine_texts import documents
from support.lite_server import lite_server

DOCUMENTS, DIM, QUERIES = 3_000, 384, 50
TERMS = (1_000_000, 10_000_000)
STATISTICS = """
import json, resource, sys, tempfile, time
from hybridge import MilvusStore, Record
from hybridge.sparse.statistics import Statistics
terms = int(sys.argv[1])
def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def read(path):
    with MilvusStore(path) as store, store._call() as opened:
        before, start = memory(), time.perf_counter()
        counts = opened.bm25[0].statistics
        assert len(counts.frequencies) >= terms
        return {"terms": terms, "bytes": memory() - before, "seconds": time.perf_counter() - start}
if len(sys.argv) > 3:
    with MilvusStore(sys.argv[2]) as store:
        store.add([Record(text="a parrot")])
        with store._call() as opened:
            many = {term * 429 % 2**32: 1 + term % 7 for term in range(1, terms)}
            opened.bm25[0].log.write_sum("another", 1, Statistics(0, 0, many))
else:
    print(json.dumps(read(sys.argv[2])))
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        with lite_server(Path(folder)) as uri:
            measure(uri)
        for terms in TERMS:
            print(statistics_of(terms, folder), flush=True)
    return 0


def statistics_of(terms: int, folder: str) -> dict[str, float]:
    """Write statistics of so many terms, and read them in another process."""
    command = [sys.executable, "-c", STATISTICS, str(terms), f"{folder}/{terms}.db"]
    subprocess.run([*command, "write"], check=True)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def measure(uri: str) -> None:
    """Add the documents and ask for them; print what each took of this process."""
    some = list(islice(documents(), 0, 9 * DOCUMENTS, 9))
    vectors = np.random.default_rng(7).normal(size=(len(some), DIM)).astype(np.float32)
    words = [len(one["text"].split()) for one in some]
    size = sum(len(one["text"].encode()) for one in some)
    print(
        f"{len(some)} documents of {statistics.mean(words):.0f} words, {size / len(some):.0f} bytes"
    )
    with MilvusStore(uri, timeout=600) as store:
        records = [
            Record(text=one["text"], metadata={"name": one["name"]}, dense=vector)
            for one, vector in zip(some, vectors, strict=True)
        ]
        store.add(records[:256], ids="content")
        with counted("add", len(records) - 256):
            store.add(records[256:], ids="content")
        with store._call() as opened:
            assert opened is not None
            counts = opened.bm25[0].statistics
            print(f"{counts.tokens} tokens, {len(counts.frequencies)} terms")
        queries = [" ".join(one["text"].split()[3:9]) for one in some[:QUERIES]]
        for mode in ("dense", "sparse", "hybrid"):
            store.search("warm up", vector=vectors[0], mode=mode)
            with counted(f"search {mode}", QUERIES):
                for query, vector in zip(queries, vectors, strict=False):
                    store.search(query, vector=vector, mode=mode, k=10)


@contextmanager
def counted(what: str, of: int) -> Iterator[None]:
    """Print the calls to the server, and the CPU time."""
    calls: Counter[str] = Counter()
    call = Connection.call

    def noted(self: Connection, operation: str, name: str, **arguments: Any) -> Any:
        calls[operation + (" of the companion" if name.endswith("__hybridge") else "")] += 1
        return call(self, operation, name, **arguments)

    cpu, start = time.process_time(), time.perf_counter()
    with patch.object(Connection, "call", noted):
        yield
    spent, took = time.process_time() - cpu, time.perf_counter() - start
    print(
        f"{what}: {1e6 * spent / of:.0f} CPU-µs, {1e6 * took / of:.0f} µs each, calls {dict(calls)}"
    )


if __name__ == "__main__":
    sys.exit(main())
