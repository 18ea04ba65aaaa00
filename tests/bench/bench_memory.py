"""Peak memory of a process that has 100,000 rows open, against one that uses pymilvus alone.

One path is filled in the default configuration, and a process each opens it: raw pymilvus loads
it, searches dense vectors and asks for rows by a filter; Hybridge makes a dense search; a hybrid
one; searches with filters on a column and on any key; and a hybrid search right after an add of
10,000 rows, none of which is flushed. What is imported is counted on both sides.

    python tests/bench/bench_memory.py [--rows N]

Bar: what a process of Hybridge holds once it has searched at most 1.25 times that of raw pymilvus,
which after the add has the same rows in its memory, unflushed; so do the peaks.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench_cold import DIM, K, fill

BAR, ADDED = 1.25, 10_000
VECTOR = [1.0] * DIM
PAIRS = {"dense": "raw", "hybrid": "raw", "filters": "raw", "added": "raw, added"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--path", help="use this path, and add rows to it")
    parser.add_argument("--use", choices=USES, help="use the path in this process alone")
    asked = parser.parse_args()
    if asked.use:
        USES[asked.use](asked.path)
        print(json.dumps({"now": resident(), "peak": peak()}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(asked.path or f"{folder}/rows.db")
        if not path.exists():
            fill(path, asked.rows)
        held = {use: measure(use, path) for use in USES}
    missed = False
    for use, megabytes in held.items():
        shown = ", ".join(f"{what} {held_now:6,.0f} MB" for what, held_now in megabytes.items())
        print(f"{use:12}{shown}", end="")
        if use in PAIRS:
            ratios = [megabytes[what] / held[PAIRS[use]][what] for what in megabytes]
            over = max(ratios) > BAR
            missed |= over
            print(f"   {ratios[0]:.2f} and {ratios[1]:.2f} times raw (bar {BAR})", end="")
            print("   MISSED" if over else "", end="")
        print()
    return 1 if missed else 0


def measure(use: str, path: Path) -> dict[str, float]:
    """Return the megabytes that a process of its own holds; of a copy where it writes files."""
    with tempfile.TemporaryDirectory() as folder:
        if "raw" in use or "added" in use:
            path = Path(shutil.copytree(path, f"{folder}/copy.db"))
        command = [sys.executable, __file__, "--path", str(path), "--use", use]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    held: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return held


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """Return the most that this process has held; `ru_maxrss` knows what its parent had, too."""
    status = Path("/proc/self/status").read_text().splitlines()
    [line] = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


def texts_and_vectors() -> list[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(8)
    return [
        (f"added {number} to subject {number % 97}", rng.normal(size=DIM).astype(np.float32))
        for number in range(ADDED)
    ]


def raw(path: str, *, add: bool = False) -> None:
    from pymilvus import MilvusClient

    client = MilvusClient(path)
    client.load_collection("hybridge")
    columns = ["text", "metadata"]
    if add:
        client.upsert(
            "hybridge",
            [
                {
                    "id": f"new{number}", "text": text, "context": None, "metadata": {"year": 2000},
                    "document_id": None, "extra": None, "write": "", "meta_year": 2000,
                    "dense": vector, "sparse": {number % 97: 1.0},
                }
                for number, (text, vector) in enumerate(texts_and_vectors())
            ],
        )  # fmt: skip
    [hits] = client.search(
        "hybridge", data=[VECTOR], anns_field="dense", limit=K, output_fields=columns
    )
    assert len(hits) == K
    assert client.query("hybridge", filter="meta_year == 2003", limit=K, output_fields=columns)


def ours(path: str, *modes: str, filters: bool = False, add: bool = False) -> None:
    from hybridge import F, MilvusStore, Record

    store = MilvusStore(path, metadata_schema={"year": int})
    if add:
        store.add(
            Record(id=f"new{number}", text=text, metadata={"year": 2000}, dense=vector)
            for number, (text, vector) in enumerate(texts_and_vectors())
        )
    for mode in modes:
        for wanted in [F("year") == 2003, F("number") == 7] if filters else [None]:
            hits = store.search("open a file", vector=VECTOR, k=K, mode=mode, filter=wanted)
            assert len(hits) == K


USES: dict[str, Callable[[str], None]] = {
    "raw": raw,
    "raw, added": lambda path: raw(path, add=True),
    "dense": lambda path: ours(path, "dense"),
    "hybrid": lambda path: ours(path, "hybrid"),
    "filters": lambda path: ours(path, "hybrid", filters=True),
    "added": lambda path: ours(path, "hybrid", add=True),
}


if __name__ == "__main__":
    sys.exit(main())
