"""Searches of a path in this process against the engine's own, in the default configuration.

Docstrings of the standard library with random vectors of dimension 384, BM25 on, one typed column,
one metadata key without a column. Two stores of one path ask each question in turns, one of them
with `in_process_search=False`; hits must be the same. What the first search costs, and the first
one after a write, is shown beside the medians.

    python tests/bench/bench_reader.py [--rows N]

Bar: at most half the engine's time for each kind of search.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hybridge import F, MilvusStore, Record
from hybridge.records import Hit

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "examples"))
from bench_ingest import documents

from stdlib_docs import collect_docstrings

DIM, K, ROUNDS, BAR = 384, 10, 15, 0.5
KINDS: Mapping[str, Mapping[str, Any]] = {
    "dense": {"mode": "dense"},
    "sparse": {"mode": "sparse"},
    "hybrid": {"mode": "hybrid"},
    "dense, column filter": {"mode": "dense", "filter": F("year") >= 2015},
    "dense, key filter, 27 %": {"mode": "dense", "filter": F("number") < 27},
    "dense, key filter, 1 %": {"mode": "dense", "filter": F("number") == 7},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    rng = np.random.default_rng(7)
    with two_stores(rows, rng) as (here, engine, texts):
        asked = list(zip(texts[:: rows // ROUNDS], rng.normal(size=(ROUNDS, DIM)), strict=False))
        print(f"{rows:,} rows, searched {here.describe()['searched']}", flush=True)
        kept = [compare(kind, here, engine, asked) for kind in KINDS]
    return 0 if all(kept) else 1


@contextmanager
def two_stores(
    rows: int, rng: np.random.Generator
) -> Iterator[tuple[MilvusStore, MilvusStore, list[str]]]:
    """Give a store that searches here, one of the same path whose engine does, and their texts."""
    docstrings = dict(sorted(collect_docstrings().items()))
    texts = list(itertools.islice(documents(docstrings), rows))
    vectors = rng.normal(size=(rows, DIM)).astype(np.float32)
    arguments: dict[str, Any] = {"metadata_schema": {"year": int}}
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore(f"{folder}/rows.db", **arguments) as here,
        MilvusStore(f"{folder}/rows.db", in_process_search=False, **arguments) as engine,
    ):
        here.add(record(i, text, vectors[i]) for i, text in enumerate(texts))
        yield here, engine, texts


def record(number: int, text: str, vector: np.ndarray) -> Record:
    metadata = {"year": 2000 + number % 25, "number": number % 100}
    return Record(id=str(number), text=text, metadata=metadata, dense=vector)


def compare(
    kind: str, here: MilvusStore, engine: MilvusStore, asked: list[tuple[str, np.ndarray]]
) -> bool:
    """Ask both each question, taking turns at going first; print the medians."""
    first, _ = timed(here, kind, *asked[0])
    pairs = [paired(here, engine, kind, one, turn) for turn, one in enumerate(asked)]
    here.add([record(0, asked[0][0], asked[0][1])])
    written, _ = timed(here, kind, *asked[0])
    ratio = statistics.median(a / b for a, b in pairs)
    ours, theirs = (statistics.median(pair[side] for pair in pairs) * 1e3 for side in (0, 1))
    print(
        f"{kind:24} first {first * 1e3:7.1f} ms, after a write {written * 1e3:6.1f} ms, "
        f"median {ours:6.1f} ms, by the engine {theirs:7.1f} ms, ratio {ratio:.2f}   (bar {BAR})"
        f"{'' if ratio <= BAR else '   MISSED'}",
        flush=True,
    )
    return ratio <= BAR


def timed(store: MilvusStore, kind: str, text: str, vector: np.ndarray) -> tuple[float, list[Hit]]:
    start = time.perf_counter()
    hits = store.search(text, vector=vector, k=K, **KINDS[kind])
    return time.perf_counter() - start, hits


def paired(
    here: MilvusStore,
    engine: MilvusStore,
    kind: str,
    asked: tuple[str, np.ndarray],
    turn: int,
) -> tuple[float, float]:
    """Time both on one question."""
    stores = (here, engine)
    seconds, found = {}, {}
    for side in (turn % 2, 1 - turn % 2):
        seconds[side], found[side] = timed(stores[side], kind, *asked)
    scores = [[hit.score for hit in found[side]] for side in (0, 1)]
    assert np.allclose(*scores, atol=1e-5), scores
    return seconds[0], seconds[1]


if __name__ == "__main__":
    sys.exit(main())
