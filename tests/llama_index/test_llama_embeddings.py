"""What the embeddings promise: the function's vectors, in batches, beside the event loop."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core import MockEmbedding
from llama_index.core.base.embeddings.base_sparse import BaseSparseEmbedding
from llama_index.core.bridge.pydantic import ValidationError
from llama_index.core.callbacks import CallbackManager
from llama_index.core.ingestion import IngestionCache, IngestionPipeline
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.schema import Document, TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from numpy.typing import NDArray

from hybridge import (
    AUTO,
    BM25EmbeddingFunction,
    DefaultEmbeddingFunction,
    JinaEmbeddingFunction,
)
from hybridge.errors import HybridgeError, InvalidInputError
from hybridge.protocols import AsyncEmbeddingFunction, DenseEmbeddingFunction
from llama_index_hybridge import DenseEmbedding, SparseEmbedding
from llama_index_hybridge.embeddings import as_dense_function, as_sparse_function
from llama_index_hybridge.functions import EmbeddingsFunction, SparseEmbeddingsFunction

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


class Weights(BaseSparseEmbedding):
    """A sparse embedding of LlamaIndex: a weight of 2 at the text's length; awaited, of 3."""

    def _get_query_embedding(self, query: str) -> dict[int, float]:
        return {len(query): 2.0}

    def _get_text_embedding(self, text: str) -> dict[int, float]:
        return {len(text): 2.0}

    async def _aget_query_embedding(self, query: str) -> dict[int, float]:
        return {len(query): 3.0}

    async def _aget_text_embedding(self, text: str) -> dict[int, float]:
        return {len(text): 3.0}


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


class Shortened(LengthFunction):
    """Vectors of the same model, shortened as OpenAI's can be."""

    model_name = "text-embedding-3-small"

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.settings = {"dimensions": dimensions}

    def encode_documents(self, documents: list[str]) -> NDArray[np.float32]:
        """Return ones."""
        return np.ones((len(documents), self.settings["dimensions"]), np.float32)

    def encode_queries(self, queries: list[str]) -> NDArray[np.float32]:
        """Return ones."""
        return self.encode_documents(queries)


def test_caches_tell_settings_apart() -> None:
    """256 numbers of a model are not its 1,536: neither cache hands one to the other."""
    cache, ingestion = SimpleKVStore(), IngestionCache()
    for dimensions in (256, 1536, 256):
        embedding = DenseEmbedding(Shortened(dimensions), embeddings_cache=cache)
        assert len(embedding.get_text_embedding("abc")) == dimensions
        assert len(embedding.get_query_embedding("abc")) == dimensions
        assert embedding.to_dict()["options"] == {"dimensions": dimensions}
        pipeline = IngestionPipeline(
            transformations=[DenseEmbedding(Shortened(dimensions))], cache=ingestion
        )
        [node] = pipeline.run(documents=[Document(text="abc", id_="a")])
        assert len(node.embedding or ()) == dimensions


def test_options_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is given by name is made with its options, from a dictionary too."""
    monkeypatch.setenv("OPENAI_API_KEY", "some-key")
    name, options = "openai/text-embedding-3-small", {"dimensions": 256}
    embedding = DenseEmbedding(name, options)
    again = DenseEmbedding.from_dict(embedding.to_dict())
    assert again.to_dict() == embedding.to_dict()
    assert again._function.dim == 256  # type: ignore[attr-defined]
    assert embedding.identity != DenseEmbedding(name).identity
    with pytest.raises(InvalidInputError, match="dimensions"):
        DenseEmbedding.from_dict(DenseEmbedding(Shortened(9)).to_dict(), function=Shortened(8))
    with pytest.raises(InvalidInputError, match="options is a str"):
        DenseEmbedding(name, "dimensions=256")  # type: ignore[arg-type]


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


# --- embeddings as functions ---------------------------------------------------------------------


async def test_an_embedding_becomes_a_function() -> None:
    """The same vectors, sync and async."""
    embedding = MockEmbedding(embed_dim=3)
    function = as_dense_function(embedding)
    assert isinstance(function, EmbeddingsFunction)
    assert isinstance(function, DenseEmbeddingFunction)
    assert isinstance(function, AsyncEmbeddingFunction)
    assert function.embedding is embedding
    vectors = [[0.5] * 3] * 2
    assert function.encode_documents(("a", "b")) == function.encode_queries(("a", "b")) == vectors
    assert await function.aencode_documents(("a", "b")) == vectors
    assert await function.aencode_queries(("a", "b")) == vectors
    assert function.encode_documents([]) == await function.aencode_queries([]) == []
    assert function.dim is None


async def test_queries_and_documents_keep_their_methods() -> None:
    """Documents go in the embedding's own batches."""
    inner = LengthFunction()
    cached = DenseEmbedding(inner, embed_batch_size=2, embeddings_cache=SimpleKVStore())
    function = EmbeddingsFunction(cached)
    assert function.encode_documents(TEXTS) == [[14.0, 1.0], [12.0, 1.0], [14.0, 1.0]]
    assert inner.batches == [2, 1]
    assert function.encode_queries(["abc"]) == await function.aencode_queries(["abc"])
    assert function.encode_queries(["abc"]) == [[0.0, 1.0]]


async def test_a_sparse_embedding_becomes_a_function() -> None:
    """Indices to weights; awaited, by the embedding's own async methods."""
    function = as_sparse_function(Weights())
    assert isinstance(function, SparseEmbeddingsFunction)
    texts = ["a", "bcd"]
    assert function.encode_documents(texts) == function.encode_queries(texts) == [{1: 2}, {3: 2}]
    assert await function.aencode_documents(texts) == [{1: 3}, {3: 3}]
    assert await function.aencode_queries(texts) == [{1: 3}, {3: 3}]
    assert SparseEmbedding(function).get_query_embedding("bcd") == {3: 2}


def test_two_functions_of_one_embedding_are_one() -> None:
    """A store that has it twice embeds once; two objects are two, whatever they hold."""
    mock = MockEmbedding(embed_dim=3)
    assert as_dense_function(mock) == as_dense_function(mock)
    assert as_dense_function(mock) != as_dense_function(MockEmbedding(embed_dim=3))
    assert len({EmbeddingsFunction(mock), EmbeddingsFunction(mock)}) == 1
    assert EmbeddingsFunction(mock) != mock


def test_a_function_says_the_model_and_no_secret() -> None:
    """The `repr` of the embedding, which may hold a key, is never part of it."""
    named = MockEmbedding(embed_dim=3, model_name="named")
    nameless = MockEmbedding(embed_dim=3)
    assert nameless.model_name == "unknown"
    assert [EmbeddingsFunction(one).model_name for one in (named, nameless)] == ["named", None]
    assert repr(EmbeddingsFunction(named)) == "EmbeddingsFunction(MockEmbedding)"
    assert repr(SparseEmbeddingsFunction(Weights())) == "SparseEmbeddingsFunction(Weights)"
    assert DenseEmbedding(EmbeddingsFunction(nameless)).model_name == "EmbeddingsFunction"


def test_functions_come_back_as_they_are(
    bm25: BM25EmbeddingFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours give their function; functions and dense names are core's; None stays None."""
    function = LengthFunction()
    assert as_dense_function(function) is as_dense_function(DenseEmbedding(function)) is function
    monkeypatch.setenv("JINA_API_KEY", "key")
    assert isinstance(as_dense_function("jina/jina-embeddings-v3"), JinaEmbeddingFunction)
    assert as_dense_function(None) is None
    assert as_sparse_function(SparseEmbedding(bm25)) is bm25
    for given_ in (AUTO, None, "bm25:ru", "milvus", bm25, 7):
        assert as_sparse_function(given_) is given_


def test_what_adds_to_its_function_is_kept() -> None:
    """A cache, a rate limiter, a subclass."""

    class Prefixed(DenseEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return super()._get_text_embedding(f"passage: {text}")

    limiter = TokenBucketRateLimiter(requests_per_minute=100)
    for embedding in (
        DenseEmbedding(LengthFunction(), embeddings_cache=SimpleKVStore()),
        DenseEmbedding(LengthFunction(), rate_limiter=limiter),
        Prefixed(LengthFunction()),
    ):
        function = as_dense_function(embedding)
        assert isinstance(function, EmbeddingsFunction)
        assert function.embedding is embedding


def test_what_embeds_nothing_is_refused() -> None:
    """The error says what there is, and a dense embedding is no sparse one."""
    for wrong in (7, object(), MockEmbedding, b"x", float("nan"), 10**400, Weights()):
        with pytest.raises(InvalidInputError, match="BaseEmbedding will do"):
            as_dense_function(wrong)  # type: ignore[arg-type]
    for dense in (MockEmbedding(embed_dim=2), EmbeddingsFunction(MockEmbedding(embed_dim=2))):
        with pytest.raises(InvalidInputError, match="makes dense ones"):
            as_sparse_function(dense)


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("embed_batchsize", r"write embed_batch_size="),
        ("model", r"write model_name="),
        ("num_worker", r"write num_workers="),
        ("k", r"it has .*embed_batch_size, .*function, .*model_name, num_workers"),
    ],
)
def test_an_unknown_setting_is_named(name: str, cure: str, bm25: BM25EmbeddingFunction) -> None:
    """LlamaIndex would drop it."""
    for make in (
        lambda **settings: DenseEmbedding(LengthFunction(), **settings),
        lambda **settings: SparseEmbedding(bm25, **settings),
        lambda **settings: DenseEmbedding.from_dict({"function": LengthFunction(), **settings}),
    ):
        with pytest.raises(InvalidInputError, match=f"Embedding has no argument '{name}'.*{cure}"):
            make(**{name: 3})


def test_the_settings_of_llama_index_pass() -> None:
    """All that the base classes have, and the class name of a dictionary."""
    settings: dict[str, Any] = {
        "model_name": "mine",
        "embed_batch_size": 7,
        "callback_manager": CallbackManager([]),
        "num_workers": 2,
        "embeddings_cache": SimpleKVStore(),
        "rate_limiter": TokenBucketRateLimiter(requests_per_minute=100),
    }
    embedding = DenseEmbedding(LengthFunction(), **settings)
    assert (embedding.model_name, embedding.num_workers) == ("mine", 2)
    assert DenseEmbedding(LengthFunction(), **{"class_name": "x"}).embed_batch_size == 10  # type: ignore[arg-type]
    sparse = SparseEmbedding("bm25:ru", model_name="mine", embed_batch_size=7, num_workers=2)
    assert SparseEmbedding(**sparse.model_dump()).model_dump() == sparse.model_dump()
    assert SparseEmbedding.model_validate(sparse.model_dump()).model_name == "mine"


def test_a_subclass_may_have_fields_of_its_own() -> None:
    """They pass, and come back from a dictionary."""

    class Labelled(DenseEmbedding):
        label: str = ""

    fields: dict[str, Any] = {"label": "mine"}
    embedding = Labelled(LengthFunction(), **fields)
    assert embedding.label == "mine"
    again = Labelled.from_dict(embedding.to_dict(), function=LengthFunction())
    assert again.to_dict() == embedding.to_dict()


@pytest.mark.parametrize("name", ["embeddings_cache", "rate_limiter"])
def test_a_setting_of_the_wrong_kind_is_refused(name: str) -> None:
    """Where LlamaIndex would raise a TypeError, or trip over it later."""
    settings: dict[str, Any] = {name: 3}
    with pytest.raises(InvalidInputError, match=name):
        DenseEmbedding(LengthFunction(), **settings)


# --- wrong input ---------------------------------------------------------------------------------

DENSE = DenseEmbedding(LengthFunction())
SPARSE = SparseEmbedding(SparseEmbeddingsFunction(Weights()))
FUNCTIONS = (EmbeddingsFunction(DENSE), SparseEmbeddingsFunction(SPARSE))
OF_A_TEXT: list[Callable[[Any], Any]] = [
    method
    for one in (DENSE, SPARSE)
    for method in (one.get_query_embedding, one.get_text_embedding)
]
AWAITED_OF_A_TEXT: list[Callable[[Any], Any]] = [
    method
    for one in (DENSE, SPARSE)
    for method in (one.aget_query_embedding, one.aget_text_embedding)
]
OF_TEXTS: list[Callable[[Any], Any]] = [
    *(one.get_text_embedding_batch for one in (DENSE, SPARSE)),
    *(one.get_agg_embedding_from_queries for one in (DENSE, SPARSE)),
    *(made.encode_documents for made in FUNCTIONS),
    *(made.encode_queries for made in FUNCTIONS),
]
AWAITED_OF_TEXTS: list[Callable[[Any], Any]] = [
    *(one.aget_text_embedding_batch for one in (DENSE, SPARSE)),
    *(one.aget_agg_embedding_from_queries for one in (DENSE, SPARSE)),
    *(made.aencode_documents for made in FUNCTIONS),
    *(made.aencode_queries for made in FUNCTIONS),
]


def name_of(value: object) -> str:
    """What a test is called by its argument."""
    return f"{value!r:.12}".encode("ascii", "backslashreplace").decode()


NO_TEXT: list[Any] = [None, 7, 10**400, float("nan"), b"text", object(), "\ud800"]
NO_TEXTS: list[Any] = [*NO_TEXT, *([one] for one in NO_TEXT), [["a"]], "one text"]


@pytest.mark.parametrize("text", [*NO_TEXT, ["text"], {"text": 1}], ids=name_of)
async def test_a_text_is_a_string(text: Any) -> None:
    """Everything else is an error of ours that names the argument."""
    for method in OF_A_TEXT:
        with pytest.raises(InvalidInputError, match=r"text|query"):
            method(text)
    for method in AWAITED_OF_A_TEXT:
        with pytest.raises(InvalidInputError, match=r"text|query"):
            await method(text)


@pytest.mark.parametrize("texts", NO_TEXTS, ids=name_of)
async def test_texts_are_a_list_of_strings(texts: Any) -> None:
    """A lone string is not taken apart into characters."""
    for method in OF_TEXTS:
        with pytest.raises(InvalidInputError, match=r"texts|documents|queries"):
            method(texts)
    for method in AWAITED_OF_TEXTS:
        with pytest.raises(InvalidInputError, match=r"texts|documents|queries"):
            await method(texts)


@pytest.mark.parametrize("nodes", [None, 7, [None], ["a"], [[TextNode()]], "a", b"a"], ids=name_of)
async def test_nodes_are_a_list_of_nodes(nodes: Any) -> None:
    """An embedding is a transformation too."""
    with pytest.raises(InvalidInputError, match="nodes"):
        DENSE(nodes)
    with pytest.raises(InvalidInputError, match="nodes"):
        await DENSE.acall(nodes)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=5,
)


@given(ANYTHING)
def test_whatever_is_given_errors_are_ours(value: Any) -> None:
    """No method and no constructor raises anything else, but for pydantic."""
    settings = ("model_name", "embed_batch_size", "num_workers", "embeddings_cache", "rate_limiter")
    for name in settings:
        with suppress(HybridgeError, ValidationError):
            DenseEmbedding(LengthFunction(), **{name: value})
    makers = (DenseEmbedding, SparseEmbedding, as_dense_function, as_sparse_function)
    for call in [*OF_A_TEXT, *OF_TEXTS, *makers, DENSE.__call__]:
        with suppress(HybridgeError):
            call(value)


@pytest.mark.parametrize(
    "answer",
    [None, 7, [], [[1.0], [2.0, 3.0]], [["a"]], [[[1.0]]], [1.0], [[1.0]] * 2, [[10**400]]],
)
def test_an_answer_that_makes_no_sense_is_an_error(answer: Any) -> None:
    """Rather than vectors of other texts."""
    function = LengthFunction()
    function.encode_documents = lambda documents: answer  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="the function gave"):
        DenseEmbedding(function).get_text_embedding("a")


@pytest.mark.parametrize("answer", [None, 7, [], [[1.0]], [None], [{}, {}], {1: 1.0}])
def test_a_sparse_answer_that_makes_no_sense_is_an_error(answer: Any) -> None:
    """Likewise."""
    function = SparseEmbeddingsFunction(Weights())
    function.encode_documents = lambda documents: answer  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="the function gave"):
        SparseEmbedding(function).get_text_embedding("a")
