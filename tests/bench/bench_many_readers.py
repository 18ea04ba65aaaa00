"""Eight processes search a `milvus-lite server` in every mode while one writes, and raw pymilvus.

2,000 real documents with stand-in vectors are searched by 8 processes, 200 queries each, for the 10
best by vectors, by words and by both, while another process adds 20 documents a second that no
query means. The scores that are found are compared with those of a model: exact cosines by NumPy,
for words the formula of the idf over the terms that the rows have, and both fused, for some number
of documents that the writer may have added by then, which is all that it changes.

Raw pymilvus does the same with ready vectors, beside a writer of the same rows: one search, or two,
of the same rows, which it reads. Of both modes together a hit says what each field thinks of it, so
that raw pymilvus, too, reads by key the vectors of those of the 10 best that one search has not
found: with vectors that mean nothing nearly every query has some.

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
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hybridge import BM25EmbeddingFunction, ConfidenceWeighted, MilvusStore, Record
from hybridge.retrieval.fusion import Ranking

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "examples")]
from bars import show

from stdlib_docs import collect_docstrings
from support.lite_server import lite_server

DOCUMENTS, DIM, PROCESSES, K, ADDED, BAR = 2_000, 64, 8, 10, 20, 1.25
DEPTH = 100
"""Rows that are read of each field to be fused."""

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
    return {hit["id"]: (hit["distance"], hit["entity"]["text"]) for hit in hits}
def ask(one):
    if mode != "hybrid":
        return [score for score, _ in search(mode, one).values()]
    dense, sparse = search("dense", one), search("sparse", one)
    ranks = {key: 0.0 for key in [*dense, *sparse]}
    for found in (dense, sparse):
        for rank, key in enumerate(found):
            ranks[key] += 1 / (60 + rank)
    best = sorted(ranks, key=ranks.get, reverse=True)[:10]
    full = [found for found in (dense, sparse) if len(found) == 100]
    missing = [key for key in best if any(key not in found for found in full)]
    if missing:
        client.query(name, filter=f"id in {json.dumps(missing)}", output_fields=["dense", "sparse"])
    return [ranks[key] for key in best]
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
            raw = run(RAW, RAW_WRITER, uri, "raw", mode, questions)
            ours = run(OURS, OUR_WRITER, uri, "ours", mode, questions)
            kept += compare(mode, raw, ours, model(asked, mode, uri))
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
    """Return the scores that each query may find, best first, for each state of the rows."""
    nearest = [ranked(one) for one in cosines(asked)]
    if mode == "dense":
        return [[scores_of(one)] for one in nearest]
    by_words = list(word_rankings(asked, uri))
    if mode == "sparse":
        return [[scores_of(one) for one in some] for some in by_words]
    fuse = ConfidenceWeighted().fuse
    return [
        [scores_of(fuse({"dense": near, "sparse": one})) for one in some]
        for near, some in zip(nearest, by_words, strict=True)
    ]


def cosines(asked: list[dict[str, Any]]) -> Iterator[dict[str, float]]:
    """Yield the cosine of each document, by id, for each query."""
    unit = vectors() / np.linalg.norm(vectors(), axis=1, keepdims=True)
    for one in (np.array(one["dense"], np.float32) for one in asked):
        made = unit @ (one / np.linalg.norm(one))
        yield {str(number): float(score) for number, score in enumerate(made)}


def word_rankings(asked: list[dict[str, Any]], uri: str) -> Iterator[list[Ranking]]:
    """Yield what BM25 finds for each query, by how many documents there may have been."""
    with MilvusStore(uri, collection_name="ours", timeout=600) as store:
        rows = store.count()
        added = {
            str(one.id): one.vectors["sparse"]
            for one in store.scroll(with_vectors=True)
            if is_asked(one)
        }
    for query in ({int(term): weight for term, weight in one["sparse"].items()} for one in asked):
        parts = np.array([[vector.get(term, 0.0) for term in query] for vector in added.values()])
        df = (parts > 0).sum(axis=0)
        times = np.array(list(query.values())) / idf(df, DOCUMENTS)
        yield [
            ranked(dict(zip(added, map(float, parts @ (times * idf(df, count))), strict=True)))
            for count in range(DOCUMENTS, rows + 1, ADDED)
        ]


def ranked(scores: Mapping[str, float]) -> Ranking:
    """Return the first rows that were found at all, as deep as they are read to be fused."""
    ordered = sorted(scores.items(), key=lambda pair: -pair[1])
    return [pair for pair in ordered[:DEPTH] if pair[1] > 0]


def scores_of(ranking: Ranking) -> Scores:
    return [score for _, score in ranking[:K]]


def is_asked(record: Record) -> bool:
    """Whether a query may find it: the writer's ids are no numbers."""
    return str(record.id).isdecimal()


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
        any(alike(scores, one) for one in may)
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


if __name__ == "__main__":
    sys.exit(main())
