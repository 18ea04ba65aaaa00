"""What the rerank postprocessors promise: order, events in pairs, no secrets."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.bridge.pydantic import Field, ValidationError
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from hybridge.errors import AuthenticationError, BadRequestError, HybridgeError, InvalidInputError
from hybridge.records import RerankResult
from llama_index_hybridge import JinaRerank, Rerank
from support.jina_server import KEY, JinaServer, html

TEXTS = ["one", "two words", "now three words"]


def longest_first(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
    """A reranker that likes long documents."""
    order = sorted(range(len(documents)), key=lambda index: -len(documents[index]))
    return [RerankResult(documents[i], float(len(documents[i])), i) for i in order[:top_k]]


def failing(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
    """A reranker that is out of order."""
    raise RuntimeError("out of order")


def nodes() -> list[NodeWithScore]:
    """Three retrieved nodes, the longest last."""
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in TEXTS]


class Recorder(BaseEventHandler):
    """Keeps the rerank events that LlamaIndex dispatches."""

    events: list[Any] = Field(default_factory=list)

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        """Keep one event."""
        if isinstance(event, (ReRankStartEvent, ReRankEndEvent)):
            self.events.append(event)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A handler at the root of LlamaIndex's instrumentation."""
    recorder = Recorder()
    root = get_dispatcher()
    root.add_event_handler(recorder)
    yield recorder
    root.event_handlers.remove(recorder)


@pytest.fixture
def server() -> Iterator[JinaServer]:
    """A Jina server."""
    with JinaServer() as server:
        yield server


def jina(server: JinaServer, **arguments: Any) -> JinaRerank:
    """A reranker that asks the server."""
    return JinaRerank(base_url=server.base_url, **{"api_key": KEY, **arguments})


def test_the_best_come_first() -> None:
    """top_n nodes come back, best first, with the reranker's scores."""
    given = nodes()
    ranked = Rerank(longest_first, top_n=2).postprocess_nodes(given, query_str="q")
    assert [(one.text, one.score) for one in ranked] == [("now three words", 15), ("two words", 9)]
    assert [one.score for one in given] == [0.5, 0.5, 0.5]


async def test_async_runs_beside_the_loop() -> None:
    """The async method gives the same answer, and calls the function on another thread."""
    threads = []

    def noting(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        threads.append(threading.current_thread())
        return longest_first(query, documents, top_k)

    rerank = Rerank(noting, top_n=2)
    given = nodes()
    ranked = await rerank.apostprocess_nodes(given, query_str="q")
    assert ranked == rerank.postprocess_nodes(given, query_str="q")
    assert threads[0] is not threading.current_thread()


def test_the_function_sees_what_was_embedded() -> None:
    """Metadata are part of the text, but for keys that the embedding does not see."""
    seen: list[str] = []

    def noting(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        seen.extend(documents)
        return longest_first(query, documents, top_k)

    node = TextNode(text="hello", metadata={"a": 1, "b": 2}, excluded_embed_metadata_keys=["b"])
    Rerank(noting).postprocess_nodes([NodeWithScore(node=node)], query_str="q")
    assert seen == ["a: 1\n\nhello"]


@pytest.mark.parametrize("given", [[], nodes()], ids=["empty", "three"])
def test_events_come_in_pairs(recorder: Recorder, given: list[NodeWithScore]) -> None:
    """A start and an end event, and one RERANKING callback, even for an empty list."""
    debug = LlamaDebugHandler(print_trace_on_end=False)
    rerank = Rerank(longest_first, top_n=2, callback_manager=CallbackManager([debug]))
    rerank.postprocess_nodes(given, query_str="q")
    start, end = recorder.events
    assert isinstance(start, ReRankStartEvent)
    assert isinstance(end, ReRankEndEvent)
    assert (start.top_n, start.model_name, len(start.nodes)) == (2, "function", len(given))
    assert len(end.nodes) == min(2, len(given))
    assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 1


async def test_events_come_in_pairs_on_errors(recorder: Recorder) -> None:
    """A reranker that fails leaves no start without an end, sync and async."""
    debug = LlamaDebugHandler(print_trace_on_end=False)
    rerank = Rerank(failing, callback_manager=CallbackManager([debug]))
    with pytest.raises(RuntimeError, match="out of order"):
        rerank.postprocess_nodes(nodes(), query_str="q")
    with pytest.raises(RuntimeError, match="out of order"):
        await rerank.apostprocess_nodes(nodes(), query_str="q")
    kinds = [type(event) for event in recorder.events]
    assert kinds == [ReRankStartEvent, ReRankEndEvent] * 2
    assert [len(pair) for pair in debug.get_event_pairs(CBEventType.RERANKING)] == [2, 2]


def test_a_missing_query_is_named(recorder: Recorder) -> None:
    """Without a query there is nothing to rank by, so nothing starts."""
    with pytest.raises(InvalidInputError, match="query"):
        Rerank(longest_first).postprocess_nodes(nodes())
    assert recorder.events == []


def test_bad_arguments_and_answers() -> None:
    """top_n below 1 is refused, and so is an answer that names a node twice."""
    with pytest.raises(InvalidInputError, match="top_n"):
        Rerank(longest_first, top_n=0)
    with pytest.raises(InvalidInputError, match="'int'"):
        Rerank(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="jina/"):
        Rerank("jina")
    twice = Rerank(lambda query, documents, top_k=5: [RerankResult("one", 1.0, 0)] * 2)
    with pytest.raises(InvalidInputError, match="places"):
        twice.postprocess_nodes(nodes(), query_str="q")


def test_serialised_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function given by its name is found again by `from_dict(to_dict())`."""
    monkeypatch.setenv("JINA_API_KEY", KEY)
    rerank = Rerank("jina/jina-reranker-v2-base-multilingual", top_n=3)
    assert KEY not in rerank.to_json()
    assert rerank.model_name == "jina-reranker-v2-base-multilingual"
    assert Rerank.from_dict(rerank.to_dict()).to_dict() == rerank.to_dict()


def test_serialised_without_its_function() -> None:
    """`from_dict(to_dict())` takes the function again; a pickle brings it along."""
    rerank = Rerank(longest_first, top_n=3)
    with pytest.raises(InvalidInputError, match="function="):
        Rerank.from_dict(rerank.to_dict())
    again = Rerank.from_dict(rerank.to_dict(), function=longest_first)
    loaded = pickle.loads(pickle.dumps(rerank))
    for other in (again, loaded):
        assert other.to_dict() == rerank.to_dict()
        assert other.postprocess_nodes(nodes(), query_str="q")[0].text == TEXTS[2]


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("model", r"write model_name="),
        ("jina_api_key", r"write api_key="),
        ("top_k", r"write top_n="),
        ("topn", r"write top_n="),
        ("timout", r"write timeout="),
        ("function", r"it has api_key, base_url, callback_manager, .*model_name, timeout, top_n$"),
    ],
)
def test_an_unknown_argument_is_named(name: str, cure: str) -> None:
    """And the right one, where it can be told; LlamaIndex would drop it."""
    for make in (JinaRerank, JinaRerank.from_dict):
        with pytest.raises(
            InvalidInputError, match=f"^JinaRerank has no argument '{name}'.*{cure}"
        ):
            make(**{name: 3}) if make is JinaRerank else make({name: 3})  # type: ignore[arg-type]
    if name.startswith("top"):
        with pytest.raises(InvalidInputError, match=f"^Rerank has no argument '{name}'.*{cure}"):
            Rerank(longest_first, **{name: 3})  # type: ignore[arg-type]


def test_arguments_by_their_place(server: JinaServer) -> None:
    """`top_n` comes second, as in LangChain; a number in the model's place says where it goes."""
    assert len(Rerank(longest_first, 2).postprocess_nodes(nodes(), query_str="q")) == 2
    with pytest.raises(InvalidInputError, match="a number is for top_n="):
        JinaRerank(3, KEY)  # type: ignore[arg-type]


def test_the_settings_of_llama_index_pass(server: JinaServer) -> None:
    """The callback manager, the class name of a dictionary, the lists of JSON, validation."""
    debug = LlamaDebugHandler(print_trace_on_end=False)
    rerank = Rerank(longest_first, 2, callback_manager=CallbackManager([debug]))
    rerank.postprocess_nodes(nodes(), query_str="q")
    assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 1
    one = jina(server, top_n=2, timeout=(1.0, 2.0))
    for again in (
        JinaRerank.from_json(one.to_json(), api_key=KEY),
        JinaRerank(**one.to_dict(), api_key=KEY),
        JinaRerank.model_validate({**one.model_dump(), "api_key": KEY}),
    ):
        assert again.to_dict() == one.to_dict()


def test_a_subclass_may_have_fields_of_its_own() -> None:
    """They pass, and come back from a dictionary."""

    class Labelled(Rerank):
        label: str = ""

    fields: dict[str, Any] = {"label": "mine"}
    rerank = Labelled(longest_first, 2, **fields)
    assert rerank.label == "mine"
    assert (
        Labelled.from_dict(rerank.to_dict(), function=longest_first).to_dict() == rerank.to_dict()
    )


# --- wrong input ---------------------------------------------------------------------------------

BAD: list[Any] = [7, 10**400, float("nan"), b"x", ["x"], object(), "\ud800"]


@pytest.mark.parametrize("bad", BAD)
async def test_what_is_no_query_is_refused(recorder: Recorder, bad: Any) -> None:
    """By an error of ours, before anyone is told or asked."""
    rerank = Rerank(failing)
    for request in ({"query_str": bad}, {"query_bundle": bad}):
        with pytest.raises(InvalidInputError, match="query"):
            rerank.postprocess_nodes(nodes(), **request)
        with pytest.raises(InvalidInputError, match="query"):
            await rerank.apostprocess_nodes(nodes(), **request)
    assert recorder.events == []


@pytest.mark.parametrize("bad", [None, *BAD, [None], [nodes()], [TextNode(text="a")], {"a": 1}])
async def test_what_are_no_nodes_is_refused(recorder: Recorder, bad: Any) -> None:
    """By an error of ours, before anyone is told or asked."""
    rerank = Rerank(failing)
    with pytest.raises(InvalidInputError, match="nodes"):
        rerank.postprocess_nodes(bad, query_str="q")
    with pytest.raises(InvalidInputError, match="nodes"):
        await rerank.apostprocess_nodes(bad, query_str="q")
    assert recorder.events == []


@pytest.mark.parametrize("bad", [*BAD[1:], {"a": 1}, -1, True])
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
    rerank = Rerank(longest_first)
    for call in (
        lambda: rerank.postprocess_nodes(one, query_str=other),
        lambda: rerank.postprocess_nodes(nodes(), query_str=one),
        lambda: rerank.postprocess_nodes(nodes(), one),
        lambda: Rerank(one, other),
        lambda: Rerank(longest_first, model_name=one, callback_manager=other),
        lambda: JinaRerank(one, KEY, top_n=other),
        lambda: JinaRerank("model", one, base_url=other),
    ):
        with suppress(HybridgeError, ValidationError):
            call()


# --- Jina ----------------------------------------------------------------------------------------


def test_jina_reranks(server: JinaServer) -> None:
    """The nodes come back in the order and with the scores of the API."""
    server.scores = dict(zip(TEXTS, [0.1, 0.9, 0.5], strict=True))
    ranked = jina(server, top_n=2).postprocess_nodes(nodes(), query_bundle=QueryBundle("q"))
    assert [(one.text, one.score) for one in ranked] == [(TEXTS[1], 0.9), (TEXTS[2], 0.5)]


async def test_jina_empty_input_sends_nothing(server: JinaServer, recorder: Recorder) -> None:
    """No nodes, no request; the events come in pairs."""
    rerank = jina(server)
    assert rerank.postprocess_nodes([], query_str="q") == []
    assert await rerank.apostprocess_nodes([], query_str="q") == []
    assert server.requests == []
    assert [type(one) for one in recorder.events] == [ReRankStartEvent, ReRankEndEvent] * 2


def test_jina_html_error(server: JinaServer, recorder: Recorder) -> None:
    """An HTML error page is an error of ours, not a JSONDecodeError; the events come in pairs."""
    server.then(html(404))
    with pytest.raises(BadRequestError):
        jina(server).postprocess_nodes(nodes(), query_str="q")
    assert [type(event) for event in recorder.events] == [ReRankStartEvent, ReRankEndEvent]


def test_jina_keeps_its_key(server: JinaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is in neither repr, dictionary, JSON, pickle, event nor error."""
    rerank = jina(server, top_n=1)
    shown = [repr(rerank), str(rerank.to_dict()), rerank.to_json(), str(pickle.dumps(rerank))]
    with pytest.raises(AuthenticationError) as error:
        jina(server, api_key=KEY + "wrong").postprocess_nodes(nodes(), query_str="q")
    assert all(KEY not in text for text in [*shown, str(error.value)])
    monkeypatch.setenv("JINA_API_KEY", KEY)
    for again in (JinaRerank.from_dict(rerank.to_dict()), pickle.loads(pickle.dumps(rerank))):
        assert again.to_dict() == rerank.to_dict()
        assert again.postprocess_nodes(nodes(), query_str="three")[0].text == TEXTS[2]


def test_jina_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the constructor says where to get one."""
    monkeypatch.delenv("JINA_API_KEY", raising=False)
    monkeypatch.delenv("JINAAI_API_KEY", raising=False)
    with pytest.raises(HybridgeError, match="JINA_API_KEY"):
        JinaRerank()


@pytest.mark.parametrize("keep", [True, False])
def test_the_score_of_the_retrieval_may_be_kept(keep: bool) -> None:
    """By the name that LlamaIndex's own rerankers have for it; the nodes given stay as they are."""
    given = nodes()
    rerank = Rerank(longest_first, keep_retrieval_score=keep)
    for one in rerank.postprocess_nodes(given, query_str="?"):
        assert one.node.metadata == ({"retrieval_score": 0.5} if keep else {})
    assert all(one.node.metadata == {} for one in given)
    assert rerank.to_dict()["keep_retrieval_score"] is keep
    with pytest.raises(InvalidInputError, match="keep_retrieval_score"):
        Rerank(longest_first, keep_retrieval_score="yes")  # type: ignore[arg-type]
