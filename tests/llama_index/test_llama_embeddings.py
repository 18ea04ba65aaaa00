"""What the embeddings promise: the function's vectors, in batches, beside the event loop."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time

import numpy as np
import pytest
from llama_index.core.ingestion import IngestionCache, IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from numpy.typing import NDArray

from hybridge import BM25EmbeddingFunction, DefaultEmbeddingFunction
from hybridge.errors import InvalidInputError
from llama_index_hybridge import DenseEmbedding, SparseEmbedding

TEXTS = ["the cat sleeps", "the dog runs", "the bird sings"]


class LengthFunction:
    """A dense function that notes its calls: a document's vector is its length, a query's is 0."""

    dim = 2
    model_name = "length"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.batches: list[int] = []
        self.threads: set[str] = set()

    def encode_documents(self, documents: list[str]) -> NDArray[np.float32]:
        """Return the lengths."""
        time.sleep(self.seconds)
        self.batches.append(len(documents))
        self.threads.add(threading.current_thread().name)
        return np.array([[len(text), 1.0] for text in documents], dtype=np.float32)

    def encode_queries(self, queries: list[str]) -> NDArray[np.float32]:
        """Return zeros and ones."""
        time.sleep(self.seconds)
        return np.array([[0.0, 1.0]] * len(queries), dtype=np.float32)


@pytest.fixture
def bm25() -> BM25EmbeddingFunction:
    """A fitted sparse function."""
    function = BM25EmbeddingFunction()
    function.fit(TEXTS)
    return function


def test_queries_and_texts_are_told_apart() -> None:
    """Queries go to `encode_queries`, texts to `encode_documents`; both give plain floats."""
    embedding = DenseEmbedding(LengthFunction())
    assert embedding.get_query_embedding("abc") == [0.0, 1.0]
    assert embedding.get_text_embedding("abc") == [3.0, 1.0]
    assert type(embedding.get_text_embedding("abc")[0]) is float


def test_texts_go_in_batches() -> None:
    """`embed_batch_size` texts are encoded in one call."""
    function = LengthFunction()
    embedding = DenseEmbedding(function, embed_batch_size=2)
    assert embedding.get_text_embedding_batch(TEXTS) == [[14.0, 1.0], [12.0, 1.0], [14.0, 1.0]]
    assert function.batches == [2, 1]


async def test_async_gives_the_same_vectors() -> None:
    """The async methods give what the sync ones give, in batches, on other threads."""
    function = LengthFunction()
    embedding = DenseEmbedding(function, embed_batch_size=2)
    assert await embedding.aget_text_embedding_batch(TEXTS) == [[14.0, 1], [12.0, 1], [14.0, 1]]
    assert sorted(function.batches) == [1, 2]
    assert await embedding.aget_query_embedding("abc") == [0.0, 1.0]
    assert await embedding.aget_text_embedding("abc") == [3.0, 1.0]
    assert threading.current_thread().name not in function.threads


async def test_the_loop_goes_on() -> None:
    """While a slow function runs, the event loop is free."""
    embedding = DenseEmbedding(LengthFunction(seconds=0.3))
    task = asyncio.create_task(embedding.aget_query_embedding("abc"))
    ticks = 0
    while not task.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 3


def test_serialised_without_its_function() -> None:
    """`from_dict(to_dict())` takes the function again; a pickle brings it along."""
    embedding = DenseEmbedding(LengthFunction(), embed_batch_size=7)
    again = DenseEmbedding.from_dict(embedding.to_dict(), function=LengthFunction())
    loaded = pickle.loads(pickle.dumps(embedding))
    for other in (again, loaded):
        assert other.to_dict() == embedding.to_dict()
        assert other.get_text_embedding("abc") == [3.0, 1.0]


def test_the_ingestion_cache_tells_models_apart() -> None:
    """A pipeline's cache does not hand one model's vectors to another."""
    cache = IngestionCache()
    vectors = []
    for name in ("one", "two", "two"):
        function = LengthFunction()
        function.model_name = name
        pipeline = IngestionPipeline(transformations=[DenseEmbedding(function)], cache=cache)
        pipeline.run(nodes=[TextNode(id_="a", text="abc")])
        vectors.append(function.batches)
    assert vectors == [[1], [1], []]


def test_a_cache_tells_queries_from_texts_and_models_apart() -> None:
    """With `embeddings_cache`, what is the same text but not the same thing is embedded anew."""
    cache = SimpleKVStore()
    one = DenseEmbedding(LengthFunction(), embeddings_cache=cache, embed_batch_size=10)
    assert one.get_query_embedding("abc") == [0.0, 1.0]
    assert one.get_text_embedding("abc") == [3.0, 1.0]
    assert one.get_query_embedding("abc") == [0.0, 1.0]
    function = LengthFunction()
    again = DenseEmbedding(function, embeddings_cache=cache, embed_batch_size=10)
    texts = ["abc", "ab", "abc", "a", "ab"]
    vectors = [[float(len(text)), 1.0] for text in texts]
    assert again.get_text_embedding_batch(texts) == vectors
    assert asyncio.run(again.aget_text_embedding_batch(texts)) == vectors
    assert function.batches == [2]
    other = LengthFunction()
    other.model_name = "other"
    DenseEmbedding(other, embeddings_cache=cache).get_text_embedding("abc")
    assert other.batches == [1]


def test_functions_by_name() -> None:
    """A function given by its name is found again by `from_dict(to_dict())`."""
    name = "sentence-transformers/all-MiniLM-L6-v2"
    embedding = DenseEmbedding(name)
    assert embedding.to_dict()["function"] == name
    assert DenseEmbedding.from_dict(embedding.to_dict()).to_dict() == embedding.to_dict()
    assert SparseEmbedding("bm25:ru").model_dump()["function"] == "bm25:ru"
    for wrong in (3, LengthFunction):
        with pytest.raises(InvalidInputError, match="DenseEmbeddingFunction"):
            DenseEmbedding(wrong)  # type: ignore[arg-type]


async def test_sparse_vectors_are_the_functions_own(bm25: BM25EmbeddingFunction) -> None:
    """A sparse embedding maps the function's indices to its weights, sync, async, in batches."""
    embedding = SparseEmbedding(bm25, embed_batch_size=2)
    expected = bm25.encode_documents(TEXTS).toarray()
    rows = embedding.get_text_embedding_batch(TEXTS)
    for row, dense in zip(rows, expected, strict=True):
        assert row == {int(i): pytest.approx(dense[i]) for i in np.flatnonzero(dense)}
    assert await embedding.aget_text_embedding_batch(TEXTS) == rows
    assert await embedding.aget_text_embedding(TEXTS[0]) == embedding.get_text_embedding(TEXTS[0])
    query = embedding.get_query_embedding("cat")
    assert len(query) == 1
    assert await embedding.aget_query_embedding("cat") == query
    assert embedding.class_name() == embedding.model_dump()["class_name"]


def test_the_real_model() -> None:
    """all-MiniLM-L6-v2 through LlamaIndex gives the function's own vectors."""
    function = DefaultEmbeddingFunction()
    embedding = DenseEmbedding(function)
    vectors = np.array(embedding.get_text_embedding_batch(TEXTS), dtype=np.float32)
    np.testing.assert_allclose(vectors, function.encode_documents(TEXTS), atol=1e-6)
    assert embedding.model_name == function.model_name
