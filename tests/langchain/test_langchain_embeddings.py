"""What `DenseEmbeddings` and `SparseEmbeddings` promise beside LangChain's standard suites."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from numpy.typing import NDArray

from hybridge import (
    AUTO,
    BM25EmbeddingFunction,
    DefaultEmbeddingFunction,
    JinaEmbeddingFunction,
)
from hybridge.errors import HybridgeError, InvalidInputError, NotFittedError
from hybridge.protocols import AsyncEmbeddingFunction, DenseEmbeddingFunction
from langchain_hybridge import DenseEmbeddings, SparseEmbeddings
from langchain_hybridge.embeddings import as_dense_function, as_embeddings, as_sparse_function
from langchain_hybridge.functions import EmbeddingsFunction, SparseEmbeddingsFunction

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


class Plain:
    """Embeddings by their methods alone: no base class, nothing async."""

    model = "plain-1"

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def __repr__(self) -> str:
        return "Plain(key='secret')"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The length, and 0."""
        self.threads.add(threading.get_ident())
        return [[float(len(text)), 0.0] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """The length, and 1."""
        return [self.embed_documents([text])[0][0], 1.0]


class Weights(Plain):
    """Sparse embeddings in the shape of `langchain-qdrant`: a weight of 2 at the text's length."""

    def embed_documents(self, texts: list[str]) -> list[Any]:
        """One vector per text."""
        self.threads.add(threading.get_ident())
        return [SimpleNamespace(indices=np.array([len(text)]), values=[2]) for text in texts]

    def embed_query(self, text: str) -> Any:
        """The vector of a query."""
        return self.embed_documents([text])[0]


class Awaited(Plain):
    """Embeddings of their own async methods, which note how many run at a time."""

    running = most = 0

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """The length, and 2."""
        return [[float(len(text)), 2.0] for text in texts]

    async def aembed_query(self, text: str) -> list[float]:
        """The length, and 3."""
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.01)
        self.running -= 1
        return [float(len(text)), 3.0]


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


# --- embeddings as functions ---------------------------------------------------------------------


@pytest.mark.parametrize("embedding", [DeterministicFakeEmbedding(size=4), Plain()])
async def test_embeddings_become_a_function(embedding: Any) -> None:
    """Of LangChain's or by their methods alone: the same vectors, sync and async."""
    function = as_dense_function(embedding)
    assert isinstance(function, EmbeddingsFunction)
    assert isinstance(function, DenseEmbeddingFunction)
    assert isinstance(function, AsyncEmbeddingFunction)
    documents = embedding.embed_documents(["a", "bcd"])
    queries = [embedding.embed_query("a"), embedding.embed_query("bcd")]
    assert function.encode_documents(("a", "bcd")) == documents
    assert function.encode_queries(("a", "bcd")) == queries
    assert await function.aencode_documents(("a", "bcd")) == documents
    assert await function.aencode_queries(("a", "bcd")) == queries
    assert function.encode_documents([]) == function.encode_queries([]) == []
    assert function.dim is None
    assert as_embeddings(function) is as_embeddings(embedding) is embedding


async def test_what_has_async_methods_is_awaited_and_the_rest_runs_on_a_thread() -> None:
    """Queries are awaited at the same time."""
    awaited = Awaited()
    function = EmbeddingsFunction(awaited)
    assert await function.aencode_documents(["a"]) == [[1.0, 2.0]]
    assert await function.aencode_queries(["a", "bcd", "ef"]) == [
        [1.0, 3.0],
        [3.0, 3.0],
        [2.0, 3.0],
    ]
    assert awaited.threads == set()
    assert awaited.most == 3
    plain, weights = Plain(), Weights()
    for made in (EmbeddingsFunction(plain), SparseEmbeddingsFunction(weights)):
        await made.aencode_documents(["a"])
        await made.aencode_queries(["a"])
    assert plain.threads
    assert weights.threads
    assert threading.get_ident() not in plain.threads | weights.threads


def test_two_functions_of_one_object_are_one() -> None:
    """A store that has it twice embeds once; two objects are two."""
    plain = Plain()
    assert as_dense_function(plain) == as_dense_function(plain) != as_dense_function(Plain())
    assert len({EmbeddingsFunction(plain), EmbeddingsFunction(plain)}) == 1
    assert EmbeddingsFunction(plain) != plain
    weights = Weights()
    assert as_sparse_function(weights) == as_sparse_function(weights)
    assert SparseEmbeddingsFunction(weights) != EmbeddingsFunction(weights)


def test_a_function_says_the_model_and_no_secret() -> None:
    """The `repr` of the object, which may hold a key, is never part of it."""
    named, nameless, odd = Plain(), Plain(), Plain()
    named.model_name = "named"  # type: ignore[attr-defined]
    nameless.model = ""
    odd.model = object()  # type: ignore[assignment]
    names = [EmbeddingsFunction(one).model_name for one in (named, Plain(), nameless, odd)]
    assert names == ["named", "plain-1", None, None]
    assert repr(EmbeddingsFunction(named)) == "EmbeddingsFunction(Plain)"
    assert repr(SparseEmbeddingsFunction(Weights())) == "SparseEmbeddingsFunction(Weights)"
    assert DenseEmbeddings(EmbeddingsFunction(nameless)).model_name == "EmbeddingsFunction"  # type: ignore[arg-type]


def test_functions_come_back_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """`DenseEmbeddings` give theirs; functions and names are core's; None stays None."""
    function = Asymmetric()
    assert as_dense_function(function) is function
    assert as_dense_function(DenseEmbeddings(function)) is function
    monkeypatch.setenv("JINA_API_KEY", "key")
    assert isinstance(as_dense_function("jina/jina-embeddings-v3"), JinaEmbeddingFunction)
    assert as_dense_function(None) is as_embeddings(None) is None
    made = as_embeddings(function)
    assert isinstance(made, DenseEmbeddings)
    assert made.function is function
    wrapped = EmbeddingsFunction(Plain())
    assert as_dense_function(wrapped) is wrapped  # type: ignore[arg-type]


def test_a_subclass_embeds_in_its_own_way() -> None:
    """It may have overridden anything, so its methods are what counts."""

    class Prefixed(DenseEmbeddings):
        def embed_query(self, text: str) -> list[float]:
            return super().embed_query(f"query: {text}")

    function = as_dense_function(Prefixed(Asymmetric()))
    assert function is not None
    assert list(function.encode_queries(["abc"])) == [[10.0, 1.0]]


async def test_sparse_embeddings_become_a_function() -> None:
    """Those in the shape of `langchain-qdrant`: indices to weights, sync and async."""
    function = as_sparse_function(Weights())
    assert isinstance(function, SparseEmbeddingsFunction)
    rows = [{1: 2.0}, {3: 2.0}]
    assert function.encode_documents(("a", "bcd")) == function.encode_queries(("a", "bcd")) == rows
    assert await function.aencode_documents(("a", "bcd")) == rows
    assert await function.aencode_queries(("a", "bcd")) == rows
    [[kinds]] = [[(type(i), type(w)) for i, w in row.items()] for row in rows[:1]]
    assert kinds == (int, float)
    again = SparseEmbeddings(function)  # type: ignore[arg-type]
    assert again.embed_query("bcd").indices == [3]


def test_sparse_functions_and_names_are_left_to_the_store() -> None:
    """Which knows what its own names mean."""
    function = BM25EmbeddingFunction()
    for given_ in (AUTO, None, "bm25:ru", "milvus", function, 7):
        assert as_sparse_function(given_) is given_
    assert as_sparse_function(SparseEmbeddings(function)) is function


def test_dense_and_sparse_are_not_taken_for_each_other() -> None:
    """The error names the class, and says which kind is wanted."""
    for dense in (DeterministicFakeEmbedding(size=2), EmbeddingsFunction(Plain())):
        with pytest.raises(InvalidInputError, match="makes dense ones"):
            as_sparse_function(dense)
    for sparse in (SparseEmbeddings("bm25:en"), SparseEmbeddingsFunction(Weights())):
        with pytest.raises(InvalidInputError, match="makes sparse ones"):
            as_dense_function(sparse)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="Plain gave no sparse vectors"):
        SparseEmbeddingsFunction(Plain()).encode_queries(["a"])  # type: ignore[arg-type]


@pytest.mark.parametrize("embedding", [7, object(), Plain, [Plain()], b"x", float("nan"), 10**400])
def test_what_embeds_nothing_is_refused(embedding: Any) -> None:
    """The error says what there is."""
    with pytest.raises(InvalidInputError, match="LangChain's Embeddings"):
        as_dense_function(embedding)
    with pytest.raises(InvalidInputError, match="LangChain's Embeddings"):
        as_embeddings(embedding)


# --- wrong input ---------------------------------------------------------------------------------

DENSE = DenseEmbeddings(Asymmetric())
SPARSE = SparseEmbeddings(SparseEmbeddingsFunction(Weights()))  # type: ignore[arg-type]
FUNCTIONS = (EmbeddingsFunction(Plain()), SparseEmbeddingsFunction(Weights()))
OF_A_TEXT = [DENSE.embed_query, SPARSE.embed_query]
OF_TEXTS: list[Callable[[Any], Any]] = [
    DENSE.embed_documents,
    SPARSE.embed_documents,
    *(made.encode_documents for made in FUNCTIONS),
    *(made.encode_queries for made in FUNCTIONS),
]
AWAITED_OF_A_TEXT = [DENSE.aembed_query, SPARSE.aembed_query]
AWAITED_OF_TEXTS: list[Callable[[Any], Any]] = [
    DENSE.aembed_documents,
    SPARSE.aembed_documents,
    *(made.aencode_documents for made in FUNCTIONS),
    *(made.aencode_queries for made in FUNCTIONS),
]


def name_of(value: object) -> str:
    """What a test is called by its argument."""
    return f"{value!r:.12}".encode("ascii", "backslashreplace").decode()


NO_TEXT = [None, 7, 10**400, float("nan"), b"text", ["text"], {"text": 1}, object(), "\ud800"]
NO_TEXTS: list[Any] = [*([one] for one in NO_TEXT), *(one for one in NO_TEXT if one != ["text"])]
NO_TEXTS.remove({"text": 1})  # iterates over its keys, which are texts


@pytest.mark.parametrize("text", NO_TEXT, ids=name_of)
async def test_a_text_is_a_string(text: Any) -> None:
    """Everything else is an error of ours that names the argument."""
    for method in OF_A_TEXT:
        with pytest.raises(InvalidInputError, match="text"):
            method(text)
    for method in AWAITED_OF_A_TEXT:
        with pytest.raises(InvalidInputError, match="text"):
            await method(text)


@pytest.mark.parametrize("texts", [*NO_TEXTS, "one text"], ids=name_of)
async def test_texts_are_a_list_of_strings(texts: Any) -> None:
    """A lone string is not taken apart into characters."""
    for method in OF_TEXTS:
        with pytest.raises(InvalidInputError, match=r"texts|documents|queries"):
            method(texts)
    for method in AWAITED_OF_TEXTS:
        with pytest.raises(InvalidInputError, match=r"texts|documents|queries"):
            await method(texts)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=5,
)


@given(ANYTHING)
def test_whatever_is_given_errors_are_ours(value: Any) -> None:
    """No method and no constructor raises anything else."""
    makers = (DenseEmbeddings, SparseEmbeddings, as_dense_function, as_embeddings)
    calls: list[Callable[[Any], Any]] = [*OF_A_TEXT, *OF_TEXTS, *makers, as_sparse_function]
    for call in calls:
        with suppress(HybridgeError):
            call(value)


@pytest.mark.parametrize(
    "answer",
    [None, 7, [], [[1.0], [2.0, 3.0]], [["a"]], [[[1.0]]], [1.0], [[1.0]] * 2, [[10**400]]],
)
def test_an_answer_that_makes_no_sense_is_an_error(answer: Any) -> None:
    """Rather than vectors of other texts."""
    function = Asymmetric()
    function.encode_documents = lambda documents: answer  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="the function gave"):
        DenseEmbeddings(function).embed_documents(["a"])


@pytest.mark.parametrize("answer", [None, 7, [], [[1.0]], [None], [{}, {}], {1: 1.0}])
def test_a_sparse_answer_that_makes_no_sense_is_an_error(answer: Any) -> None:
    """Likewise."""
    function = SparseEmbeddingsFunction(Weights())
    function.encode_documents = lambda documents: answer  # type: ignore[method-assign]
    with pytest.raises(InvalidInputError, match="the function gave"):
        SparseEmbeddings(function).embed_documents(["a"])  # type: ignore[arg-type]
