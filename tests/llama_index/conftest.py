"""Fixtures for the LlamaIndex adapter: vector stores on a path, a deterministic embedding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")

from llama_index_hybridge import MilvusVectorStore
from support.llama_embedding import WordEmbedding


@pytest.fixture
def make_vector_store(path: str) -> Iterator[Callable[..., MilvusVectorStore]]:
    """Makes vector stores on the path, and closes them after the test."""
    made: list[MilvusVectorStore] = []

    def make(**arguments: Any) -> MilvusVectorStore:
        if "store" not in arguments:
            arguments.setdefault("uri", path)
        made.append(MilvusVectorStore(**arguments))
        return made[-1]

    yield make
    for vector_store in made:
        vector_store.close()


@pytest.fixture
def vector_store(make_vector_store: Callable[..., MilvusVectorStore]) -> MilvusVectorStore:
    """A vector store with dense vectors and BM25, where nothing is yet."""
    return make_vector_store()


@pytest.fixture
def embedding() -> WordEmbedding:
    """A deterministic embedding."""
    return WordEmbedding()
