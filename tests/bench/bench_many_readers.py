"""Eight processes search a `milvus-lite server` in every mode while one writes, and raw pymilvus.

2,000 real documents with stand-in vectors are searched by 8 processes, 200 queries each, for the 10
best by vectors, by words and by both, while another process adds 20 documents a second that no
query means. The scores that are found are compared with those of a model: exact cosines by NumPy,
and for words the formula of the idf over the terms that the rows have, for some number of documents
that the writer may have added by then, which is all that it changes. Of both modes together the
model is the store before and after: a rank's score lies between. Raw pymilvus does the same with
the same vectors: one search, or two, of the same rows, beside a writer of the same rows.

Bars: no error; the model's answers; the time of all queries and their 95th percentile at most 1.25
times those of raw pymilvus. With `--queries 20` each asks a tenth.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hybridge import BM25EmbeddingFunction, MilvusStore, Record

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "examples")]
from stdlib_docs import collect_docstrings
from support.lite_server import lite_server

DOCUMENTS, DIM, PROCESSES, K, ADDED, BAR = 2_000, 64, 8, 10, 20, 1.25
Scores = list[float]
MODES = ("dense", "sparse", "hybrid")

BEGIN = """
import json, sys, time
import numpy as np
from pymilvus import MilvusClient
from hybridge import MilvusStore, Record
uri, name, mode, questions = sys.argv[1:5]
asked = json.load(open(questions))
for one in asked:
    one["sparse"] = {int(index): weight for index, weight in one["sparse"].items()}
"""
OURS = """
store = MilvusStore(uri, collection_name=name, timeout=600)
def ask(one):
    hits = store.search(one["text"], vector=one["dense"], mode=mode, k=10)
    return [hit.score for hit in hits]
"""
RAW = """
client = MilvusClient(uri, timeout=600)
columns = ["text", "metadata", "document_id", "extra", "context"]
def search(field, one):
    metric = "COSINE" if field == "dense" else "IP"
    limit = 100 if mode == "hybrid" else 10
    [hits] = client.search(name, data=[one[field]], anns_field=field, limit=limit,
                           output_fields=columns, search_params={"metric_type": metric})
    return [hit["distance"] for hit in hits]
fields = ["dense", "sparse"] if mode == "hybrid" else [mode]
def ask(one):
    return [search(field, one) for field in fields][0]
"""
READ = """
ask(asked[0])
print("ready", flush=True)
sys.stdin.readline()
took, answers = [], []
for one in asked:
    start = time.perf_counter()
    answers.append(ask(one))
    took.append(time.perf_counter() - start)
print(json.dumps({"took": took, "answers": answers}), flush=True)
"""
WRITE = """
def rows(number):
    away = np.full(64, -1, np.float32)
    return [dict(id=f"{mode}-{number}-{i}", text=f"zzz{number} yyy{i}", dense=away)
            for i in range(20)]
print("ready", flush=True)
number = 0
while True:
    write(rows(number))
    number += 1
    time.sleep(1.0)
"""
OUR_WRITER = """
def write(rows):
    store.add([Record(**row) for row in rows])
"""
RAW_WRITER = """
def write(rows):
    client.upsert(name, [dict(row, sparse={1: 1.0}, metadata={}) for row in rows])
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=200)
    queries = parser.parse_args().queries
    kept: list[bool] = []
    with tempfile.TemporaryDirectory() as folder, lite_server(Path(folder)) as uri:
        asked = fill(uri, queries)
        questions = Path(folder) / "questions.json"
        questions.write_text(json.dumps(asked), "utf-8")
        for mode in MODES:
            before = model(asked, mode, uri)
            raw = run(RAW, RAW_WRITER, uri, "raw", mode, questions)
            ours = run(OURS, OUR_WRITER, uri, "ours", mode, questions)
            after = model(asked, mode, uri)
            expected = [first + last for first, last in zip(before, after, strict=True)]
            kept += compare(mode, raw, ours, expected)
    return 0 if all(kept) else 1


def texts() -> list[str]:
    return list(islice(dict(sorted(collect_docstrings().items())).values(), DOCUMENTS))


def vectors() -> np.ndarray:
    made: np.ndarray = np.abs(np.random.default_rng(7).normal(size=(DOCUMENTS, DIM)))
    return made.astype(np.float32)


def fill(uri: str, queries: int) -> list[dict[str, Any]]:
    """Make a collection for each, of the same rows; return what is asked."""
    average = BM25EmbeddingFunction("en", texts())._statistics.average_length
    for name in ("ours", "raw"):
        given = {"collection_name": name, "average_length": average, "timeout": 600}
        with MilvusStore(uri, **given) as store:
            pairs = zip(texts(), vectors(), strict=True)
            store.add(
                [Record(id=str(i), text=text, dense=one) for i, (text, one) in enumerate(pairs)],
                batch_size=1000,
            )
            store.flush()
            some = [text.split("\n")[0] for text in texts()[:: DOCUMENTS // queries]][:queries]
            with store._call() as opened:
                assert opened is not None
                sparse = opened.bm25[0].encode_queries(some)
    rows = [
        {
            "text": text,
            "dense": one.tolist(),
            "sparse": dict(
                zip(map(str, sparse[[i]].indices), map(float, sparse[[i]].data), strict=True)
            ),
        }
        for i, (text, one) in enumerate(zip(some, vectors()[::-1], strict=False))
    ]
    return [row for row in rows if row["sparse"]]


def model(asked: list[dict[str, Any]], mode: str, uri: str) -> list[list[Scores]]:
    """Return the scores that each query may find, best first: one list for each state of the rows.

    Of both modes together these are what the store finds now.
    """
    with MilvusStore(uri, collection_name="ours", timeout=600) as store:
        if mode == "hybrid":
            return [[scores_of(store, one)] for one in asked]
        rows = store.count()
        added = [one.vectors["sparse"] for one in store.scroll(with_vectors=True) if is_asked(one)]
    if mode == "dense":
        unit = vectors() / np.linalg.norm(vectors(), axis=1, keepdims=True)
        wanted = [np.array(one["dense"], np.float32) for one in asked]
        return [[best(unit @ (one / np.linalg.norm(one)))] for one in wanted]
    found = []
    for query in ({int(term): weight for term, weight in one["sparse"].items()} for one in asked):
        parts = np.array([[vector.get(term, 0.0) for term in query] for vector in added])
        df = (parts > 0).sum(axis=0)
        times = np.array(list(query.values())) / idf(df, DOCUMENTS)
        counts = range(DOCUMENTS, rows + 1, ADDED)
        found.append([best(parts @ (times * idf(df, count))) for count in counts])
    return found


def is_asked(record: Record) -> bool:
    """Whether a query may find it: the writer's ids are no numbers."""
    return str(record.id).isdecimal()


def scores_of(store: MilvusStore, one: dict[str, Any]) -> Scores:
    return [hit.score for hit in store.search(one["text"], vector=one["dense"], k=K)]


def best(scores: np.ndarray) -> Scores:
    return [float(one) for one in np.sort(scores)[::-1][:K] if one > 0]


def idf(frequencies: np.ndarray, documents: int) -> np.ndarray:
    weights: np.ndarray = np.log1p((documents - frequencies + 0.5) / (frequencies + 0.5))
    return weights


def run(
    client: str, writer: str, uri: str, name: str, mode: str, questions: Path
) -> dict[str, Any]:
    """Let all processes ask at once beside a writer; return their answers and times."""
    arguments = [uri, name, mode, str(questions)]
    readers = [started(BEGIN + client + READ, arguments) for _ in range(PROCESSES)]
    adding = started(BEGIN + client + writer + WRITE, arguments)
    for one in (*readers, adding):
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for one in readers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [json.loads(one.communicate()[0]) for one in readers]
    seconds = time.perf_counter() - start
    adding.kill()
    adding.communicate()
    took = [one for process in said for one in process["took"]]
    return {"seconds": seconds, "took": took, "answers": [one["answers"] for one in said]}


def started(program: str, arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def compare(
    mode: str, raw: dict[str, Any], ours: dict[str, Any], expected: list[list[Scores]]
) -> list[bool]:
    """Print both, and whether all answers are those of the model."""
    right = [
        lies_between(scores, may) if mode == "hybrid" else any(alike(scores, one) for one in may)
        for answers in ours["answers"]
        for scores, may in zip(answers, expected, strict=True)
    ]
    share = sum(right) / len(right)
    total = ours["seconds"] / raw["seconds"]
    late = float(np.percentile(ours["took"], 95) / np.percentile(raw["took"], 95))
    for what, one in (("raw", raw), ("ours", ours)):
        rate = len(one["took"]) / one["seconds"]
        p95 = 1000 * np.percentile(one["took"], 95)
        print(f"{mode:7} {what:5} {rate:7.1f} queries/s, p95 {p95:7.1f} ms", flush=True)
    return [
        show(f"{mode}: answers of the model", f"{share:.2%}", share == 1),
        show(f"{mode}: time, of that of raw", f"{total:.2f}", total <= BAR),
        show(f"{mode}: p95, of that of raw", f"{late:.2f}", late <= BAR),
    ]


def alike(scores: Scores, expected: Scores) -> bool:
    return len(scores) == len(expected) and np.allclose(scores, expected, atol=1e-4)


def lies_between(scores: Scores, ends: list[Scores]) -> bool:
    return all(
        min(may) - 1e-4 <= score <= max(may) + 1e-4
        for score, *may in zip(scores, *ends, strict=True)
    )


def show(what: str, measured: object, kept: bool) -> bool:
    print(f"{what:<40} {measured!s:<14} {'' if kept else 'BAR MISSED'}", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(main())
