"""The default store beside embedded picks of other people: the same questions of the same rows.

Docstrings of the standard library of about 61 words, each with a vector of dimension 384 that is
made of its words. Each contestant is a process of its own (`worker.py`) and reads its own clock;
they are asked in turns, so that a busy moment of the machine meets all. Chroma is approximate and
has no BM25; the other rankings by vectors are exact, and their hits are compared.

    make bench-peers
    python tests/bench/peers/compare.py [--rows N] [--rounds N] [--folder F] [--peers PYTHON]

`--folder` keeps what was built there for another run, `--only` and `--modes` leave out contestants
and questions; `--peers` names the interpreter that has what
`requirements.txt` names. A bar is a median of paired ratios, or milliseconds; the exit code is 1
where one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[3] / "examples"))
from bench_ingest import documents

from stdlib_docs import collect_docstrings

DIM, QUESTIONS, WARM = 384, 200, 2

PAUSE = 0.02
"""Seconds between two questions: threads of a library that has answered may wait in a loop."""

OURS, DENSE_ONLY = "hybridge", "hybridge, dense only"
WORKERS: Mapping[str, str] = {
    OURS: "here",
    DENSE_ONLY: "here",
    "raw pymilvus": "here",
    "chroma": "peers",
    "lancedb": "peers",
    "faiss and bm25s": "peers",
}
"""Contestants, and which environment each runs in."""

MODES = (
    "dense",
    "sparse",
    "hybrid",
    "column filter",
    "key filter, kept",
    "key filter, new, 27 %",
    "key filter, new, 21 rows",
    "key filter after a write",
)


class Bar(NamedTuple):
    """What a mode must reach: times a contestant's p50, or milliseconds.

    Attributes:
        most: The bar.
        of: The contestant; "" where the bar is in milliseconds.
        or_ms: Milliseconds that are enough in any case.
    """

    most: float
    of: str = ""
    or_ms: float = 0.0


BARS: Mapping[int, Mapping[str, Sequence[Bar]]] = {
    10_000: {
        "dense": [Bar(1.0, "chroma", or_ms=3.0)],
        "sparse": [Bar(1.0, "faiss and bm25s")],
        "hybrid": [Bar(0.5, "lancedb")],
        "column filter": [Bar(0.3, "chroma")],
        "key filter, kept": [Bar(8.0)],
        "key filter after a write": [Bar(60.0)],
    },
    100_000: {
        "dense": [Bar(0.1, "raw pymilvus"), Bar(0.1, "lancedb")],
        "sparse": [Bar(1.0, "faiss and bm25s")],
        "hybrid": [Bar(0.15, "lancedb")],
        "key filter, new, 27 %": [Bar(700.0)],
        "key filter, new, 21 rows": [Bar(150.0)],
    },
}


class Worker:
    """A contestant in a process of its own.

    Args:
        name: The contestant.
        python: The interpreter that has its library.
        data: The folder with the rows.
        folder: Where it keeps them.
    """

    def __init__(self, name: str, python: str, data: Path, folder: Path) -> None:
        command = [python, str(Path(__file__).with_name("worker.py")), name, str(data), str(folder)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LANCEDB_LOG": "error"},  # else it warns at each search
        )
        self.opened = self._read()

    def ask(self, mode: str, question: int) -> Any:
        """Return the answer to one question; None where the contestant has no such mode."""
        assert self._process.stdin is not None
        print(
            json.dumps({"mode": mode, "question": question}), file=self._process.stdin, flush=True
        )
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._process.args} has ended"
        return json.loads(line)

    def close(self) -> None:
        self._process.communicate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--folder", type=Path)
    parser.add_argument(
        "--peers", default=str(Path(__file__).parents[3] / ".venv-peers/bin/python")
    )
    parser.add_argument("--only", nargs="*", default=list(WORKERS), choices=list(WORKERS))
    parser.add_argument("--modes", nargs="*", default=list(MODES), choices=list(MODES))
    given = parser.parse_args()
    pythons = {"here": sys.executable, "peers": given.peers}
    with ExitStack() as stack:
        kept = given.folder or stack.enter_context(tempfile.TemporaryDirectory())
        folder = Path(kept, str(given.rows))
        make_rows(folder, given.rows)
        workers: dict[str, Worker] = {}
        for name in given.only:
            worker = Worker(name, pythons[WORKERS[name]], folder, folder / name.replace(" ", "_"))
            stack.callback(worker.close)
            workers[name] = worker
            print(f"{name:22}{describe(worker.opened)}", flush=True)
        kept = [compare(mode, workers, given.rows, given.rounds) for mode in given.modes]
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if all(kept) else 1


def describe(opened: Mapping[str, Any]) -> str:
    """Say what opening took, and adding where it was not kept."""
    added = f"added {opened['rows_a_second']:8,.0f} rows/s, " if opened["rows_a_second"] else ""
    return f"{added}{opened['megabytes']:,.0f} MB on disk"


def make_rows(folder: Path, rows: int) -> None:
    """Write texts, vectors and questions, if they are not there."""
    if (folder / "questions.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    docstrings = dict(sorted(collect_docstrings().items()))
    texts = list(islice(documents(docstrings), rows))
    lines = [first for doc in docstrings.values() if len(first := doc.partition("\n")[0]) > 20]
    asked = lines[:: len(lines) // QUESTIONS][:QUESTIONS]
    vectors = embed([*texts, *asked])
    np.save(folder / "vectors.npy", vectors[:rows])
    np.save(folder / "question_vectors.npy", vectors[rows:])
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")
    (folder / "questions.json").write_text(json.dumps(asked), "utf-8")


def embed(texts: Sequence[str]) -> np.ndarray:
    """Return a unit vector of each text: the sum of random vectors of its words, rare ones most."""
    words: dict[str, int] = {}
    places = [[words.setdefault(word, len(words)) for word in told(text)] for text in texts]
    ends = np.cumsum([0, *map(len, places)])
    columns = np.concatenate([np.array(some, np.int64) for some in places])
    counts = csr_array((np.ones(len(columns), np.float32), columns, ends))
    rarity = np.log(len(texts) / np.bincount(columns, minlength=len(words))).astype(np.float32)
    directions = np.random.default_rng(7).normal(size=(len(words), DIM)).astype(np.float32)
    noise = np.random.default_rng(8).normal(size=(len(texts), DIM)).astype(np.float32)
    vectors = counts @ (directions * rarity[:, None]) + noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def told(text: str) -> Iterator[str]:
    return (found.group() for found in re.finditer(r"\w+", text.lower()))


def compare(mode: str, workers: Mapping[str, Worker], rows: int, rounds: int) -> bool:
    """Ask all, each first in its turn; print what each took and whether the bar is kept."""
    answers: dict[str, list[Any]] = {name: [] for name in workers}
    names = list(workers)
    for turn in range(rounds + WARM):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            answers[name].append(workers[name].ask(mode, turn % QUESTIONS))
            time.sleep(PAUSE)
    asked = {name: some[WARM:] for name, some in answers.items() if some[0] is not None}
    seconds = {name: [one["seconds"] for one in some] for name, some in asked.items()}
    bars = [bar for bar in BARS.get(rows, {}).get(mode, ()) if bar.of in ("", *seconds)]
    print(f"\n{mode}")
    for name, taken in seconds.items():
        show(name, taken, seconds[OURS], asked[name], asked[OURS])
    reached = [is_reached(bar, seconds) for bar in bars]
    return all(reached)


def is_reached(bar: Bar, seconds: Mapping[str, Sequence[float]]) -> bool:
    """Print what a bar is compared with; say whether it is reached."""
    found, milliseconds = figure(bar, seconds), statistics.median(seconds[OURS]) * 1e3
    reached = found <= bar.most or milliseconds <= bar.or_ms
    of = f"times {bar.of}" if bar.of else "ms"
    enough = f" or {bar.or_ms:g} ms" if bar.or_ms else ""
    print(
        f"    {found:.2f} {of}   (bar {bar.most:g}{enough}){'' if reached else '   MISSED'}",
        flush=True,
    )
    return reached


def figure(bar: Bar, seconds: Mapping[str, Sequence[float]]) -> float:
    """Return what a bar is compared with."""
    if not bar.of:
        return statistics.median(seconds[OURS]) * 1e3
    return ratio(seconds[OURS], seconds[bar.of])


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def show(
    name: str,
    seconds: Sequence[float],
    ours: Sequence[float],
    answers: Sequence[Any],
    expected: Sequence[Any],
) -> None:
    """Print the median, the paired ratio, and how many of our hits the contestant has as well."""
    both = [
        len({*one["ids"]} & {*other["ids"]}) / max(len(other["ids"]), 1)
        for one, other in zip(answers, expected, strict=True)
    ]
    print(
        f"    {name:22}p50 {statistics.median(seconds) * 1e3:8.2f} ms, least "
        f"{min(seconds) * 1e3:8.2f}   ours is {ratio(ours, seconds):5.2f} times that; "
        f"{statistics.mean(both):4.0%} of our hits",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
