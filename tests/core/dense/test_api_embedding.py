"""The dense functions behind an API: what both promise, each against its own local server."""

from __future__ import annotations

import copy
import logging
import pickle
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge.dense.jina import JinaEmbeddingFunction
from hybridge.dense.openai import OpenAIEmbeddingFunction
from hybridge.errors import (
    ApiConnectionError,
    ApiError,
    AuthenticationError,
    BadRequestError,
    InvalidInputError,
    MalformedAnswerError,
    RateLimitError,
    ServerError,
)
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.web_api.parts import PartLimit
from support import jina_server
from support.jina_server import KEY, JinaServer
from support.openai_server import OpenAIServer

Function = JinaEmbeddingFunction | OpenAIEmbeddingFunction


class Api(NamedTuple):
    """One API: its function, its server, and what the server knows of the model."""

    function: type[Function]
    server: type[JinaServer]
    model: str
    dim: int
    passage: str | None
    variable: str


APIS = {
    "jina": Api(
        JinaEmbeddingFunction,
        JinaServer,
        "a-jina-model",
        jina_server.WIDTH,
        "retrieval.passage",
        "JINA_API_KEY",
    ),
    "openai": Api(
        OpenAIEmbeddingFunction, OpenAIServer, "an-openai-model", 1536, None, "OPENAI_API_KEY"
    ),
}


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    """Each API in turn."""
    return APIS[request.param]


@pytest.fixture
def server(api: Api) -> Iterator[JinaServer]:
    """The API's server."""
    with api.server() as server:
        yield server


@pytest.fixture
def make(api: Api, server: JinaServer) -> Callable[..., Function]:
    """Makes functions that ask the server and retry at once."""
    defaults = {"base_url": server.base_url, "backoff": 0.01, "max_retries": 1, "timeout": 5.0}
    return lambda **arguments: api.function(api.model, KEY, **{**defaults, **arguments})


@pytest.fixture
def function(make: Callable[..., Function]) -> Function:
    """A function with the defaults."""
    return make()


def expected(api: Api, texts: list[str], task: str | None, dim: int) -> np.ndarray:
    """Return the vectors that the server gives."""
    return np.array([jina_server.vector(text, task, dim) for text in texts], dtype=np.float32)


def test_documents_become_one_float32_array(api: Api, function: Function) -> None:
    """Vectors come in the order of the texts, C-contiguous, float32, (n, dim)."""
    vectors = function.encode_documents(["one", "two", "three"])
    np.testing.assert_array_equal(
        vectors, expected(api, ["one", "two", "three"], api.passage, api.dim)
    )
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert isinstance(function, DenseEmbeddingFunction)


def test_no_texts_give_no_rows(api: Api, make: Callable[..., Function], server: JinaServer) -> None:
    """An empty list gives (0, dim); where dim is known, nothing is sent."""
    assert make(dimensions=5).encode_documents([]).shape == (0, 5)
    assert server.requests == []
    assert make().encode_queries([]).shape == (0, api.dim)


def test_dim_of_an_unknown_model_is_asked_for_once(
    api: Api, function: Function, server: JinaServer
) -> None:
    """`dim` costs one request at most."""
    assert function.dim == function.dim == api.dim
    assert len(server.requests) == 1


def test_dimensions_are_sent_and_checked(make: Callable[..., Function], server: JinaServer) -> None:
    """`dimensions=` reaches the API, is `dim`, and an answer of another length is refused."""
    function = make(dimensions=5)
    assert function.encode_documents(["one"]).shape == (1, 5)
    assert server.requests[0].payload["dimensions"] == 5
    shorter = data(lambda found: found[0].update(embedding=[1.0]))
    server.then(shorter)
    with pytest.raises(MalformedAnswerError, match="1 numbers, not 5"):
        function.encode_documents(["one"])


def test_lists_are_split_to_the_limit_and_merged(
    api: Api, make: Callable[..., Function], server: JinaServer
) -> None:
    """3,000 texts take as many requests as the limit demands; every vector finds its place."""
    texts = [f"text {number}" for number in range(3000)]
    vectors = make(dimensions=4).encode_documents(texts)
    np.testing.assert_array_equal(vectors, expected(api, texts, api.passage, 4))
    sizes = [len(request.payload["input"]) for request in server.requests]
    assert sizes == ([512] * 5 + [440] if api.function is JinaEmbeddingFunction else [2048, 952])


def data(change: Callable[[list[dict[str, Any]]], object]) -> jina_server.Fault:
    """Alter the list of vectors in place."""
    return jina_server.changed(lambda answer: change(answer["data"]) and None)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(jina_server.raw(b'{"data": [{"ind'), id="truncated-json"),
        pytest.param(jina_server.raw(b"<html>all is well</html>"), id="html-200"),
        pytest.param(jina_server.changed(lambda answer: {"embeddings": []}), id="missing-data"),
        pytest.param(data(lambda found: found.pop()), id="missing-vector"),
        pytest.param(data(lambda found: found[0].update(index=7)), id="index-out-of-range"),
        pytest.param(data(lambda found: found.append(found[0])), id="duplicate-index"),
        pytest.param(data(lambda found: found[0].update(embedding=[1.0])), id="ragged"),
        pytest.param(data(lambda found: found[0]["embedding"].insert(0, np.nan)), id="nan"),
        pytest.param(data(lambda found: [x.update(embedding=[np.inf]) for x in found]), id="inf"),
        pytest.param(data(lambda found: [x.update(embedding=[1e39]) for x in found]), id="huge"),
        pytest.param(data(lambda found: [x.update(embedding=["1"]) for x in found]), id="strings"),
        pytest.param(data(lambda found: [x.update(embedding=[None]) for x in found]), id="nulls"),
        pytest.param(data(lambda found: found[0].update(embedding="AAAA")), id="3-bytes"),
        pytest.param(data(lambda found: found[0].update(embedding="!")), id="no-base64"),
        pytest.param(data(lambda found: [x.update(embedding=[]) for x in found]), id="empty"),
        pytest.param(data(lambda found: found[0].pop("embedding")), id="absent"),
    ],
)
def test_vectors_that_cannot_be_trusted_are_refused(
    function: Function, server: JinaServer, fault: jina_server.Fault
) -> None:
    """A vector missing, doubled, ragged, not finite or not of numbers makes the answer an error."""
    server.then(fault)
    with pytest.raises(MalformedAnswerError) as caught:
        function.encode_documents(["one", "two"])
    assert (caught.value.status, caught.value.request_id) == (200, "req-42")


FAULTS = [
    pytest.param(jina_server.refuse(403, {}), AuthenticationError, id="403"),
    pytest.param(jina_server.refuse(402, {}), RateLimitError, id="402"),
    pytest.param(jina_server.refuse(404, {}), BadRequestError, id="404"),
    pytest.param(
        jina_server.refuse(429, {"error": {"message": "x", "code": "insufficient_quota"}}),
        RateLimitError,
        id="429-quota",
    ),
]
PASSING = [
    pytest.param(jina_server.refuse(500, {}), ServerError, id="500"),
    pytest.param(jina_server.html(502), ServerError, id="html-502"),
    pytest.param(jina_server.reset, ApiConnectionError, id="reset"),
    pytest.param(jina_server.cut, ApiConnectionError, id="cut-body"),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_refusal_is_raised_at_once(
    function: Function, server: JinaServer, fault: jina_server.Fault, kind: type[ApiError]
) -> None:
    """What will not pass is not repeated, and has its own kind of error."""
    server.then(fault)
    with pytest.raises(kind) as caught:
        function.encode_documents(["one"])
    assert type(caught.value) is kind
    assert caught.value.request_id == "req-42"
    assert len(server.requests) == 1


@pytest.mark.parametrize(("fault", "kind"), PASSING)
def test_a_passing_fault_is_outlasted_and_a_lasting_one_raised(
    function: Function, server: JinaServer, fault: jina_server.Fault, kind: type[ApiError]
) -> None:
    """One fault is retried away; two in a row are one too many for `max_retries=1`."""
    server.then(fault)
    assert len(function.encode_documents(["one"])) == 1
    server.then(fault, fault)
    with pytest.raises(kind) as caught:
        function.encode_documents(["one"])
    assert type(caught.value) is kind
    assert len(server.requests) == 4


@pytest.mark.parametrize("fault", [jina_server.silence, jina_server.drip, jina_server.drip_headers])
@pytest.mark.parametrize("patience", [{"deadline": 0.4}, {"timeout": 0.2, "deadline": 1.0}])
def test_a_slow_answer_is_given_up(
    make: Callable[..., Function],
    server: JinaServer,
    fault: jina_server.Fault,
    patience: dict[str, float],
) -> None:
    """However an answer is slow, the call ends in time."""
    server.then(fault, fault)
    start = time.monotonic()
    with pytest.raises(ApiConnectionError):
        make(**patience).encode_documents(["one"])
    assert time.monotonic() - start < 5


def test_a_later_batch_that_fails_gives_no_partial_result(
    make: Callable[..., Function], server: JinaServer
) -> None:
    """When the second of two requests fails, the call fails."""
    server.then(jina_server.changed(lambda answer: None), jina_server.refuse(422, {}))
    with pytest.raises(BadRequestError):
        make(batch_size=1).encode_documents(["one", "two"])


@pytest.mark.parametrize("encode", ["encode_documents", "encode_queries", "__call__"])
@pytest.mark.parametrize("texts", ["a text", b"bytes", None, ["a", None], ["\udc00"]])
def test_what_is_no_list_of_texts_is_refused(
    function: Function, server: JinaServer, encode: str, texts: Any
) -> None:
    """Bad input is an error of ours without a request."""
    with pytest.raises(InvalidInputError):
        getattr(function, encode)(texts)
    assert server.requests == []


def test_usage_adds_up(function: Function, server: JinaServer) -> None:
    """Requests and tokens of successful answers are counted."""
    function.encode_documents(["one"])
    function.encode_queries(["two"])
    assert function.usage.requests == 2
    assert function.usage.total_tokens > 0


LEAKS = [
    jina_server.refuse(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
    jina_server.refuse(500, {"detail": f"Bearer {KEY}"}),
    jina_server.reset,
    jina_server.cut,
    jina_server.raw(KEY.encode()),
]


@pytest.mark.parametrize("fault", LEAKS)
def test_no_error_and_no_log_holds_the_key(
    function: Function,
    server: JinaServer,
    fault: jina_server.Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error's text, chain, locals and pickle are free of the key, and so are debug logs."""
    caplog.set_level(logging.DEBUG)
    server.then(fault, fault)
    with pytest.raises(ApiError) as caught:
        function.encode_documents(["one"])
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(shown.format())
    assert KEY not in repr([vars(caught.value), vars(caught.value.__cause__ or caught.value)])
    assert KEY not in caplog.text
    assert KEY.encode() not in pickle.dumps(caught.value)


def test_a_wrong_key_is_refused_by_the_server(
    api: Api, make: Callable[..., Function], server: JinaServer
) -> None:
    """The server's 401, which quotes the key, becomes an error that does not."""
    function = api.function(api.model, "sk-wrong-key", base_url=server.base_url)
    with pytest.raises(AuthenticationError, match=api.variable) as caught:
        function.encode_documents(["one"])
    assert "sk-wrong-key" not in str(caught.value)


def test_a_pickle_holds_no_key_and_a_copy_keeps_it(
    api: Api, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a pickle is loaded the environment must have the key; a deep copy needs nothing."""
    vectors = function.encode_documents(["one"])
    assert KEY not in repr(function) + repr(vars(function))
    pickled = pickle.dumps(function)
    assert KEY.encode() not in pickled
    monkeypatch.delenv(api.variable, raising=False)
    np.testing.assert_array_equal(copy.deepcopy(function).encode_documents(["one"]), vectors)
    with pytest.raises(AuthenticationError, match=api.variable):
        pickle.loads(pickled).encode_documents(["one"])
    monkeypatch.setenv(api.variable, KEY)
    np.testing.assert_array_equal(pickle.loads(pickled).encode_documents(["one"]), vectors)


@pytest.mark.parametrize("key", [42, KEY.encode(), "", "two words"])
def test_what_cannot_be_a_key_is_refused(api: Api, key: Any) -> None:
    """A key of another type, or with signs that no header holds, is refused."""
    with pytest.raises(InvalidInputError):
        api.function(api.model, key)


# --- what is particular to one API


@pytest.fixture
def jina() -> Iterator[JinaServer]:
    """A Jina server."""
    with JinaServer() as server:
        yield server


TASKS = [
    ("jina-embeddings-v3", {}, ("retrieval.query", "retrieval.passage", "retrieval.passage")),
    (
        "jina-embeddings-v3",
        {"task": "retrieval.query"},
        ("retrieval.query", "retrieval.passage", "retrieval.query"),
    ),
    ("jina-embeddings-v3", {"task": "text-matching"}, ("text-matching",) * 3),
    ("jina-embeddings-v4", {"task": "code"}, ("code.query", "code.passage", "code.passage")),
    (
        "jina-embeddings-v4",
        {"query_task": "code.query"},
        ("code.query", "retrieval.passage", "retrieval.passage"),
    ),
    ("jina-embeddings-v5-text-small", {}, ("retrieval.query", *["retrieval.passage"] * 2)),
    ("jina-embeddings-v5-text-small", {"task": "clustering"}, ("clustering",) * 3),
    ("jina-code-embeddings-0.5b", {}, ("nl2code.query", "nl2code.passage", "nl2code.passage")),
    (
        "jina-code-embeddings-1.5b",
        {"task": "code2code.passage"},
        ("code2code.query", "code2code.passage", "code2code.passage"),
    ),
    ("jina-embeddings-v2-base-code", {}, (None, None, None)),
    ("jina-embeddings-v2-base-code", {"document_task": "x"}, (None, "x", "x")),
    ("jina-of-the-future", {"query_task": "a.b", "document_task": "c"}, ("a.b", "c", "c")),
]


@pytest.mark.parametrize(("model", "arguments", "tasks"), TASKS)
def test_jina_tells_queries_from_documents(
    jina: JinaServer, model: str, arguments: dict[str, Any], tasks: tuple[str | None, ...]
) -> None:
    """The pair of tasks follows from the model or from `task=`, or is said."""
    function = JinaEmbeddingFunction(model, KEY, dimensions=8, base_url=jina.base_url, **arguments)
    function.encode_queries(["one"])
    function.encode_documents(["one"])
    function(["one"])
    assert tuple(request.payload.get("task") for request in jina.requests) == tasks


def test_jina_takes_options_of_which_nothing_is_known_here(jina: JinaServer) -> None:
    """`options=` reaches every request, and late chunking the documents alone."""
    options = {"truncate": True, "future": [1], "late_chunking": True}
    function = JinaEmbeddingFunction("m", KEY, options=options, base_url=jina.base_url)
    function.encode_documents(["one"])
    function.encode_queries(["one"])
    first, second = (request.payload for request in jina.requests)
    assert (first["truncate"], first["future"], first["late_chunking"]) == (True, [1], True)
    assert (second["truncate"], second.get("late_chunking")) == (True, None)


def test_jina_late_chunking_keeps_a_document_in_one_request(jina: JinaServer) -> None:
    """`late_chunking` is sent with documents; more texts than one request holds are refused."""
    function = JinaEmbeddingFunction(
        "m", KEY, late_chunking=True, base_url=jina.base_url, batch_size=2
    )
    function.encode_documents(["one", "two"])
    assert jina.requests[0].payload["late_chunking"] is True
    with pytest.raises(InvalidInputError, match="one document"):
        function.encode_documents(["one", "two", "three"])
    function.encode_queries(["one", "two", "three"])
    assert [len(request.payload["input"]) for request in jina.requests] == [2, 2, 1]


def test_openai_requests_stay_within_the_token_limit() -> None:
    """Texts of 700 kB in all are split so that no request exceeds 300,000 tokens."""
    with OpenAIServer() as server:
        function = OpenAIEmbeddingFunction("m", KEY, server.base_url, dimensions=4)
        texts = [f"{number:03}" + "é" * 500 for number in range(700)]
        vectors = function.encode_documents(texts)
        assert len(server.requests) == 3
    wanted = np.array([jina_server.vector(text, None, 4) for text in texts], dtype=np.float32)
    np.testing.assert_array_equal(vectors, wanted)


def test_openai_refuses_an_empty_text_before_sending() -> None:
    """The API refuses empty inputs, so the function names the place and sends nothing."""
    with OpenAIServer() as server:
        function = OpenAIEmbeddingFunction("m", KEY, server.base_url, dimensions=4)
        with pytest.raises(InvalidInputError, match=r"documents\[1\] is empty"):
            function.encode_documents(["one", ""])
        assert server.requests == []


@given(st.lists(st.text(max_size=9)), st.integers(1, 5), st.integers(1, 20))
def test_requests_keep_order_and_limits(texts: list[str], most: int, most_bytes: int) -> None:
    """Requests hold the texts in order; none is empty, and only a lone text exceeds the bytes."""
    made, start = [], 0
    while start < len(texts):
        end = PartLimit(most, most_bytes).end(texts, start, most)
        made.append(texts[start:end])
        start = end
    assert [text for batch in made for text in batch] == texts
    for batch in made:
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or len("".join(batch).encode()) <= most_bytes
