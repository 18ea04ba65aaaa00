"""Fixtures for the LangChain adapter: vector stores on a path, closed after the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")

from langchain_hybridge import MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings


@pytest.fixture
def make_vector_store(path: str) -> Iterator[MakeVectorStore]:
    """Makes vector stores on the path, and closes them after the test."""
    made: list[MilvusVectorStore] = []

    def make(embedding: Any = None, **arguments: Any) -> MilvusVectorStore:
        if "store" not in arguments:
            arguments.setdefault("uri", path)
        made.append(MilvusVectorStore(embedding, **arguments))
        return made[-1]

    yield make
    for vector_store in made:
        vector_store.close()


@pytest.fixture
def embeddings() -> WordEmbeddings:
    """Embeddings that note their calls."""
    return WordEmbeddings()


@pytest.fixture
def empty(make_vector_store: MakeVectorStore, embeddings: WordEmbeddings) -> MilvusVectorStore:
    """A vector store with dense vectors and BM25, and nothing in it."""
    return make_vector_store(embeddings)


@pytest.fixture
def animals(empty: MilvusVectorStore, embeddings: WordEmbeddings) -> MilvusVectorStore:
    """The same with four animals in it; the calls noted start after that."""
    empty.add_documents(ANIMALS)
    embeddings.calls.clear()
    return empty
