"""Whether a relevance tells answers from none, and whether a field knows how far to trust itself.

Through `MilvusStore` on Milvus Lite, with all-MiniLM-L6-v2 and BM25, on the collections in
`../shared/data`. The relevance of the best hit of the questions that the documents answer is
compared with that of questions about something else (another collection's, and 30 written here),
and, of 150, with that of the same questions where their paragraph may not be found.
AUC is how often the former is higher; accuracy is balanced: the mean of the shares told right.

    python tests/bench/bench_relevance.py

Bars: hybrid AUC .99 and, at the threshold that the README recommends, accuracy .95, on xquad-en and
cranfield; BM25 alone AUC .98; the answering paragraph removed, hybrid AUC .90; nDCG@10 of hybrid at
least BM25's - .003 on xquad-ru, .9762 - .002 on xquad-en and .4344 - .002 on cranfield; random
vectors cost BM25 .01 at most; health .85 at least on English, .4 at most on Russian; the same
relevances through both frameworks.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from numpy.typing import NDArray

from hybridge import ROW_ID, DefaultEmbeddingFunction, Hit, MilvusStore, Record, propose_threshold
from hybridge.tools.evaluation.off_topic import OFF_TOPIC
from langchain_hybridge import MilvusVectorStore
from llama_index_hybridge import MilvusVectorStore as LlamaIndexStore

sys.path.append(str(Path(__file__).parents[1]))
from support.retrieval_quality import SHARED, Collection, load_collection, ndcg

RECOMMENDED = 0.33
QUESTIONS, K = 150, 10
NDCG_BEFORE = {"xquad-en": 0.9762, "cranfield": 0.4344}


class Bars:
    """Prints figures beside their bars, and knows whether one was missed."""

    missed = False

    def least(self, what: str, reached: float, bar: float) -> None:
        self._show(what, reached, f"at least {bar:.4f}", reached >= bar)

    def most(self, what: str, reached: float, bar: float) -> None:
        self._show(what, reached, f"at most {bar:.4f}", reached <= bar)

    def _show(self, what: str, reached: float, bar: str, kept: bool) -> None:
        self.missed |= not kept
        print(f"  {what:58} {reached:.4f}   ({bar}){'' if kept else '   MISSED'}", flush=True)


class Remembered:
    """The default model, which encodes a text once."""

    def __init__(self) -> None:
        self._model = DefaultEmbeddingFunction()
        self.model_name = self._model.model_name
        self.dim = self._model.dim
        self.known: dict[str, NDArray[np.float32]] = {}

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(documents) if text not in self.known]
        if new:
            self.known.update(zip(new, self._model.encode_documents(new), strict=True))
        return np.array([self.known[text] for text in documents], np.float32)

    encode_queries = encode_documents  # the model has no prompts


class Random(Remembered):
    """A model that knows nothing."""

    def __init__(self) -> None:
        self.model_name, self.dim = "random", 384

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        seeds = [list(text.encode()) for text in documents]
        rows = [np.random.default_rng(seed).normal(size=self.dim) for seed in seeds]
        return np.array(rows, np.float32)

    encode_queries = encode_documents


def main() -> int:
    if not (SHARED / "data").is_dir():
        print(f"left out: no collections in {SHARED}; HYBRIDGE_SHARED says where they are")
        return 0
    bars, model = Bars(), Remembered()
    xquad, cranfield, russian = map(load_collection, ("xquad-en", "cranfield", "xquad-ru"))
    for name, here, other in (("xquad-en", xquad, cranfield), ("cranfield", cranfield, xquad)):
        with filled(here, model, "bm25") as store:
            off_topic(bars, name, store, list(here.queries.values()), list(other.queries.values()))
            quality = {mode: score(store, here, mode) for mode in ("hybrid", "sparse")}
            bars.least(f"{name}: nDCG@10, hybrid", quality["hybrid"], NDCG_BEFORE[name] - 0.002)
            if here is xquad:
                removed(bars, store, here)
                bars.least("xquad-en: health", health(store), 0.85)
                through_the_frameworks(bars, store, [*some(here.queries)[:30], *OFF_TOPIC])
        with filled(here, Random(), "bm25") as store:
            noisy = score(store, here, "hybrid")
            bars.least(f"{name}: nDCG@10, random vectors", noisy, quality["sparse"] - 0.01)
    with filled(russian, model, "bm25:ru") as store:
        sparse = score(store, russian, "sparse")
        bars.least("xquad-ru: nDCG@10, hybrid", score(store, russian, "hybrid"), sparse - 0.003)
        bars.most("xquad-ru: health", health(store), 0.4)
    return int(bars.missed)


@contextmanager
def filled(collection: Collection, model: Remembered, sparse: str) -> Iterator[MilvusStore]:
    """A store with the documents of a collection."""
    with TemporaryDirectory() as folder:
        path = f"{folder}/relevance.db"
        with MilvusStore(path, dense=model, sparse=sparse) as store:
            store.add(Record(id=id, text=text) for id, text in collection.documents.items())
            yield store


def some(queries: Mapping[str, str]) -> list[str]:
    """So many of the questions, evenly."""
    texts, size = list(queries.values()), min(QUESTIONS, len(queries))
    return [texts[place * len(texts) // size] for place in range(size)]


def off_topic(
    bars: Bars, name: str, store: MilvusStore, asked: list[str], others: list[str]
) -> None:
    """Questions that the documents answer, against those about something else."""
    for mode in ("hybrid", "sparse", "dense"):
        answered = store.search_many(asked, k=1, mode=mode)
        for kind, questions in (("another's questions", others), ("written ones", OFF_TOPIC)):
            unanswered = store.search_many(questions, k=1, mode=mode)
            best = propose_threshold(answered, unanswered)
            what = f"{name} against {kind}, {mode}"
            bars.least(f"{what}: AUC", best.auc, {"hybrid": 0.99, "sparse": 0.98}.get(mode, 0))
            print(f"  {'':58} best accuracy {best.accuracy:.3f} at {best.threshold:.2f}")
            if mode == "hybrid":
                at = accuracy(answered, unanswered)
                bars.least(f"{what}: accuracy at {RECOMMENDED}", at, 0.95)


def accuracy(answered: Sequence[Sequence[Hit]], unanswered: Sequence[Sequence[Hit]]) -> float:
    """The balanced accuracy of the recommended threshold."""
    reached = [
        statistics.mean(bool(hits) and hits[0].reaches(RECOMMENDED) for hits in some)
        for some in (answered, unanswered)
    ]
    return (reached[0] + 1 - reached[1]) / 2


def removed(bars: Bars, store: MilvusStore, collection: Collection) -> None:
    """The same questions, where the paragraphs that answer them may not be found."""
    asked = some(collection.queries)
    ids = {text: query for query, text in collection.queries.items()}
    unanswered = [
        store.search(text, k=1, filter=~ROW_ID.isin(list(collection.qrels[ids[text]])))
        for text in asked
    ]
    best = propose_threshold(store.search_many(asked, k=1), unanswered)
    bars.least("xquad-en, the answering paragraph removed, hybrid: AUC", best.auc, 0.90)


def score(store: MilvusStore, collection: Collection, mode: str) -> float:
    """The mean nDCG@10 of all questions."""
    answers = store.search_many(list(collection.queries.values()), k=K, mode=mode)
    return statistics.mean(
        ndcg([hit.id for hit in hits], collection.qrels[query], k=K)
        for query, hits in zip(collection.queries, answers, strict=True)
    )


def health(store: MilvusStore) -> float:
    """How well the dense field finds the documents by their own words."""
    return float(store.describe()["fields"]["dense"]["health"])


def through_the_frameworks(bars: Bars, store: MilvusStore, questions: list[str]) -> None:
    """The largest difference of a relevance that LangChain or LlamaIndex gives."""
    langchain, llama_index = MilvusVectorStore(store=store), LlamaIndexStore(store=store)
    hybrid, largest = VectorStoreQueryMode.HYBRID, 0.0
    for question in questions:
        expected = [hit.relevance for hit in store.search(question)]
        pairs = langchain.similarity_search_with_relevance_scores(question, k=4)
        query = VectorStoreQuery(query_str=question, similarity_top_k=4, mode=hybrid)
        similarities = llama_index.query(query).similarities or []
        for found in ([relevance for _, relevance in pairs], similarities):
            largest = max(largest, float(np.abs(np.subtract(found, expected)).max()))  # type: ignore[arg-type]
    bars.most("relevances through both frameworks differ by", largest, 1e-4)


if __name__ == "__main__":
    sys.exit(main())
