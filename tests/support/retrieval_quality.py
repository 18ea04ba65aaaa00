"""Reads retrieval collections in BEIR's layout and scores rankings, for tests and benchmarks."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("HYBRIDGE_SHARED", Path(__file__).parents[3] / "shared"))

needs_shared = pytest.mark.skipif(
    not (SHARED / "data").is_dir(),
    reason=f"no retrieval collections in {SHARED}: set HYBRIDGE_SHARED to where they are",
)


@dataclass(frozen=True)
class Collection:
    """A retrieval collection.

    Attributes:
        documents: Id to text, title first.
        titles: Id to title, of the documents that have one.
        queries: Id to text, judged queries only.
        qrels: Query id to the grades (above 0) of its relevant documents.
    """

    documents: dict[str, str]
    titles: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def load_collection(name: str) -> Collection:
    """Read a collection from `shared/data`, for instance "cranfield"."""
    folder = SHARED / "data" / name
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            qrels.setdefault(query, {})[document] = int(grade)
    corpus = list(_rows(folder / "corpus.jsonl"))
    return Collection(
        documents={row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in corpus},
        titles={row["_id"]: row["title"] for row in corpus if row.get("title")},
        queries={
            row["_id"]: row["text"]
            for row in _rows(folder / "queries.jsonl")
            if row["_id"] in qrels
        },
        qrels=qrels,
    )


def ndcg(ranking: Sequence[str], judged: Mapping[str, int], k: int = 10) -> float:
    """Return nDCG@k as trec_eval has it: linear gains, logarithmic discounts to base 2."""
    gains = [judged.get(document, 0) for document in ranking[:k]]
    ideal = sorted(judged.values(), reverse=True)[:k]
    return _discounted(gains) / _discounted(ideal)


def recall(ranking: Sequence[str], judged: Mapping[str, int], k: int = 100) -> float:
    """Return the share of the relevant documents that are among the first k."""
    return len(set(ranking[:k]) & judged.keys()) / len(judged)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
