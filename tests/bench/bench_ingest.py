"""9,000 real documents into a fresh collection, as a user adds them: BM25 on, dense vectors given.

The documents are the docstrings of Python's standard library, whole and by paragraph, in the order
of their names, so that the average length moves as it does in life. They are added in one call,
in turns with raw pymilvus, which inserts the same rows with sparse vectors made beforehand; what
the first search has to catch up with counts as well. Rows written are those that Milvus Lite gave
a number to: a row that is rewritten counts again. Then a collection filled at once and one filled
one by one answer 200 queries.

    python tests/bench/bench_ingest.py [--one-by-one N]

Bars: no row written twice; at most 2.1 times the CPU time of raw pymilvus; the same top 10 for at
least 98 % of the queries.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pymilvus import DataType, MilvusClient

from hybridge import BM25EmbeddingFunction, MilvusStore, Record

sys.path.append(str(Path(__file__).parents[2] / "examples"))
from stdlib_docs import collect_docstrings

DOCUMENTS, DIM, QUERIES, K, ROUNDS, BATCH = 9_000, 384, 200, 10, 2, 1_000
CPU_BAR, SAME_BAR = 2.1, 0.98


class Moment(NamedTuple):
    """Seconds of the clock and of the processor."""

    clock: float
    cpu: float


class Took(NamedTuple):
    """Seconds until all is added, and those and CPU seconds until it was searched once."""

    added: float
    clock: float
    cpu: float


class Ingested(NamedTuple):
    """The best of all turns, and how many rows were written."""

    clock: float
    cpu: float
    rows: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-by-one", type=int, default=DOCUMENTS, metavar="N")
    one_by_one = parser.parse_args().one_by_one
    docstrings = dict(sorted(collect_docstrings().items()))
    texts = list(itertools.islice(documents(docstrings), DOCUMENTS))
    queries = [doc.partition("\n")[0] for doc in spread(list(docstrings.values()), QUERIES)]
    kept = ingest(texts)
    kept &= compare(texts[:one_by_one], queries)
    return 0 if kept else 1


def documents(docstrings: dict[str, str]) -> Iterator[str]:
    """Each docstring and each of its paragraphs, under its name; from the start again at the end.

    Where Python has more of them than are asked for, they are taken evenly.
    """
    chunks = [f"{name}\n{chunk}" for name, doc in docstrings.items() for chunk in split(doc)]
    yield from spread(chunks, min(len(chunks), DOCUMENTS))
    for again in itertools.count(2):
        yield from (f"{chunk}\nNumber {again}." for chunk in chunks)


def split(doc: str) -> list[str]:
    """A docstring, and its paragraphs where it has several."""
    paragraphs = [paragraph for paragraph in doc.split("\n\n") if paragraph.strip()]
    return [doc, *paragraphs] if len(paragraphs) > 1 else [doc]


def spread(items: list[str], size: int) -> list[str]:
    """So many of the items, evenly."""
    return [items[i * len(items) // size] for i in range(size)]


def ingest(texts: list[str]) -> bool:
    """Add the documents in turns with raw pymilvus; print what both took and wrote."""
    vectors = np.random.default_rng(7).normal(size=(len(texts), DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = list(raw_rows(texts, vectors))
    with tempfile.TemporaryDirectory() as folder:
        turns = [
            (add_raw(f"{folder}/raw{turn}.db", rows), add(f"{folder}/{turn}.db", texts, vectors))
            for turn in range(ROUNDS)
        ]
        raw = show("raw pymilvus", [turn[0] for turn in turns], f"{folder}/raw0.db", "raw")
        ours = show("MilvusStore.add", [turn[1] for turn in turns], f"{folder}/0.db", "hybridge")
    ratio, twice = ours.cpu / raw.cpu, ours.rows - len(texts)
    print(f"times the clock of raw    {ours.clock / raw.clock:7.2f}")
    print(f"times the CPU of raw      {ratio:7.2f}    (bar {CPU_BAR}){missed(ratio <= CPU_BAR)}")
    print(f"rows written twice        {twice:7,}    (bar 0){missed(not twice)}", flush=True)
    return not twice and ratio <= CPU_BAR


def add(path: str, texts: list[str], vectors: np.ndarray) -> Took:
    """Add all documents in one call, and search once: what is put off until then counts."""
    records = [
        Record(id=str(i), text=text, metadata={"n": i}, dense=vectors[i])
        for i, text in enumerate(texts)
    ]
    with MilvusStore(path) as store:
        start = now()
        store.add(records)
        added = now()
        store.search("open a file", vector=vectors[0], mode="hybrid", k=K)
        return took(start, added, now())


def add_raw(path: str, rows: list[dict[str, Any]]) -> Took:
    """Insert the rows in batches, flush as the store does, and search once by each vector."""
    client = raw_collection(path)
    start = now()
    for first in range(0, len(rows), BATCH):
        client.insert("raw", rows[first : first + BATCH])
    added = now()
    client.flush("raw")
    for field in ("dense", "sparse"):
        client.search("raw", data=[rows[0][field]], anns_field=field, limit=K)
    searched = now()
    client.close()
    return took(start, added, searched)


def raw_rows(texts: list[str], vectors: np.ndarray) -> Iterator[dict[str, Any]]:
    """The rows that the store writes, with sparse vectors that are made already."""
    sparse = BM25EmbeddingFunction("en", texts).encode_documents(texts)
    for i, text in enumerate(texts):
        terms = sparse[[i]]
        weights = dict(zip(terms.indices.tolist(), terms.data.tolist(), strict=True)) or {0: 1.0}
        row = {"id": str(i), "text": text, "metadata": {"n": i}, "dense": vectors[i]}
        yield row | {"sparse": weights, "document_id": None, "extra": None}


def raw_collection(path: str) -> MilvusClient:
    """Make a collection of the store's shape."""
    client = MilvusClient(path)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, max_length=512, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=65_535)
    schema.add_field("metadata", DataType.JSON)
    schema.add_field("document_id", DataType.VARCHAR, max_length=512, nullable=True)
    schema.add_field("extra", DataType.JSON, nullable=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    index = client.prepare_index_params()
    index.add_index("dense", index_type="FLAT", metric_type="COSINE")
    index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection("raw", schema=schema, index_params=index)
    return client


def compare(texts: list[str], queries: list[str]) -> bool:
    """Ask a collection filled at once and one filled one by one, both by BM25 alone."""
    records = [Record(id=str(i), text=text) for i, text in enumerate(texts)]
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore(f"{folder}/at_once.db") as at_once,
        MilvusStore(f"{folder}/one_by_one.db") as one_by_one,
    ):
        at_once.add(records)
        start = time.perf_counter()
        for record in records:
            one_by_one.add([record])
        seconds = time.perf_counter() - start
        same = sum(top(at_once, q) == top(one_by_one, q) for q in queries) / len(queries)
    print(f"one by one, {len(texts):6,}        {seconds / len(texts) * 1e3:7.2f} ms a document")
    kept = same >= SAME_BAR
    print(f"same top {K}               {same:7.1%}    (bar {SAME_BAR:.0%}){missed(kept)}")
    return kept


def top(store: MilvusStore, query: str) -> list[str]:
    return sorted(hit.id for hit in store.search(query, k=K, mode="sparse"))


def now() -> Moment:
    return Moment(time.perf_counter(), time.process_time())


def took(start: Moment, added: Moment, searched: Moment) -> Took:
    return Took(added.clock - start.clock, searched.clock - start.clock, searched.cpu - start.cpu)


def show(what: str, turns: list[Took], path: str, collection: str) -> Ingested:
    """Print the best of the turns, and what Milvus Lite notes in the collection's folder."""
    added, clock, cpu = (min(values) for values in zip(*turns, strict=True))
    folder = Path(path, "collections", collection)
    rows = json.loads((folder / "manifest.json").read_text("utf-8"))["current_seq"]
    segments = len(list(folder.glob("partitions/*/data/*.parquet")))
    size = sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())
    print(
        f"{what:16}{DOCUMENTS / added:6,.0f} rows/s, {clock - added:5.2f} s until searched, "
        f"{cpu:5.1f} CPU-s; {rows:,} rows written, {segments} segments, {size / 1e6:.1f} MB",
        flush=True,
    )
    return Ingested(clock, cpu, rows)


def missed(kept: bool) -> str:
    return "" if kept else "   MISSED"


if __name__ == "__main__":
    sys.exit(main())
