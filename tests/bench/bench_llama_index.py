"""LlamaIndex's vector store against the store itself: what translation costs.

10,000 nodes of 500 characters with three metadata keys and three relations, vectors of dimension
384, BM25, on Milvus Lite. Interleaved, so that the machine's load falls on both alike.
Bars: query p50 at most 1.10 times `MilvusStore.search`, or 1 ms more; `add` at least .95 times the
speed of `MilvusStore.add`, which gets its records ready-made.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from hybridge import MilvusStore
from llama_index_hybridge import MilvusVectorStore
from llama_index_hybridge.convert import node_to_record

ROWS, DIM, K, BATCH = 10_000, 384, 10, 200
WARM_UP, ROUNDS = 10, 210
WORDS = [f"word{n}" for n in range(3000)]
QUERY_BAR, QUERY_EXTRA, ADD_BAR = 1.10, 1e-3, 0.95


def main() -> int:
    rng = np.random.default_rng(7)
    nodes = [make_node(n, rng) for n in range(ROWS)]
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore(f"{folder}/store.db") as store,
        MilvusVectorStore(uri=f"{folder}/nodes.db") as vector_store,
    ):
        speed = compare_add(store, vector_store, nodes)
        print(f"add: {speed:.3f} times the speed of MilvusStore.add    (bar {ADD_BAR})")
        good = speed >= ADD_BAR
        for mode in ("default", "sparse", "hybrid"):
            good &= compare_queries(vector_store, mode, rng)
    return 0 if good else 1


def make_node(number: int, rng: np.random.Generator) -> TextNode:
    metadata = {"file_name": f"report-{number % 50}.pdf", "page": number, "author": "Jane Doe"}
    related = [
        RelatedNodeInfo(node_id=f"{number}-{name}", metadata=metadata, hash="0" * 64)
        for name in ("source", "previous", "next")
    ]
    kinds = (NodeRelationship.SOURCE, NodeRelationship.PREVIOUS, NodeRelationship.NEXT)
    return TextNode(
        id_=str(number),
        text=" ".join(rng.choice(WORDS, 65))[:500],
        metadata=metadata,
        relationships=dict(zip(kinds, related, strict=True)),
        embedding=rng.normal(size=DIM).tolist(),
    )


def compare_add(
    store: MilvusStore, vector_store: MilvusVectorStore, nodes: list[TextNode]
) -> float:
    """Return the median ratio of the two speeds, batch by batch."""
    ratios = []
    for turn, start in enumerate(range(0, ROWS, BATCH)):
        batch = nodes[start : start + BATCH]
        records = [node_to_record(node) for node in batch]
        calls: list[Callable[[], Any]] = [
            lambda records=records: store.add(records),
            lambda batch=batch: vector_store.add(batch),
        ]
        seconds = {place: timed(calls[place]) for place in ((0, 1), (1, 0))[turn % 2]}
        ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)


def compare_queries(vector_store: MilvusVectorStore, mode: str, rng: np.random.Generator) -> bool:
    store = vector_store.client
    store.flush()
    core_mode: Any = "dense" if mode == "default" else mode
    pairs = []
    for turn in range(ROUNDS):
        text = " ".join(rng.choice(WORDS, 4))
        vector = None if mode == "sparse" else rng.normal(size=DIM).tolist()
        query = VectorStoreQuery(
            query_str=text,
            query_embedding=vector,
            similarity_top_k=K,
            mode=VectorStoreQueryMode(mode),
        )
        calls: list[Callable[[], Any]] = [
            lambda text=text, vector=vector: store.search(text, vector=vector, k=K, mode=core_mode),
            lambda query=query: vector_store.query(query),
        ]
        seconds = {place: timed(calls[place]) for place in ((0, 1), (1, 0))[turn % 2]}
        pairs.append((seconds[0], seconds[1]))
    core, ours = (statistics.median(pair[side] for pair in pairs[WARM_UP:]) for side in (0, 1))
    print(
        f"query, {mode:8} p50: MilvusStore.search {core * 1e3:6.2f} ms   vector store "
        f"{ours * 1e3:6.2f} ms   x {ours / core:.3f}   (bar x {QUERY_BAR}, or + 1 ms)"
    )
    return ours <= max(QUERY_BAR * core, core + QUERY_EXTRA)


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
