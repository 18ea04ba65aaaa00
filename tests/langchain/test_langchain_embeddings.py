"""What `DenseEmbeddings` and `SparseEmbeddings` promise beside LangChain's standard suites."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from hybridge import BM25EmbeddingFunction, DefaultEmbeddingFunction
from hybridge.errors import InvalidInputError, NotFittedError
from langchain_hybridge import DenseEmbeddings, SparseEmbeddings

SENTENCES = [
    "Artificial intelligence was founded as an academic discipline in 1956.",
    "Alan Turing was the first person to conduct substantial research in AI.",
    "Born in Maida Vale, London, Turing was raised in southern England.",
]


class Asymmetric:
    """A dense function that tells queries from documents, and on which thread it ran."""

    dim = 2

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.go = threading.Event()
        self.go.set()

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """The length, and 0."""
        assert self.go.wait(timeout=10)
        self.threads.add(threading.get_ident())
        return np.array([[len(text), 0] for text in documents], np.float32).reshape(-1, 2)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """The length, and 1."""
        return self.encode_documents(queries) + np.array([0, 1], np.float32)


def test_queries_and_documents_are_encoded_each_in_their_way() -> None:
    """As plain lists of Python floats."""
    embeddings = DenseEmbeddings(Asymmetric())
    assert isinstance(embeddings, Embeddings)
    assert embeddings.embed_documents(["a", "bcd"]) == [[1.0, 0.0], [3.0, 0.0]]
    assert embeddings.embed_documents([]) == []
    assert embeddings.embed_query("bcd") == [3.0, 1.0]


async def test_the_event_loop_runs_on() -> None:
    """The async methods run the function on another thread."""
    function = Asymmetric()
    function.go.clear()
    embeddings = DenseEmbeddings(function)
    task = asyncio.gather(embeddings.aembed_query("bcd"), embeddings.aembed_documents(["a"]))
    await asyncio.sleep(0.01)
    assert not task.done()
    function.go.set()
    query, documents = await task
    assert (query, documents) == ([3.0, 1.0], [[1.0, 0.0]])
    assert threading.get_ident() not in function.threads


def test_the_default_model() -> None:
    """all-MiniLM-L6-v2, through LangChain's interface."""
    embeddings = DenseEmbeddings(DefaultEmbeddingFunction())
    first, _, third = embeddings.embed_documents(SENTENCES)
    assert len(first) == 384
    assert first[:3] == pytest.approx([-3.09392996e-02, -1.80662833e-02, 1.34775648e-02], abs=1e-5)
    assert third[-2:] == pytest.approx([9.04406682e-02, -5.36676683e-02], abs=1e-5)
    assert "MiniLM" in embeddings.model_name


async def test_sparse_embeddings_have_the_shape_of_langchain_qdrant() -> None:
    """`indices` and `values`, sync and async."""
    function = BM25EmbeddingFunction()
    function.fit(SENTENCES)
    embeddings = SparseEmbeddings(function)
    documents = embeddings.embed_documents(SENTENCES)
    query = embeddings.embed_query("Turing in London")
    matrix = function.encode_documents(SENTENCES)
    for row, document in enumerate(documents):
        assert document.indices == matrix[[row]].indices.tolist()
        assert document.values == matrix[[row]].data.tolist()
        assert document.indices == sorted(document.indices)
        assert all(type(value) is float for value in document.values)
    assert len(query.indices) == 2
    assert await embeddings.aembed_documents(SENTENCES) == documents
    assert await embeddings.aembed_query("Turing in London") == query


def test_functions_are_found_by_name() -> None:
    """A name is as good as an object; what is neither is refused at once."""
    assert DenseEmbeddings("sentence-transformers/all-MiniLM-L6-v2").model_name.endswith("L6-v2")
    assert isinstance(SparseEmbeddings("bm25:ru").function, BM25EmbeddingFunction)
    for make in (DenseEmbeddings, SparseEmbeddings):
        with pytest.raises(InvalidInputError, match="nor the name of one"):
            make(3)


def test_an_unfitted_function_says_so() -> None:
    """The error is core's."""
    with pytest.raises(NotFittedError):
        SparseEmbeddings(BM25EmbeddingFunction()).embed_query("x")
