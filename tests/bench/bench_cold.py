"""What a new process pays until its first hits, by part, in the default configuration.

A path is filled once with docstrings of the standard library, BM25 on, one column, and random
vectors of dimension 384. Then processes are started one after the other: each imports Hybridge,
opens the path, and makes its first search, by vectors that are given, so that no model is loaded.
Opening is what the first `count()` takes, the import of pymilvus included.

    python tests/bench/bench_cold.py [--rows N] [--processes N]

Bar: the first hybrid search of a new process after at most 2.5 s at 100,000 rows, opening included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "examples"))

DIM, K, BAR = 384, 10, 2.5
MODES = ("dense", "sparse", "hybrid")
PARTS = ("import", "open", "search")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--path", help="fill this path if it is not there, and keep it")
    parser.add_argument("--search", choices=MODES, help="search the path in this process alone")
    asked = parser.parse_args()
    if asked.search:
        print(json.dumps(first_search(asked.path, asked.search)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(asked.path or f"{folder}/rows.db")
        if not path.exists():
            fill(path, asked.rows)
        took = {mode: [start(path, mode) for _ in range(asked.processes)] for mode in MODES}
    for mode, runs in took.items():
        parts = {part: statistics.median(run[part] for run in runs) for part in PARTS}
        shown = ", ".join(f"{part} {seconds:5.2f} s" for part, seconds in parts.items())
        print(f"{mode:8}{shown}, CPU {statistics.median(run['cpu'] for run in runs):5.2f} s")
    whole = statistics.median(run["open"] + run["search"] for run in took["hybrid"])
    missed = "" if whole <= BAR else "   MISSED"
    print(f"opened and searched, hybrid: {whole:.2f} s   (bar {BAR} at 100,000 rows){missed}")
    return 1 if missed else 0


def fill(path: Path, rows: int) -> None:
    import numpy as np
    from bench_ingest import documents

    from hybridge import MilvusStore, Record
    from stdlib_docs import collect_docstrings

    texts = itertools.islice(documents(dict(sorted(collect_docstrings().items()))), rows)
    rng = np.random.default_rng(7)
    with MilvusStore(path, metadata_schema={"year": int}) as store:
        store.add(
            Record(
                id=str(i),
                text=text,
                metadata={"year": 2000 + i % 25, "number": i % 100},
                dense=rng.normal(size=DIM).astype(np.float32),
            )
            for i, text in enumerate(texts)
        )


def start(path: Path, mode: str) -> dict[str, float]:
    """Return what a new process took, in seconds."""
    command = [sys.executable, __file__, "--path", str(path), "--search", mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    took: dict[str, float] = json.loads(done.stdout)
    return took


def first_search(path: str, mode: str) -> dict[str, float]:
    """Search once, in a process that has done nothing else."""
    begun = time.perf_counter()
    from hybridge import MilvusStore

    imported = time.perf_counter()
    store = MilvusStore(path, metadata_schema={"year": int})
    store.count()
    opened = time.perf_counter()
    hits = store.search("open a file", vector=[1.0] * DIM, k=K, mode=mode)
    searched = time.perf_counter()
    assert len(hits) == K
    return {
        "import": imported - begun,
        "open": opened - imported,
        "search": searched - opened,
        "cpu": time.process_time(),
    }


if __name__ == "__main__":
    sys.exit(main())
