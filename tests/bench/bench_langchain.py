"""What the LangChain adapter adds to the store below it, and to Milvus.

10,000 documents with vectors of dimension 384; queries are embedded by looking them up. What is
compared takes turns, so that the machine's load falls on both alike; ratios and differences are
medians over the turns.

Bars: `similarity_search` and `MilvusRetriever.invoke` at most 1.10 times `MilvusStore.search`, or
1 ms more; `add_documents` at least .95 of the rate of `MilvusStore.add`; `batch` of 40 questions at
most 1.3 times one raw pymilvus call with 40 vectors, and that of `as_retriever()` at most 1.2 times
that of `MilvusRetriever`; 50 concurrent `ainvoke` on `milvus-lite server` at least .9 of the rate
of 50 threads.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from hybridge import MilvusStore, Record
from hybridge.store import Mode
from hybridge.store.engine.pymilvus_import import pymilvus
from hybridge.store.fields import PROBE
from langchain_hybridge import MilvusRetriever, MilvusVectorStore

sys.path.append(str(Path(__file__).parents[1]))
from support.lite_server import lite_server

ROWS, DIM, K, BATCH, USERS = 10_000, 384, 10, 40, 50
TEXTS = [f"document {i} about subject {i % 97}" for i in range(ROWS)]
VECTORS = np.random.default_rng(7).normal(size=(ROWS, DIM)).astype(np.float32)


class LookUp(Embeddings):
    """Embeds by looking up, so that nothing but the adapter is measured.

    A new collection also asks for the vector of a text of its own, by which it knows its model.
    """

    def __init__(self) -> None:
        self.vectors = dict(
            zip([PROBE, *TEXTS], [VECTORS[0].tolist(), *VECTORS.tolist()], strict=True)
        )

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The same for a query."""
        return self.embed_documents([text])[0]

    async def aembed_query(self, text: str) -> list[float]:
        """The same without a thread."""
        return self.embed_query(text)


EMBEDDINGS = LookUp()
gc.freeze()  # or Python looks through these four million numbers again and again


def main() -> int:
    kept: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        with MilvusVectorStore(EMBEDDINGS, uri=f"{folder}/store.db", k=K) as vector_store:
            vector_store.add_texts(TEXTS, ids=[str(i) for i in range(ROWS)])
            for mode in ("dense", "hybrid"):
                kept += searching(vector_store, mode)
            kept += batch(vector_store, pymilvus().MilvusClient(f"{folder}/store.db"))
        kept += adding(folder)
        with lite_server(Path(folder)) as uri:
            kept += users(uri)
    return 0 if all(kept) else 1


def searching(vector_store: MilvusVectorStore, mode: Mode) -> Iterator[bool]:
    """One search through the store, through the vector store and through the retriever."""
    store = vector_store.store
    retriever = MilvusRetriever(vectorstore=vector_store, mode=mode)

    def below(i: int) -> list[Any]:
        hits = store.search(TEXTS[i], vector=EMBEDDINGS.embed_query(TEXTS[i]), k=K, mode=mode)
        return [hit.id for hit in hits]

    def similarity_search(i: int) -> list[Any]:
        return [found.id for found in vector_store.similarity_search(TEXTS[i], mode=mode)]

    def invoke(i: int) -> list[Any]:
        return [found.id for found in retriever.invoke(TEXTS[i])]

    both = compare([below, similarity_search, invoke], rounds=100)
    for name, compared in zip(("similarity_search", "MilvusRetriever.invoke"), both, strict=True):
        kept = compared.ratio <= 1.10 or compared.more <= 1e-3
        yield show(f"{name}, {mode}", compared, "<= 1.10, or + 1 ms", kept)


def batch(vector_store: MilvusVectorStore, client: Any) -> Iterator[bool]:
    """Forty questions against one raw call on the same collection that returns the same fields."""
    retriever = MilvusRetriever(vectorstore=vector_store, mode="dense")

    def raw(i: int) -> list[Any]:
        vectors = EMBEDDINGS.embed_documents(asked(i))
        answers = client.search(
            vector_store.store.collection_name,
            data=vectors,
            anns_field="dense",
            limit=K,
            output_fields=["text", "metadata", "document_id", "extra", "context"],
        )
        return [[hit["id"] for hit in hits] for hits in answers]

    def ours(i: int) -> list[Any]:
        return [[found.id for found in answer] for answer in retriever.batch(asked(i))]

    theirs = vector_store.as_retriever(search_kwargs={"mode": "dense"})

    def as_retriever(i: int) -> list[Any]:
        return [[found.id for found in answer] for answer in theirs.batch(asked(i))]

    [compared] = compare([raw, ours], rounds=100)
    yield show(f"batch of {BATCH}, dense", compared, "<= 1.3", compared.ratio <= 1.3)
    [compared] = compare([ours, as_retriever], rounds=100)
    yield show(f"as_retriever().batch of {BATCH}", compared, "<= 1.2", compared.ratio <= 1.2)


def asked(turn: int) -> list[str]:
    return TEXTS[turn * BATCH : (turn + 1) * BATCH]


def adding(folder: str) -> Iterator[bool]:
    """Documents that the caller has made, and records with their vectors."""
    size, rounds = 250, ROWS // 250
    records = [
        Record(id=str(n), text=text, metadata={"n": n}, dense=vector)
        for n, (text, vector) in enumerate(zip(TEXTS, VECTORS, strict=True))
    ]
    documents = [
        Document(id=str(n), page_content=text, metadata={"n": n}) for n, text in enumerate(TEXTS)
    ]
    with (
        MilvusStore(f"{folder}/below.db") as store,
        MilvusVectorStore(EMBEDDINGS, uri=f"{folder}/above.db") as vector_store,
    ):
        [compared] = compare(
            [
                lambda i: store.add(records[i * size : (i + 1) * size]),
                lambda i: vector_store.add_documents(documents[i * size : (i + 1) * size]),
            ],
            rounds,
        )
    kept = compared.ratio <= 1 / 0.95
    yield show(f"add_documents, {size} at a time", compared, "<= 1 / .95", kept)


def users(uri: str) -> Iterator[bool]:
    """Fifty users who ask two questions each, as coroutines and as threads."""
    with (
        MilvusVectorStore(EMBEDDINGS, uri=uri, k=K) as vector_store,
        ThreadPoolExecutor(USERS) as pool,
    ):
        vector_store.add_texts(TEXTS[:1000], ids=[str(i) for i in range(1000)])
        retriever = MilvusRetriever(vectorstore=vector_store, mode="dense")
        questions = TEXTS[: 2 * USERS]

        def threads(i: int) -> list[Any]:
            return [[one.id for one in found] for found in pool.map(retriever.invoke, questions)]

        async def ask(user: int) -> list[Any]:
            return [await retriever.ainvoke(question) for question in questions[user::USERS]]

        async def ask_all() -> list[Any]:
            answers = await asyncio.gather(*(ask(user) for user in range(USERS)))
            inturn = [answers[i % USERS][i // USERS] for i in range(len(questions))]
            return [[one.id for one in found] for found in inturn]

        [compared] = compare([threads, lambda i: asyncio.run(ask_all())], rounds=10)
    kept = compared.ratio <= 1 / 0.9
    yield show(f"{USERS} concurrent ainvoke, server", compared, "<= 1 / .9", kept)


class Compared(NamedTuple):
    """Medians over all turns: seconds of both sides, their ratio and their difference."""

    base: float
    took: float
    ratio: float
    more: float


def alike(one: list[Any], other: list[Any]) -> bool:
    """Whether the hits are the same; where scores differ by 1e-8, two of 40,000 change places."""
    return float(np.mean(np.ravel(one) == np.ravel(other))) >= 0.99


def compare(calls: list[Callable[[int], list[Any]]], rounds: int) -> list[Compared]:
    """Compare each call with the first; they take turns at going first, and must agree."""
    times: list[list[float]] = [[] for _ in calls]
    for i in range(-2, rounds):  # two rounds to warm up
        answers = {}
        for place in [(i + n) % len(calls) for n in range(len(calls))]:
            start = time.perf_counter()
            answers[place] = calls[place](i % rounds)
            if i >= 0:
                times[place].append(time.perf_counter() - start)
        assert all(alike(answer, answers[0]) for answer in answers.values())
    base, *above = times
    median = statistics.median
    return [
        Compared(
            median(base),
            median(took),
            median(b / a for a, b in zip(base, took, strict=True)),
            median(b - a for a, b in zip(base, took, strict=True)),
        )
        for took in above
    ]


def show(what: str, compared: Compared, bar: str, kept: bool) -> bool:
    verdict = "" if kept else "   MISSED"
    print(
        f"{what:36}{compared.took * 1e3:9.2f} ms, below it {compared.base * 1e3:9.2f} ms, "
        f"ratio {compared.ratio:5.2f}   (bar {bar}){verdict}",
        flush=True,
    )
    return kept


if __name__ == "__main__":
    sys.exit(main())
