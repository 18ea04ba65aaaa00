"""A search through the store against a raw pymilvus search that returns the same fields.

10,000 vectors of dimension 384 on Milvus Lite, queries given as vectors. The store is searched
right after `add`; the raw collection is flushed. Paired and interleaved, so that the machine's
load falls on both alike. Bar: median ratio at most 1.2.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from hybridge import MilvusStore, Record
from hybridge.store.engine.connection import pymilvus

ROWS, DIM, K, ROUNDS = 10_000, 384, 10, 60
COLUMNS = ("text", "metadata", "document_id", "extra", "context")
BAR = 1.2


def main() -> int:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(ROWS, DIM)).astype(np.float32)
    texts = [f"document {i} about subject {i % 97}" for i in range(ROWS)]
    with tempfile.TemporaryDirectory() as folder:
        client = raw_collection(f"{folder}/raw.db", vectors, texts)
        with MilvusStore(f"{folder}/store.db", sparse=None) as store:
            store.add(
                Record(id=str(i), text=texts[i], metadata={"n": i}, dense=vectors[i])
                for i in range(ROWS)
            )

            def raw(query: np.ndarray) -> list[str]:
                [hits] = client.search(
                    "raw", data=[query], anns_field="dense", limit=K, output_fields=list(COLUMNS)
                )
                return [hit["id"] for hit in hits]

            def ours(query: np.ndarray) -> list[str]:
                return [hit.id for hit in store.search(vector=query, k=K)]

            queries = rng.normal(size=(ROUNDS, DIM)).astype(np.float32)
            first = timed(ours, queries[0])[0]
            pairs = [paired(raw, ours, query, turn) for turn, query in enumerate(queries)]
            ratio = statistics.median(b / a for a, b in pairs)
            print(f"first search after add (flushes) {first * 1e3:8.1f} ms")
            print(f"raw pymilvus, median             {median(pairs, 0):8.1f} ms")
            print(f"MilvusStore.search, median       {median(pairs, 1):8.1f} ms")
            print(f"median of the paired ratios      {ratio:8.2f}    (bar {BAR})")
    return 0 if ratio <= BAR else 1


def raw_collection(path: str, vectors: np.ndarray, texts: list[str]) -> object:
    client = pymilvus().MilvusClient(path)
    types = pymilvus().DataType
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", types.VARCHAR, max_length=512, is_primary=True)
    schema.add_field("text", types.VARCHAR, max_length=65_535)
    schema.add_field("metadata", types.JSON)
    schema.add_field("document_id", types.VARCHAR, max_length=512, nullable=True)
    schema.add_field("extra", types.JSON, nullable=True)
    schema.add_field("context", types.VARCHAR, max_length=65_535, nullable=True)
    schema.add_field("dense", types.FLOAT_VECTOR, dim=DIM)
    index = client.prepare_index_params()
    index.add_index("dense", index_type="FLAT", metric_type="COSINE")
    client.create_collection("raw", schema=schema, index_params=index)
    for start in range(0, ROWS, 1000):
        client.upsert(
            "raw",
            [
                {
                    "id": str(i), "text": texts[i], "metadata": {"n": i},
                    "document_id": None, "extra": None, "context": None, "dense": vectors[i],
                }
                for i in range(start, start + 1000)
            ],
        )  # fmt: skip
    client.flush("raw")
    return client


def timed(call: Callable[[np.ndarray], list[str]], query: np.ndarray) -> tuple[float, list[str]]:
    start = time.perf_counter()
    found = call(query)
    return time.perf_counter() - start, found


def paired(
    first: Callable[[np.ndarray], list[str]],
    second: Callable[[np.ndarray], list[str]],
    query: np.ndarray,
    turn: int,
) -> tuple[float, float]:
    """Time both on one query, taking turns at going first."""
    if turn % 2:
        b, found_b = timed(second, query)
        a, found_a = timed(first, query)
    else:
        a, found_a = timed(first, query)
        b, found_b = timed(second, query)
    assert found_a == found_b
    return a, b


def median(pairs: list[tuple[float, float]], side: int) -> float:
    return statistics.median(pair[side] for pair in pairs) * 1e3


if __name__ == "__main__":
    sys.exit(main())
