"""What the tests of the LangChain adapter share: documents, embeddings that note their calls."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from langchain_hybridge import MilvusVectorStore

MakeVectorStore = Callable[..., MilvusVectorStore]

ANIMALS = [
    Document(id="cat", page_content="The cat sleeps on the sofa", metadata={"legs": 4}),
    Document(id="dog", page_content="The dog runs in the park", metadata={"legs": 4}),
    Document(id="bird", page_content="The bird sings in the morning", metadata={"legs": 2}),
    Document(id="fish", page_content="The fish swims in the river", metadata={"legs": 0}),
]
DIM = 64


class Call(NamedTuple):
    """One call: the method, how many texts, and the thread it ran on."""

    method: str
    texts: int
    thread: int


class WordEmbeddings(Embeddings):
    """Meaningful, deterministic and instant: texts that share words have similar vectors."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        self._note("embed_documents", len(texts))
        return [vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The same vector for a query."""
        self._note("embed_query", 1)
        return vector(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As a client of a web API would: the loop runs on meanwhile."""
        self._note("aembed_documents", len(texts))
        await asyncio.sleep(0)
        return [vector(text) for text in texts]

    async def aembed_query(self, text: str) -> list[float]:
        """The same for a query."""
        self._note("aembed_query", 1)
        await asyncio.sleep(0)
        return vector(text)

    def _note(self, method: str, texts: int) -> None:
        self.calls.append(Call(method, texts, threading.get_ident()))


def vector(text: str) -> list[float]:
    """Return how often each of 64 groups of words occurs; never all zeros."""
    counts = [0.01] * DIM
    for word in text.lower().split():
        counts[zlib.crc32(word.strip(".,?!").encode()) % DIM] += 1.0
    return counts


def ids(documents: Iterable[Document]) -> list[str | None]:
    """Return the documents' ids, in order."""
    return [document.id for document in documents]
