"""Every provider's rerank API, each as a local server that refuses what the real one refuses."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from hybridge.errors import AuthenticationError, BadRequestError
from hybridge.protocols import RerankFunction
from hybridge.registry import rerank_function
from hybridge.reranker.presets import PRESETS
from support.jina_server import KEY, refuse
from support.provider_servers import LONGEST, RERANK, ProviderServer, forget_keys

QUERY = "red apple"
DOCUMENTS = ["an apple", "a red apple", "a pear", "an apple and a pear"]


@pytest.fixture(params=RERANK)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each wire in turn, with no key in the environment."""
    forget_keys(monkeypatch, [preset.service for preset in PRESETS.values()])
    return str(request.param)


@pytest.fixture
def server(name: str) -> Iterator[ProviderServer]:
    """Its server."""
    with ProviderServer(RERANK[name]) as server:
        yield server


def make(name: str, server: ProviderServer, **options: Any) -> RerankFunction:
    """Return the function that asks the server, with a key where it wants one."""
    return rerank_function(f"{name}/a-model", **{**server.options, **options})


def test_every_preset_is_in_the_matrix() -> None:
    """A provider without a wire here is one whose format nobody has checked."""
    assert set(PRESETS) == set(RERANK)


def test_documents_come_back_best_first(name: str, server: ProviderServer) -> None:
    """Scores are those of the documents, whatever order and names the answer has."""
    results = make(name, server)(QUERY, DOCUMENTS, top_k=3)
    found = [(result.index, result.score, result.text) for result in results]
    assert found == [(i, s, DOCUMENTS[i]) for i, s in [(1, 1.0), (0, 0.5), (3, 0.5)]]
    assert len(server.requests) == 1


def test_long_lists_are_cut_and_merged(name: str, server: ProviderServer) -> None:
    """As the preset says it, so that nothing is refused."""
    documents = [f"apple {number}" for number in range(2_100)]
    server.scores = {text: number / 2_100 for number, text in enumerate(documents)}
    results = make(name, server)(QUERY, documents, top_k=2_100)
    assert [result.index for result in results] == list(range(2_099, -1, -1))
    assert all(
        len(request.payload[server.wire.documents]) <= server.most  # type: ignore[union-attr]
        for request in server.requests
    )


def test_a_smaller_limit_is_learned(name: str, server: ProviderServer) -> None:
    """A server that takes three at once is asked for three."""
    server.most = 3
    assert [result.index for result in make(name, server)(QUERY, DOCUMENTS)] == [1, 0, 3, 2]


def test_one_document_that_is_too_long_is_named(name: str, server: ProviderServer) -> None:
    """Its place is found, and the provider's own words are kept."""
    documents = [*DOCUMENTS, "x" * (LONGEST + 1), "a pear"]
    with pytest.raises(BadRequestError, match=r"documents\[4\] was refused.*512 tokens"):
        make(name, server)(QUERY, documents)


def test_a_limit_of_requests_is_waited_out(name: str, server: ProviderServer) -> None:
    """429 with milliseconds, more often than there are retries."""
    server.then(*[refuse(429, {"error": "slow down"}, retry_after_ms="20")] * 3)
    assert len(make(name, server)(QUERY, DOCUMENTS)) == 4


def test_a_key_is_asked_for_by_the_providers_own_names(name: str, server: ProviderServer) -> None:
    """Without a key a 401 names the variables."""
    server.header = "Authorization"
    with pytest.raises(AuthenticationError) as caught:
        make(name, server, api_key=None)(QUERY, DOCUMENTS)
    assert all(variable in str(caught.value) for variable in PRESETS[name].service.variables)


def test_a_pickled_function_holds_no_key(name: str, server: ProviderServer) -> None:
    """And goes on where the environment has one, or none is needed."""
    pickled = pickle.dumps(make(name, server))
    assert KEY.encode() not in pickled
    with pytest.MonkeyPatch.context() as patch:
        if server.header:
            patch.setenv(PRESETS[name].service.variables[0], KEY)
        assert len(pickle.loads(pickled)(QUERY, DOCUMENTS)) == 4
