"""The HTTP client against a local server: every fault ends in the right error or a right result."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from hybridge.web_api.client import WebApi, address_of
from hybridge.web_api.errors import detail_of
from hybridge.web_api.options import ApiOptions
from hybridge.web_api.retry import Failure, RetryPolicy, seconds_to_wait
from hybridge.web_api.retry_after import seconds_in, seconds_until
from hybridge.web_api.services import SERVICES
from support import jina_server
from support.jina_server import KEY, JinaServer

DOCUMENTS = ["an apple", "a red apple", "a pear", "an apple and a pear"]
HASTY: ApiOptions = {"timeout": 2.0, "deadline": 10.0, "max_retries": 2, "backoff": 0.01}


@pytest.fixture
def server() -> Iterator[JinaServer]:
    """A Jina server without faults."""
    with JinaServer() as server:
        yield server


def client(key: str | None, base_url: str | None = None, options: ApiOptions = HASTY) -> WebApi:
    """Return a client of Jina's API, at its own address or another one."""
    return WebApi(SERVICES["jina"].at(base_url), key, options)


@pytest.fixture
def api(server: JinaServer) -> WebApi:
    """A client that knows the server's key and retries at once."""
    return client(KEY, server.base_url)


def rerank(api: WebApi, query: str = "red apple") -> list[float]:
    """Score the four documents."""
    payload = {"model": "jina-reranker", "query": query, "documents": DOCUMENTS}
    return api.post("/rerank", payload).scores(len(DOCUMENTS), "results", "relevance_score")


SCORES = [0.5, 1.0, 0.0, 0.5]


def shown(error: BaseException) -> str:
    """Return all that an error reporter could print: the chain, with the locals of all frames."""
    parts = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    chain: list[BaseException] = [error]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    return "".join(parts) + repr([(link, vars(link)) for link in chain])


def test_scores_come_in_the_order_of_the_documents(api: WebApi) -> None:
    """The API sorts by score; the client gives one score per document, in the documents' order."""
    assert rerank(api) == SCORES


@pytest.mark.parametrize("shape", ["absent", "object", "string"])
def test_documents_in_the_answer_change_nothing(
    api: WebApi, server: JinaServer, shape: str
) -> None:
    """Results may carry no document, an object or a string."""
    server.returns_documents = shape
    assert rerank(api) == SCORES


def test_usage_adds_up(api: WebApi, server: JinaServer) -> None:
    """Tokens and requests of all successful answers are counted; an answer may leave usage out."""
    server.then(jina_server.changed(lambda answer: answer.pop("usage") and None))
    rerank(api)
    rerank(api)
    rerank(api)
    assert (api.usage.requests, api.usage.total_tokens) == (3, 14)


REFUSALS: list[tuple[int, object, type[ApiError], str]] = [
    (401, {"detail": "Unauthorized"}, AuthenticationError, "Check the key"),
    (403, {"detail": "Forbidden"}, AuthenticationError, "Check the key"),
    (402, {"detail": "Payment required"}, RateLimitError, "top it up"),
    (403, {"code": "AUTHZ_INSUFFICIENT_BALANCE"}, RateLimitError, "top it up"),
    (404, {"detail": "No such model"}, BadRequestError, "No such model"),
    (422, {"detail": "top_n is too large"}, BadRequestError, "top_n is too large"),
    (
        422,
        {"detail": [{"loc": ["body", "documents"], "msg": "field required"}, {"msg": "and more"}]},
        BadRequestError,
        "body.documents: field required; and more",
    ),
    (422, {"detail": {"message": "wrong model", "code": 7}}, BadRequestError, "wrong model"),
]


@pytest.mark.parametrize(("status", "body", "kind", "said"), REFUSALS)
def test_a_refusal_is_raised_at_once(
    api: WebApi,
    server: JinaServer,
    status: int,
    body: object,
    kind: type[ApiError],
    said: str,
) -> None:
    """A refusal is not repeated; its error has status, request id, the API's words and a cure."""
    server.then(jina_server.refuse(status, body))
    with pytest.raises(kind, match=said) as caught:
        rerank(api)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.request_id) == (status, "req-42")
    assert "req-42" in str(caught.value)
    assert len(server.requests) == 1


PASSING_FAULTS = [
    pytest.param(jina_server.refuse(500, {"detail": "oops"}), ServerError, id="500"),
    pytest.param(jina_server.html(502), ServerError, id="html-502"),
    pytest.param(jina_server.refuse(503, {}), ServerError, id="503"),
    pytest.param(jina_server.reset, ApiConnectionError, id="reset"),
    pytest.param(jina_server.cut, ApiConnectionError, id="cut-body"),
]


@pytest.mark.parametrize(("fault", "kind"), PASSING_FAULTS)
def test_a_passing_fault_is_outlasted(
    api: WebApi, server: JinaServer, fault: jina_server.Fault, kind: type[ApiError]
) -> None:
    """After as many faults as there are retries, the next answer counts."""
    server.then(fault, fault)
    assert rerank(api) == SCORES
    assert len(server.requests) == 3


@pytest.mark.parametrize(("fault", "kind"), PASSING_FAULTS)
def test_a_lasting_fault_is_raised(
    api: WebApi, server: JinaServer, fault: jina_server.Fault, kind: type[ApiError]
) -> None:
    """One fault more than there are retries is raised, as its own kind."""
    server.then(fault, fault, fault)
    with pytest.raises(kind) as caught:
        rerank(api)
    assert type(caught.value) is kind
    assert len(server.requests) == 3


def test_a_limit_of_requests_is_outlasted_until_the_deadline(
    api: WebApi, server: JinaServer
) -> None:
    """After 429 the deadline rules, and not the number of retries."""
    server.then(*[jina_server.refuse(429, {"detail": "slow down"})] * 5)
    assert rerank(api) == SCORES
    assert len(server.requests) == 6


def test_a_limit_of_requests_that_lasts_is_raised_at_the_deadline(server: JinaServer) -> None:
    """When the time is up, the error is that of the last try; without retries, of the first."""
    server.then(*[jina_server.refuse(429, {})] * 50)
    with pytest.raises(RateLimitError):
        rerank(client(KEY, server.base_url, {"deadline": 0.5, "backoff": 0.01}))
    tried = len(server.requests)
    assert tried > 2
    with pytest.raises(RateLimitError):
        rerank(client(KEY, server.base_url, {"max_retries": 0}))
    assert len(server.requests) == tried + 1


def test_an_account_without_quota_is_not_waited_for(api: WebApi, server: JinaServer) -> None:
    """OpenAI says 429 of it too, and no time cures it."""
    server.then(jina_server.refuse(429, {"error": {"message": "x", "code": "insufficient_quota"}}))
    with pytest.raises(RateLimitError, match="top it up"):
        rerank(api)
    assert len(server.requests) == 1


def test_html_is_quoted_as_text(api: WebApi, server: JinaServer) -> None:
    """What a proxy says in HTML is quoted without its tags."""
    server.then(*[jina_server.html(502)] * 3)
    with pytest.raises(ServerError, match="HTTP 502: 502 502 Bad Gateway") as caught:
        rerank(api)
    assert caught.value.status == 502


def test_no_server_is_a_connection_error() -> None:
    """Where nothing listens, the error names the address and has no status."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    api = client(KEY, f"http://127.0.0.1:{port}")
    with pytest.raises(ApiConnectionError, match=f"127.0.0.1:{port}.*refused") as caught:
        rerank(api)
    assert caught.value.status is None


def test_retry_after_in_seconds_is_waited_out(api: WebApi, server: JinaServer) -> None:
    """`Retry-After: 0.3` is a wait of at least 0.3 s."""
    server.then(jina_server.refuse(429, {}, retry_after="0.3"))
    start = time.monotonic()
    assert rerank(api) == SCORES
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({}, {"retry_after_ms": "300", "retry_after": "60"}),
        ({"error": {"message": "Rate limit reached. Please try again in 300ms."}}, {}),
        ({"error": {"details": [{"retryDelay": "0.3s"}]}}, {}),
    ],
)
def test_a_wait_in_milliseconds_or_in_words_is_waited_out(
    api: WebApi, server: JinaServer, body: object, headers: dict[str, str]
) -> None:
    """`retry-after-ms` comes before `Retry-After`, and the text of the error says it too."""
    server.then(jina_server.refuse(429, body, **headers))
    start = time.monotonic()
    assert rerank(api) == SCORES
    assert 0.3 <= time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 8s.", 8.0),
        ("Please try again in 8.64s. Visit https://x.", 8.64),
        ("Please try again in 20ms.", 0.02),
        ("try again in 1m30s", 90.0),
        ("try again in 6m0s", 360.0),
        ("try again in 1h2m", 3720.0),
        ("Please retry after 8 seconds.", 8.0),
        ("Please retry in 34.07s.", 34.07),
        ("try again in 2 minutes", 120.0),
        ('"retryDelay": "34s"', 34.0),
        ("try again later", None),
        ("try again in 5 steps", None),
        ("", None),
    ],
)
def test_words_say_how_long_to_wait(text: str, seconds: float | None) -> None:
    """The phrases of OpenAI, Azure and Gemini."""
    assert seconds_in(text) == (seconds if seconds is None else pytest.approx(seconds))


def test_retry_after_as_a_date_is_waited_out(api: WebApi, server: JinaServer) -> None:
    """A date two seconds ahead (dates have whole seconds) is a wait of more than half a second."""
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)
    server.then(jina_server.refuse(503, {}, retry_after=date))
    start = time.monotonic()
    assert rerank(api) == SCORES
    assert time.monotonic() - start > 0.5


def test_retry_after_beyond_the_deadline_is_not_waited_for(api: WebApi, server: JinaServer) -> None:
    """When the API asks for more time than there is, the error comes at once."""
    server.then(jina_server.refuse(429, {}, retry_after="3600"))
    start = time.monotonic()
    with pytest.raises(RateLimitError):
        rerank(api)
    assert time.monotonic() - start < 5
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "policy"),
    [
        pytest.param(
            jina_server.silence,
            {"timeout": 0.2, "deadline": 10.0, "max_retries": 1},
            id="headers-timeout",
        ),
        pytest.param(
            jina_server.silence,
            {"timeout": 9.0, "deadline": 0.3, "max_retries": 1},
            id="headers-deadline",
        ),
        pytest.param(
            jina_server.drip, {"timeout": 2.0, "deadline": 0.3, "max_retries": 1}, id="slow-body"
        ),
        pytest.param(
            jina_server.drip_headers,
            {"timeout": 2.0, "deadline": 0.3, "max_retries": 1},
            id="slow-headers",
        ),
    ],
)
def test_a_slow_answer_is_given_up(
    server: JinaServer, fault: jina_server.Fault, policy: ApiOptions
) -> None:
    """However an answer is slow, the call ends in time."""
    server.then(fault, fault)
    start = time.monotonic()
    with pytest.raises(ApiConnectionError, match="timeout= and deadline="):
        rerank(client(KEY, server.base_url, {**policy, "max_retries": 1}))
    assert time.monotonic() - start < 5


def results(change: Callable[[list[dict[str, Any]]], object]) -> jina_server.Fault:
    """Alter the list of results in place."""
    return jina_server.changed(lambda answer: change(answer["results"]) and None)


MALFORMED = [
    pytest.param(jina_server.raw(b'{"results": [{"index": 0, "relev'), id="truncated-json"),
    pytest.param(jina_server.raw(b"<html>all is well</html>"), id="html-200"),
    pytest.param(jina_server.raw(b""), id="empty"),
    pytest.param(jina_server.raw(b"\xff\xfe"), id="binary"),
    pytest.param(jina_server.raw(b"[" * 100_000), id="too-deep"),
    pytest.param(jina_server.raw(b"[]"), id="list"),
    pytest.param(jina_server.changed(lambda answer: {"usage": {}}), id="missing-results"),
    pytest.param(jina_server.changed(lambda answer: {"results": None}), id="null-results"),
    pytest.param(jina_server.changed(lambda answer: {"results": [1, 2, 3, 4]}), id="no-objects"),
    pytest.param(results(lambda found: found.pop()), id="missing-index"),
    pytest.param(results(lambda found: found.append(found[0])), id="extra-duplicate"),
    pytest.param(results(lambda found: found[0].update(index=0)), id="duplicate"),
    pytest.param(results(lambda found: found[0].update(index=4)), id="index-too-large"),
    pytest.param(results(lambda found: found[0].update(index=-1)), id="index-negative"),
    pytest.param(results(lambda found: found[0].update(index=True)), id="index-bool"),
    pytest.param(results(lambda found: found[0].update(index="1")), id="index-string"),
    pytest.param(results(lambda found: found[0].pop("index")), id="index-absent"),
    pytest.param(results(lambda found: found[0].update(relevance_score=np.nan)), id="nan"),
    pytest.param(results(lambda found: found[0].update(relevance_score=np.inf)), id="infinity"),
    pytest.param(results(lambda found: found[0].update(relevance_score=10**400)), id="huge"),
    pytest.param(results(lambda found: found[0].update(relevance_score="0.9")), id="string-score"),
    pytest.param(results(lambda found: found[0].update(relevance_score=None)), id="null-score"),
    pytest.param(results(lambda found: found[0].pop("relevance_score")), id="score-absent"),
]


@pytest.mark.parametrize("fault", MALFORMED)
def test_an_answer_that_contradicts_itself_is_refused(
    api: WebApi, server: JinaServer, fault: jina_server.Fault
) -> None:
    """A success with an unusable body is an error with status and request id, not a result."""
    server.then(fault)
    with pytest.raises(MalformedAnswerError, match="cannot be trusted") as caught:
        rerank(api)
    assert (caught.value.status, caught.value.request_id) == (200, "req-42")
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed(api: WebApi, server: JinaServer) -> None:
    """A redirect, which would turn the POST into a GET and carry the key on, is an error."""
    server.then(jina_server.refuse(302, {}, location=server.base_url + "/rerank"))
    with pytest.raises(BadRequestError, match="base_url"):
        rerank(api)
    assert len(server.requests) == 1


# --- the key


def test_the_key_comes_from_the_argument_then_from_either_variable(
    server: JinaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`api_key=` comes first, then `JINA_API_KEY`, then pymilvus.model's `JINAAI_API_KEY`."""
    monkeypatch.setenv("JINAAI_API_KEY", KEY)
    monkeypatch.delenv("JINA_API_KEY", raising=False)
    assert rerank(client(None, server.base_url)) == SCORES
    monkeypatch.setenv("JINA_API_KEY", "another")
    with pytest.raises(AuthenticationError):
        rerank(client(None, server.base_url))
    assert rerank(client(f" {KEY}\n", server.base_url)) == SCORES


def test_no_key_is_an_error_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the constructor names both variables and the place to get one."""
    monkeypatch.delenv("JINA_API_KEY", raising=False)
    monkeypatch.delenv("JINAAI_API_KEY", raising=False)
    with pytest.raises(
        AuthenticationError, match=r"JINA_API_KEY or JINAAI_API_KEY.*https://jina.ai"
    ):
        client(None)


@pytest.mark.parametrize("key", [42, KEY.encode(), "", "two words", "line\nbreak", "clé", ["a"]])
def test_what_cannot_be_a_key_is_refused_without_being_shown(key: Any) -> None:
    """A key of another type, or with signs that no header holds, is refused and not quoted."""
    with pytest.raises(InvalidInputError) as caught:
        client(key)
    assert not key or str(key) not in str(caught.value)


FAULTS_THAT_RAISE = [
    jina_server.refuse(401, {"detail": f"Invalid API key: {KEY}"}),
    jina_server.refuse(422, {"detail": [{"msg": "bad", "input": KEY}]}),
    jina_server.refuse(500, {"detail": f"Bearer {KEY}"}),
    jina_server.reset,
    jina_server.cut,
    jina_server.raw(KEY.encode()),
]


@pytest.mark.parametrize("fault", FAULTS_THAT_RAISE)
def test_no_error_and_no_log_holds_the_key(
    server: JinaServer, fault: jina_server.Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """An error's text, chain, locals and pickle are free of the key, and so are debug logs."""
    caplog.set_level(logging.DEBUG)
    api = client(KEY, server.base_url)
    server.then(fault, fault, fault)
    with pytest.raises(ApiError) as caught:
        rerank(api)
    assert KEY not in shown(caught.value)
    assert KEY not in caplog.text
    assert KEY.encode() not in pickle.dumps(caught.value)


def test_a_malformed_answer_that_holds_the_key_is_not_quoted_with_it(
    api: WebApi, server: JinaServer
) -> None:
    """What an error quotes of an answer has the key taken out."""
    server.then(results(lambda found: found[0].update(index=KEY)))
    with pytest.raises(MalformedAnswerError, match=r"index '\[key\]'"):
        rerank(api)


def test_nothing_shown_of_a_client_holds_the_key(api: WebApi) -> None:
    """No attribute of the client, at any depth, prints the key."""
    seen = io.StringIO()
    waiting: list[object] = [api]
    while waiting:
        thing = waiting.pop()
        seen.write(repr(thing) + repr(getattr(thing, "__dict__", {})))
        if type(thing).__module__.startswith(("hybridge", "requests")):
            waiting.extend(vars(thing).values() if hasattr(thing, "__dict__") else [])
    assert KEY not in seen.getvalue()
    assert "hidden" in seen.getvalue()


def test_a_pickle_holds_no_key_and_reads_the_environment(
    api: WebApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickled client works where the environment has the key, and says so where it has none."""
    pickled = pickle.dumps(api)
    assert KEY.encode() not in pickled
    monkeypatch.setenv("JINA_API_KEY", KEY)
    assert rerank(pickle.loads(pickled)) == SCORES
    monkeypatch.delenv("JINA_API_KEY")
    monkeypatch.delenv("JINAAI_API_KEY", raising=False)
    without = pickle.loads(pickled)
    with pytest.raises(AuthenticationError, match="JINA_API_KEY"):
        rerank(without)


def test_a_copy_in_the_same_process_keeps_the_key(api: WebApi) -> None:
    """Frameworks deep-copy what they are given; a copy made here works as the original does."""
    assert rerank(copy.deepcopy(api)) == rerank(copy.copy(api)) == SCORES


def test_errors_survive_pickling(api: WebApi, server: JinaServer) -> None:
    """An error that crosses a process boundary keeps kind, text, status and request id."""
    server.then(jina_server.refuse(422, {"detail": "no"}))
    with pytest.raises(BadRequestError) as caught:
        rerank(api)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert type(copied) is BadRequestError
    assert (str(copied), copied.status, copied.request_id) == (str(caught.value), 422, "req-42")


def test_a_short_key_is_no_secret(server: JinaServer) -> None:
    """Words like "no", which local servers are given for a key, are not taken out of errors."""
    server.then(jina_server.refuse(404, {"detail": "unknown model not found"}))
    server.key = "no"
    with pytest.raises(BadRequestError, match="unknown model not found"):
        rerank(client("no", server.base_url))


def test_a_key_is_taken_out_before_an_error_is_cut(api: WebApi, server: JinaServer) -> None:
    """No half of the key stays where a long text is shortened."""
    server.then(jina_server.refuse(422, {"detail": "x" * 280 + KEY}))
    with pytest.raises(BadRequestError) as caught:
        rerank(api)
    assert KEY[:6] not in str(caught.value)


def test_headers_are_sent_and_as_hidden_as_the_key(server: JinaServer) -> None:
    """`default_headers` may carry the key; they are in no repr, no error and no pickle."""
    headers = {"default_headers": {"authorization": f"Bearer {KEY}"}}
    api = client(None, server.base_url, {**HASTY, **headers})  # type: ignore[typeddict-item]
    del headers  # a reporter shows the locals of every frame
    assert rerank(api) == SCORES
    server.then(jina_server.refuse(422, {"detail": KEY}))
    with pytest.raises(BadRequestError) as caught:
        rerank(api)
    pickled = pickle.dumps(api)
    assert KEY not in shown(caught.value) + repr(vars(api))
    assert KEY.encode() not in pickled
    with pytest.raises(AuthenticationError, match="make the function anew"):
        rerank(pickle.loads(pickled))


@pytest.mark.parametrize(
    "headers", ["x", 3, ["a"], {"a b": "c"}, {"a": "b\r\nc: d"}, {"a": 1}, {1: "a"}, {"é": "a"}]
)
def test_what_are_no_headers_is_refused(headers: Any) -> None:
    """`default_headers` maps names to strings that HTTP can send."""
    with pytest.raises(InvalidInputError, match="default_headers"):
        client(KEY, None, {"default_headers": headers})


# --- the rest


@pytest.mark.parametrize(
    ("base_url", "path", "address"),
    [
        ("http://h:8080", "/v1/embeddings", "http://h:8080/v1/embeddings"),
        ("http://h:8080/v1/", "/v1/embeddings", "http://h:8080/v1/embeddings"),
        ("http://h/v1", "/embeddings", "http://h/v1/embeddings"),
        ("http://h/v1/embeddings", "/embeddings", "http://h/v1/embeddings"),
        ("http://h/openai/v1", "/openai/v1/embeddings", "http://h/openai/v1/embeddings"),
        ("http://h/openai", "/openai/v1/embeddings", "http://h/openai/v1/embeddings"),
    ],
)
def test_an_address_is_not_doubled(base_url: str, path: str, address: str) -> None:
    """However much of it an address already holds, a request goes to the endpoint."""
    assert address_of(base_url, path) == address


def test_threads_share_a_client(api: WebApi, server: JinaServer) -> None:
    """Concurrent calls get each their own right answer, and all are counted."""
    queries = [DOCUMENTS[number % 4] for number in range(40)]
    expected = [rerank(api, query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda query: rerank(api, query), queries))
    assert found == expected
    assert api.usage.requests == 80


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.jina.ai",
        "ftp://api.jina.ai",
        "http://[bad",
        "http://",
        "http://a:b/v1",
        "http://a?b",
    ],
)
def test_what_is_no_address_is_refused(base_url: Any) -> None:
    """`base_url` must be an HTTP address."""
    with pytest.raises(InvalidInputError, match="base_url"):
        client(KEY, base_url)


@pytest.mark.parametrize("base_url", ["http://user:secret@host", "user:secret@host"])
def test_a_password_in_the_address_is_refused_without_being_shown(base_url: str) -> None:
    """`base_url` holds no password, and the error does not quote one."""
    with pytest.raises(InvalidInputError, match="no password") as caught:
        client(KEY, base_url)
    assert "secret" not in str(caught.value)


def test_an_address_that_only_fails_at_the_socket_is_not_retried() -> None:
    """A host that no resolver can be asked for is an error of ours, at once."""
    api = client(KEY, "http://a..b:80", {"deadline": 60.0, "max_retries": 5, "backoff": 5.0})
    start = time.monotonic()
    with pytest.raises(ApiConnectionError):
        rerank(api)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": 0},
        {"timeout": (1.0, 2.0, 3.0)},
        {"timeout": (1.0, -1.0)},
        {"timeout": "5"},
        {"deadline": float("nan")},
        {"deadline": True},
        {"deadline": 10**400},
        {"deadline": 1e9},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"backoff": -0.1},
    ],
)
def test_impossible_waits_are_refused(arguments: dict[str, Any]) -> None:
    """Timeouts and retries must be finite and not negative."""
    with pytest.raises(InvalidInputError, match=next(iter(arguments))):
        RetryPolicy(**arguments)


@given(st.integers(0, 9), st.none() | st.floats(0, 100))
def test_waits_grow_and_never_undercut_the_api(retries: int, asked: float | None) -> None:
    """A wait lies within half of its doubling back-off, and is never shorter than was asked for."""
    failure = Failure(RateLimitError("slow down"), temporary=True, retry_after=asked)
    wait = seconds_to_wait(failure, retries, backoff=1.0)
    full = min(2.0**retries, 20.0)
    if asked is None:
        assert full / 2 <= wait <= full
    else:
        assert asked <= wait <= asked + 1


def test_a_server_at_its_limit_is_not_hammered() -> None:
    """Without any back-off there is a tenth of a second between two tries after 429."""
    assert seconds_to_wait(Failure(RateLimitError("x"), limited=True), 0, backoff=0.0) == 0.1


@given(st.integers(0, 10**6))
def test_retry_after_reads_its_two_forms(seconds: int) -> None:
    """Seconds and the date that lies as far ahead mean the same; a date in the past means now."""
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    date = format_datetime(now + timedelta(seconds=seconds), usegmt=True)
    assert seconds_until(str(seconds), now) == seconds_until(date, now) == seconds
    assert seconds_until(format_datetime(now - timedelta(seconds=seconds)), now) == 0


@pytest.mark.parametrize("header", ["", "soon", "-5", "Mon, 99 Foo 2026", "nan", "inf"])
def test_retry_after_that_says_nothing_is_ignored(header: str) -> None:
    """A header that is neither a number nor a date gives no wait."""
    assert seconds_until(header, datetime.now(timezone.utc)) is None


NAMES = st.sampled_from(["detail", "loc", "msg", "code"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_error_body_can_be_quoted(body: bytes) -> None:
    """Whatever an error body holds, its quotation is one line of bounded length."""
    said = detail_of(body)
    assert len(said) <= 301
    assert "\n" not in said
