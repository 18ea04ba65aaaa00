"""What `Rerank` and `JinaRerank` promise, alone and in a compression retriever."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.load import dumps
from pydantic import SecretStr, ValidationError
from test_langchain_search import shortest_first

from hybridge import JinaRerankFunction, RerankResult
from hybridge.errors import AuthenticationError, HybridgeError, InvalidInputError
from langchain_hybridge import JinaRerank, MilvusRetriever, MilvusVectorStore, Rerank
from support.jina_server import KEY, JinaServer
from support.langchain_support import ANIMALS, ids

QUESTION = "organic skincare for sensitive skin"
DOCUMENTS = [
    Document(id=name, page_content=f"{name} text", metadata={"n": n})
    for n, name in enumerate(["zero", "one", "two", "three"])
]
SCORES = {"one text": 0.937096, "three text": 0.354210, "zero text": 0.349866, "two text": 0.272896}


@pytest.fixture
def jina() -> Iterator[JinaServer]:
    """A local server that scores as Jina's API did."""
    with JinaServer() as server:
        server.scores = SCORES
        yield server


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JINA_API_KEY", "JINAAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Runs(BaseCallbackHandler):
    """Notes runs."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """A run began."""
        self.events.append((kwargs["name"], inputs["query"]))

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        """It ended."""
        self.events.append(ids(outputs))

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        """It failed."""
        self.events.append(error)


@pytest.mark.parametrize("carries", ["absent", "object", "string"])
async def test_jina_orders_documents(jina: JinaServer, carries: str) -> None:
    """Best first, with texts and scores, whether or not the answer carries documents."""
    jina.returns_documents = carries
    rerank = JinaRerank(api_key=KEY, base_url=jina.base_url)
    found = rerank.compress_documents(DOCUMENTS, QUESTION)
    assert [(d.id, d.metadata["n"], d.metadata["relevance_score"]) for d in found] == [
        ("one", 1, 0.937096),
        ("three", 3, 0.354210),
        ("zero", 0, 0.349866),
        ("two", 2, 0.272896),
    ]
    assert [document.page_content for document in found] == list(SCORES)
    assert await rerank.acompress_documents(DOCUMENTS, QUESTION) == found


def test_the_documents_given_are_left_alone() -> None:
    """Copies come back, at most `top_n`."""
    found = Rerank(shortest_first, 2).compress_documents(DOCUMENTS, QUESTION)
    assert ids(found) == ["one", "two"]
    assert found[0].metadata == {"n": 1, "relevance_score": -8.0}
    assert DOCUMENTS[1].metadata == {"n": 1}


async def test_an_empty_list_asks_nobody(jina: JinaServer) -> None:
    """And comes back empty."""
    rerank = JinaRerank(api_key=KEY, base_url=jina.base_url)
    assert rerank.compress_documents([], QUESTION) == []
    assert await rerank.acompress_documents([], QUESTION) == []
    assert jina.requests == []


async def test_in_a_compression_retriever(jina: JinaServer, animals: MilvusVectorStore) -> None:
    """LangChain's own: sync, async, and its callbacks see the reranking."""
    jina.scores = {ANIMALS[3].page_content: 0.9}
    retriever = ContextualCompressionRetriever(
        base_compressor=JinaRerank(api_key=KEY, base_url=jina.base_url, top_n=1),
        base_retriever=MilvusRetriever(vectorstore=animals, k=4),
    )
    runs = Runs()
    assert ids(retriever.invoke("Which animal?", {"callbacks": [runs]})) == ["fish"]
    assert runs.events == [("JinaRerank", "Which animal?"), ["fish"]]
    assert ids(await retriever.ainvoke("Which animal?", {"callbacks": [runs]})) == ["fish"]
    assert runs.events[2:] == runs.events[:2]


async def test_failures_reach_the_caller_and_the_callbacks(jina: JinaServer) -> None:
    """An error of ours, without the key."""
    rerank = JinaRerank(api_key=f"wrong-{KEY}", base_url=jina.base_url)
    runs = Runs()
    with pytest.raises(AuthenticationError) as caught:
        rerank.compress_documents(DOCUMENTS, QUESTION, [runs])
    with pytest.raises(AuthenticationError):
        await rerank.acompress_documents(DOCUMENTS, QUESTION, [runs])
    assert KEY not in str(caught.value)
    assert [type(event) for event in runs.events[1::2]] == [AuthenticationError] * 2


async def test_the_event_loop_runs_on(jina: JinaServer) -> None:
    """A slow function holds up nobody else."""
    waiting = threading.Event()

    def slow(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        assert waiting.wait(timeout=10)
        return shortest_first(query, documents, top_k)

    task = asyncio.ensure_future(Rerank(slow).acompress_documents(DOCUMENTS, QUESTION))
    await asyncio.sleep(0.01)
    assert not task.done()
    waiting.set()
    assert len(await task) == 4


def test_the_key_is_shown_nowhere(jina: JinaServer) -> None:
    """Not in `repr`, not in a dump, not in LangChain's serialisation, not in a pickle."""
    for key in (KEY, SecretStr(KEY)):
        rerank = JinaRerank(api_key=key, base_url=jina.base_url)
        assert isinstance(rerank.api_key, SecretStr)
        shown = [repr(rerank), str(rerank), str(rerank.model_dump()), rerank.model_dump_json()]
        assert not any(KEY in text for text in [*shown, dumps(rerank)])
        assert KEY.encode() not in pickle.dumps(rerank)


def test_where_a_pickle_is_loaded_the_environment_has_the_key(
    jina: JinaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on working there."""
    pickled = pickle.dumps(JinaRerank(api_key=KEY, base_url=jina.base_url, top_n=1))
    monkeypatch.setenv("JINA_API_KEY", KEY)
    assert ids(pickle.loads(pickled).compress_documents(DOCUMENTS, QUESTION)) == ["one"]


def test_what_makes_no_sense_is_refused() -> None:
    """No key, a bad `top_n`, something that is no function."""
    with pytest.raises(AuthenticationError, match="JINA_API_KEY"):
        JinaRerank()
    with pytest.raises(InvalidInputError, match="top_n=0"):
        Rerank(shortest_first, 0)
    with pytest.raises(InvalidInputError, match="'int' is neither a RerankFunction"):
        Rerank(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("model", r"write model_name="),
        ("jina_api_key", r"write api_key="),
        ("top_k", r"write top_n="),
        ("topn", r"write top_n="),
        ("timout", r"write timeout="),
        ("function", r"it has api_key, base_url, model_name, score_threshold, timeout, top_n$"),
    ],
)
def test_an_unknown_argument_is_named(name: str, cure: str) -> None:
    """And the right one, where it can be told; before a key is asked for."""
    with pytest.raises(InvalidInputError, match=f"^JinaRerank has no argument '{name}'.*{cure}"):
        JinaRerank(**{name: 3})  # type: ignore[arg-type]
    if name.startswith("top"):
        with pytest.raises(InvalidInputError, match=f"^Rerank has no argument '{name}'.*{cure}"):
            Rerank(shortest_first, **{name: 3})  # type: ignore[arg-type]


def test_a_subclass_may_have_fields_of_its_own() -> None:
    """They pass, and what it does not have is refused in its name."""

    class Named(Rerank):
        label: str = ""

    fields: dict[str, Any] = {"label": "mine"}
    assert Named(shortest_first, 2, **fields).label == "mine"
    with pytest.raises(InvalidInputError, match=r"Named has no .*'lable' .write label="):
        Named(shortest_first, **{"lable": "mine"})  # type: ignore[arg-type]


BAD = [None, 7, 10**400, float("nan"), b"x", object(), "\ud800"]
REQUESTS: list[tuple[Any, Any, Any]] = [
    *((DOCUMENTS, query, None) for query in [*BAD, ["x"]]),
    *((documents, "x", None) for documents in [*BAD, [None], ["x"], [[DOCUMENTS[0]]], {"a": 1}]),
    *((DOCUMENTS, "x", callbacks) for callbacks in [*BAD[1:], ["x"], [None], {"a": 1}]),
    ([Document.model_construct(page_content=None)], "x", None),
]


@pytest.mark.parametrize(("documents", "query", "callbacks"), REQUESTS)
async def test_what_is_no_request_is_refused(documents: Any, query: Any, callbacks: Any) -> None:
    """By an error of ours, before the function is called."""
    asked: list[str] = []

    def noting(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        asked.append(query)
        return []

    rerank = Rerank(noting)
    with pytest.raises(InvalidInputError):
        rerank.compress_documents(documents, query, callbacks)
    with pytest.raises(InvalidInputError):
        await rerank.acompress_documents(documents, query, callbacks)
    assert asked == []


@pytest.mark.parametrize("bad", [*BAD[2:], ["x"], {"a": 1}, -1, True])
@pytest.mark.parametrize("name", ["top_n", "model_name", "api_key", "base_url"])
def test_what_is_no_argument_is_refused(name: str, bad: Any) -> None:
    """By an error of ours."""
    with pytest.raises(HybridgeError):
        JinaRerank(**{"api_key": KEY, name: bad})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=5,
)


@given(ANYTHING, ANYTHING)
def test_whatever_is_given_errors_are_ours(one: Any, other: Any) -> None:
    """No method and no constructor raises anything else, but for pydantic."""
    rerank = Rerank(shortest_first)
    for call in (
        lambda: rerank.compress_documents(one, other),
        lambda: rerank.compress_documents(DOCUMENTS, one, other),
        lambda: Rerank(one, other),
        lambda: JinaRerank(one, KEY, top_n=other),
        lambda: JinaRerank("model", one, base_url=other),
    ):
        with suppress(HybridgeError, ValidationError):
            call()


def test_a_name_will_do_for_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not exist is an error that lists those that do."""
    monkeypatch.setenv("JINA_API_KEY", KEY)
    assert isinstance(Rerank("jina/jina-reranker-m0").function, JinaRerankFunction)
    with pytest.raises(InvalidInputError, match="known are"):
        Rerank("jinx/x")


def test_an_answer_that_names_no_document_is_an_error() -> None:
    """Rather than the wrong document."""

    def lost(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        return [RerankResult("?", 1.0, len(documents))]

    with pytest.raises(InvalidInputError, match="places"):
        Rerank(lost).compress_documents(DOCUMENTS, QUESTION)


@pytest.mark.parametrize(("scale", "scores"), [("probability", (0.9, 0.2)), ("logit", (2.0, -2.0))])
async def test_a_threshold_leaves_documents_out(scale: str, scores: tuple[float, float]) -> None:
    """It compares with the relevance, whatever the scale of the function's scores."""

    def function(query: str, documents: list[str], top_k: int = 5) -> list[RerankResult]:
        places = range(len(documents))
        return [RerankResult(documents[i], scores[i], i) for i in places][:top_k]

    function.scale = scale  # type: ignore[attr-defined]
    documents = [Document("yes"), Document("no")]
    rerank = Rerank(function, score_threshold=0.5)
    for found in (
        rerank.compress_documents(documents, "q"),
        await rerank.acompress_documents(documents, "q"),
    ):
        assert [(one.page_content, one.metadata["relevance_score"]) for one in found] == [
            ("yes", scores[0])
        ]
    assert len(Rerank(function).compress_documents(documents, "q")) == 2
    with pytest.raises(InvalidInputError, match="score_threshold must be a number from 0 to 1"):
        Rerank(function, score_threshold=3)
