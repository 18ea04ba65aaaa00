"""`JinaRerankFunction`: the documents that a user gave, best first."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge import JinaRerankFunction, RerankResult
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from support.examples import examples
from support.jina_server import KEY, JinaServer

QUERY = "What event in 1956 marked the official birth of artificial intelligence as a discipline?"
DOCUMENTS = [
    "In 1950, Alan Turing published his seminal paper on computing machinery.",
    "The Dartmouth Conference in 1956 is considered the birthplace of artificial intelligence.",
    "In 1951, Marvin Minsky and Dean Edmonds built a machine that learned.",
    "In 1958, John McCarthy introduced the programming language LISP.",
]
SCORES = dict(zip(DOCUMENTS, [0.349866, 0.937096, 0.272896, 0.354210], strict=True))


@pytest.fixture
def server() -> Iterator[JinaServer]:
    """A Jina server that gives the four documents the scores that the real API gave them."""
    with JinaServer() as server:
        server.scores = SCORES
        yield server


@pytest.fixture
def rf(server: JinaServer) -> JinaRerankFunction:
    """A function that asks the server."""
    return JinaRerankFunction(api_key=KEY, base_url=server.base_url, backoff=0.01)


@pytest.mark.parametrize("shape", ["absent", "object", "string"])
def test_documents_come_back_best_first(
    rf: JinaRerankFunction, server: JinaServer, shape: str
) -> None:
    """Four results with scores, texts and places, whether or not the answer carries documents."""
    server.returns_documents = shape
    assert rf(QUERY, DOCUMENTS) == [
        RerankResult(DOCUMENTS[1], 0.937096, 1),
        RerankResult(DOCUMENTS[3], 0.354210, 3),
        RerankResult(DOCUMENTS[0], 0.349866, 0),
        RerankResult(DOCUMENTS[2], 0.272896, 2),
    ]


def test_texts_are_the_callers_own(rf: JinaRerankFunction, server: JinaServer) -> None:
    """A result's text is the document given, even if the API sends another one back."""
    from support.jina_server import changed

    server.then(
        changed(lambda answer: [r.update(document="changed") for r in answer["results"]] and None)
    )
    assert rf(QUERY, DOCUMENTS, top_k=1)[0].text == DOCUMENTS[1]


def test_calling_it_as_pymilvus_model_does(server: JinaServer) -> None:
    """Model and key may be given by position; the model is the one that is asked."""
    rf = JinaRerankFunction("jina-reranker-v1", KEY, base_url=server.base_url)
    assert len(rf(query=QUERY, documents=DOCUMENTS, top_k=3)) == 3
    assert server.requests[0].payload["model"] == "jina-reranker-v1"
    assert isinstance(rf, RerankFunction)


def test_no_documents_need_no_request(rf: JinaRerankFunction, server: JinaServer) -> None:
    """An empty list gives an empty list, and nothing is sent."""
    assert rf(QUERY, []) == []
    assert server.requests == []


def test_equal_scores_keep_the_documents_order(rf: JinaRerankFunction, server: JinaServer) -> None:
    """Of documents with one score, the earlier one comes first."""
    server.scores = {"a": 0.5, "b": 0.5, "c": 0.9}
    assert [result.index for result in rf(QUERY, ["a", "b", "a", "c"])] == [3, 0, 1, 2]


@pytest.mark.parametrize(
    ("query", "documents", "top_k"),
    [
        (QUERY, DOCUMENTS, 0),
        (QUERY, DOCUMENTS, -1),
        (QUERY, DOCUMENTS, 2.0),
        (QUERY, DOCUMENTS, True),
        (QUERY, DOCUMENTS, None),
        (QUERY, "one text", 5),
        (QUERY, [b"bytes"], 5),
        (QUERY, [None], 5),
        (QUERY, ["\ud800"], 5),
        (QUERY, None, 5),
        (None, DOCUMENTS, 5),
        (" ", DOCUMENTS, 5),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    rf: JinaRerankFunction, server: JinaServer, query: Any, documents: Any, top_k: Any
) -> None:
    """A wrong query, document or `top_k` is an error of ours without a request."""
    with pytest.raises(InvalidInputError):
        rf(query, documents, top_k)
    assert server.requests == []


@pytest.mark.parametrize("batch_size", [0, 2049, 1.5, True])
def test_a_batch_that_the_api_would_refuse_is_refused(batch_size: Any) -> None:
    """`batch_size` lies within the API's limit."""
    with pytest.raises(InvalidInputError, match="from 1 to 2048"):
        JinaRerankFunction(api_key=KEY, batch_size=batch_size)


def test_usage_is_reported(rf: JinaRerankFunction) -> None:
    """The function counts its requests and tokens."""
    rf(QUERY, DOCUMENTS)
    assert (rf.usage.requests, rf.usage.total_tokens) == (1, 7)


def test_the_key_is_in_neither_repr_nor_pickle(
    rf: JinaRerankFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pickled function finds its key in the environment; a copy in this process keeps it."""
    assert KEY not in repr(rf) + repr(vars(rf))
    pickled = pickle.dumps(rf)
    assert KEY.encode() not in pickled
    monkeypatch.setenv("JINAAI_API_KEY", KEY)
    monkeypatch.delenv("JINA_API_KEY", raising=False)
    assert pickle.loads(pickled)(QUERY, DOCUMENTS) == copy.deepcopy(rf)(QUERY, DOCUMENTS)


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    scores=st.lists(st.floats(0, 1), min_size=1, max_size=12),
    batch_size=st.integers(1, 5),
    top_k=st.integers(1, 15),
)
def test_splitting_changes_no_ranking(
    server: JinaServer, scores: list[float], batch_size: int, top_k: int
) -> None:
    """Whatever the batch size, the result is the `top_k` best of all documents."""
    documents = [f"document {place}" for place in range(len(scores))]
    server.scores = dict(zip(documents, scores, strict=True))
    rf = JinaRerankFunction(api_key=KEY, base_url=server.base_url, batch_size=batch_size)
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))[:top_k]
    expected = [RerankResult(documents[place], scores[place], place) for place in order]
    assert rf("any", documents, top_k) == expected
