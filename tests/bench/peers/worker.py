"""One contestant of `compare.py`: it opens or fills its store, and answers a question a line."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from rows import Question, Rows

MODULES = {
    "hybridge": ("with_hybridge", "Default"),
    "hybridge, dense only": ("with_hybridge", "DenseOnly"),
    "raw pymilvus": ("with_pymilvus", "Raw"),
    "chroma": ("with_chroma", "Chroma"),
    "lancedb": ("with_lancedb", "LanceDB"),
    "faiss and bm25s": ("with_faiss", "Flat"),
}


def main() -> None:
    name, data, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    rows = Rows.read(data)
    module, contestant = MODULES[name]
    done = folder / "done"
    is_new = not done.exists()
    folder.mkdir(exist_ok=True)
    store: Any = getattr(import_module(module), contestant)(folder, rows)
    start = time.perf_counter()
    if is_new or not store.is_kept:
        store.add()
        done.touch()
    seconds = time.perf_counter() - start
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    opened = {
        "rows_a_second": len(rows.texts) / seconds if is_new or not store.is_kept else None,
        "megabytes": size / 1e6,
    }
    print(json.dumps(opened), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(store, rows, **json.loads(line))), file=answers, flush=True)
    store.close()


def answer(store: Any, rows: Rows, mode: str, question: int) -> dict[str, Any] | None:
    """Return the hits and the seconds of one question, of the ways that a contestant has."""
    kind, _, rest = mode.partition(" ")
    ask = getattr(store, kind, None)
    if ask is None:
        return None
    if "after a write" in rest:
        store.write(0)
    asked = Question.of(rows, question, rest)
    start = time.perf_counter()
    ids = ask(asked)
    return {"seconds": time.perf_counter() - start, "ids": list(ids)}


if __name__ == "__main__":
    main()
