"""A search through the store against a raw pymilvus search that returns the same fields.

10,000 vectors of dimension 384 on Milvus Lite, queries given as vectors, in a store with
`sparse=None` and in one of the default configuration, where BM25 is on: there the raw collection
has a sparse field too, and a hybrid search is compared with Milvus's own, which fuses two rankings
as deep as the store reads them, and gets its sparse vector ready-made. The store is searched right
after `add`; the raw collection is flushed. Paired and interleaved, so that the machine's load falls
on both alike. The store searches in this process, the raw client by the engine.
Bar: median ratio at most .3.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hybridge import BM25EmbeddingFunction, MilvusStore, Record
from hybridge.store.engine.pymilvus_import import pymilvus

ROWS, DIM, K, DEPTH, ROUNDS = 10_000, 384, 10, 100, 60
TEXTS = [f"document {i} about subject {i % 97}" for i in range(ROWS)]
COLUMNS = ["text", "metadata", "document_id", "extra", "context"]
BAR = 0.3


class Asked(NamedTuple):
    """One query: as text, and by its vectors."""

    text: str
    dense: np.ndarray
    sparse: dict[int, float]


Answers = Callable[[Asked], list[str]]


def main() -> int:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(ROWS, DIM)).astype(np.float32)
    bm25 = BM25EmbeddingFunction("en", TEXTS)
    texts = [f"document {rng.integers(ROWS)}, subject {rng.integers(97)}" for _ in range(ROUNDS)]
    asked = [
        Asked(text, vector, terms)
        for text, vector, terms in zip(
            texts,
            rng.normal(size=(ROUNDS, DIM)).astype(np.float32),
            sparse_vectors(bm25.encode_queries(texts)),
            strict=True,
        )
    ]
    kept = dense_alone(vectors, asked)
    kept &= default_configuration(vectors, sparse_vectors(bm25.encode_documents(TEXTS)), asked)
    return 0 if kept else 1


def dense_alone(vectors: np.ndarray, asked: list[Asked]) -> bool:
    """A store with `sparse=None`."""
    with tempfile.TemporaryDirectory() as folder:
        client = raw_collection(f"{folder}/raw.db", vectors, None)
        with MilvusStore(f"{folder}/store.db", sparse=None) as store:
            store.add(records(vectors))
            return compare("sparse=None, dense", raw_dense(client), our_dense(store), asked)


def default_configuration(
    vectors: np.ndarray, terms: list[dict[int, float]], asked: list[Asked]
) -> bool:
    """A store as it is made without arguments, and a raw collection with a sparse field."""
    with tempfile.TemporaryDirectory() as folder:
        client = raw_collection(f"{folder}/raw.db", vectors, terms)
        with MilvusStore(f"{folder}/store.db") as store:
            store.add(records(vectors))
            kept = compare("default, dense", raw_dense(client), our_dense(store), asked)
            hybrid = (raw_hybrid(client), our_hybrid(store))
            return compare("default, hybrid", *hybrid, asked) and kept


def records(vectors: np.ndarray) -> list[Record]:
    return [
        Record(id=str(i), text=text, metadata={"n": i}, dense=vector)
        for i, (text, vector) in enumerate(zip(TEXTS, vectors, strict=True))
    ]


def raw_dense(client: Any) -> Answers:
    def search(asked: Asked) -> list[str]:
        [hits] = client.search(
            "raw", data=[asked.dense], anns_field="dense", limit=K, output_fields=COLUMNS
        )
        return [hit["id"] for hit in hits]

    return search


def our_dense(store: MilvusStore) -> Answers:
    return lambda asked: [hit.id for hit in store.search(vector=asked.dense, k=K, mode="dense")]


def raw_hybrid(client: Any) -> Answers:
    """Milvus's own reciprocal rank fusion, as deep as the store reads: the rankings differ."""

    def search(asked: Asked) -> list[str]:
        requests = [
            pymilvus().AnnSearchRequest(data=[vector], anns_field=field, param={}, limit=DEPTH)
            for field, vector in (("dense", asked.dense), ("sparse", asked.sparse))
        ]
        [hits] = client.hybrid_search(
            "raw", requests, ranker=pymilvus().RRFRanker(), limit=K, output_fields=COLUMNS
        )
        return [hit["id"] for hit in hits]

    return search


def our_hybrid(store: MilvusStore) -> Answers:
    return lambda asked: [
        hit.id for hit in store.search(asked.text, vector=asked.dense, k=K, mode="hybrid")
    ]


def raw_collection(path: str, vectors: np.ndarray, terms: list[dict[int, float]] | None) -> Any:
    """Make, fill and flush a collection of the store's columns."""
    client = pymilvus().MilvusClient(path)
    make_collection(client, with_sparse=terms is not None)
    empty = {"document_id": None, "extra": None, "context": None}
    for start in range(0, ROWS, 1000):
        rows = [
            {"id": str(i), "text": TEXTS[i], "metadata": {"n": i}, "dense": vectors[i]}
            | {"write": f"raw/{start}", **empty}
            | ({} if terms is None else {"sparse": terms[i]})
            for i in range(start, start + 1000)
        ]
        client.upsert("raw", rows)
    client.flush("raw")
    return client


def make_collection(client: Any, *, with_sparse: bool) -> None:
    types = pymilvus().DataType
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", types.VARCHAR, max_length=512, is_primary=True)
    schema.add_field("text", types.VARCHAR, max_length=65_535)
    schema.add_field("metadata", types.JSON)
    schema.add_field("document_id", types.VARCHAR, max_length=512, nullable=True)
    schema.add_field("extra", types.JSON, nullable=True)
    schema.add_field("context", types.VARCHAR, max_length=65_535, nullable=True)
    schema.add_field("write", types.VARCHAR, max_length=64, nullable=True)
    schema.add_field("dense", types.FLOAT_VECTOR, dim=DIM)
    index = client.prepare_index_params()
    index.add_index("dense", index_type="FLAT", metric_type="COSINE")
    if with_sparse:
        schema.add_field("sparse", types.SPARSE_FLOAT_VECTOR)
        index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection("raw", schema=schema, index_params=index)


def sparse_vectors(rows: Any) -> list[dict[int, float]]:
    ends = zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
    return [
        dict(zip(rows.indices[a:b].tolist(), rows.data[a:b].tolist(), strict=True)) for a, b in ends
    ]


def compare(what: str, raw: Answers, ours: Answers, asked: list[Asked]) -> bool:
    """Ask both each query, taking turns at going first; print the medians."""
    first = timed(ours, asked[0])[0]
    pairs = [paired(raw, ours, one, turn) for turn, one in enumerate(asked)]
    ratio = statistics.median(b / a for a, b in pairs)
    verdict = "" if ratio <= BAR else "   MISSED"
    print(
        f"{what:20} first {first * 1e3:7.1f} ms, raw pymilvus {median(pairs, 0):6.1f} ms, "
        f"MilvusStore {median(pairs, 1):6.1f} ms, ratio {ratio:.2f}   (bar {BAR}){verdict}",
        flush=True,
    )
    return ratio <= BAR


def timed(call: Answers, asked: Asked) -> tuple[float, list[str]]:
    start = time.perf_counter()
    found = call(asked)
    return time.perf_counter() - start, found


def paired(raw: Answers, ours: Answers, asked: Asked, turn: int) -> tuple[float, float]:
    """Time both on one query."""
    calls = (raw, ours)
    seconds, found = {}, {}
    for side in (turn % 2, 1 - turn % 2):
        seconds[side], found[side] = timed(calls[side], asked)
    assert len(found[0]) == len(found[1]) == K
    assert raw.__qualname__.startswith("raw_hybrid") or found[0] == found[1]
    return seconds[0], seconds[1]


def median(pairs: list[tuple[float, float]], side: int) -> float:
    return statistics.median(pair[side] for pair in pairs) * 1e3


if __name__ == "__main__":
    sys.exit(main())
