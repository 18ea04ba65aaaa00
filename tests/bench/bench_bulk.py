"""A million short documents to Parquet for a bulk import, in one process: memory and cost.

Documents of about 12 words, by Zipf's law of 200,000, with BM25 and stand-in dense vectors of 128
numbers, are streamed by a process of their own: first 100,000, then 1,000,000. A sample of the rows
is read back and compared with what a store writes, and the first 50,000 rows are loaded through
`MilvusStore`. With `--fewer 10` all numbers are a tenth.

Bars: at most 1.5 GB at the peak; a document of a million costs at most 1.25 times one of 100,000.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from bars import show

from hybridge import MilvusStore, Record
from hybridge.tools import bulk

MANY, FEW, LOADED, SAMPLE, DIM = 1_000_000, 100_000, 50_000, 500, 128
PEAK_BAR, COST_BAR = 1.5e9, 1.25
WRITE = """
import json, resource, sys, time
from hybridge.tools import bulk
from bench_bulk import StandIn, documents
start, cpu = time.perf_counter(), time.process_time()
written = bulk.write(documents(int(sys.argv[1])), sys.argv[2], dense=StandIn())
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
took = {"clock": time.perf_counter() - start, "cpu": time.process_time() - cpu, "peak": peak}
print(json.dumps({**took, "rows": written.rows, "files": written.files}))
"""


class StandIn:
    """A model that costs nothing: each text gets one of a thousand unit vectors."""

    dim, model_name = DIM, "stand-in"

    def __init__(self) -> None:
        made = np.random.default_rng(1).normal(size=(1000, DIM)).astype(np.float32)
        self._vectors = made / np.linalg.norm(made, axis=1, keepdims=True)

    def encode_documents(self, documents: list[str]) -> np.ndarray:
        return self._vectors[[len(text) * 31 % 1000 for text in documents]]

    encode_queries = encode_documents


def documents(count: int) -> Iterator[Record]:
    """So many different documents, the same each time."""
    rng = np.random.default_rng(7)
    for first in range(0, count, 1000):
        words = np.minimum(rng.zipf(1.2, size=(1000, 12)), 200_000)
        for number, some in enumerate(words.tolist(), first):
            yield Record(text=" ".join(f"w{word}" for word in some), metadata={"n": number})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fewer", type=int, default=1, metavar="TIMES")
    fewer = parser.parse_args().fewer
    with tempfile.TemporaryDirectory() as folder:
        few = measured(FEW // fewer, f"{folder}/few")
        many = measured(MANY // fewer, f"{folder}/many")
        ratio = (many["cpu"] / many["rows"]) / (few["cpu"] / few["rows"])
        kept = [
            show("peak memory", f"{many['peak'] / 1e6:,.0f} MB", many["peak"] <= PEAK_BAR),
            show("CPU a document, of that of few", f"{ratio:.2f}", ratio <= COST_BAR),
            *read_back(Path(folder), LOADED // fewer),
        ]
    return 0 if all(kept) else 1


def measured(count: int, folder: str) -> dict[str, float]:
    """Write so many documents in a process of their own; return what that took."""
    command = [sys.executable, "-c", WRITE, str(count), folder]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    took: dict[str, float] = json.loads(done.stdout)
    print(
        f"{took['rows']:10,.0f} documents: {1e6 * took['cpu'] / count:6.1f} CPU-µs and "
        f"{1e6 * took['clock'] / count:6.1f} µs a document, {took['peak'] / 1e6:,.0f} MB, "
        f"{took['files']:.0f} files",
        flush=True,
    )
    return took


def read_back(folder: Path, loaded: int) -> Iterator[bool]:
    """Load the first rows, and compare a sample with the documents and with a store's rows."""
    moved = list(islice(bulk.FromBulk(folder / "many").records(), loaded))
    with MilvusStore(folder / "loaded.db") as store:
        store.prepare_import(bulk.Folder(folder / "many").plan)
        store.add(moved, batch_size=1000)
        yield show("rows loaded through a store", f"{store.count():,}", store.count() == loaded)
        given = {one.metadata["n"]: one for one in documents(10 * loaded)}
        sample = moved[:: len(moved) // SAMPLE]
        same = all(given[one.metadata["n"]].content_id == one.id for one in sample)
        yield show("rows of the sample are the documents", len(sample), same)
        yield show("differences from what a store writes", store.check(), not store.check())


if __name__ == "__main__":
    sys.exit(main())
