"""Every provider's embedding API, each as a local server that refuses what the real one refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hybridge.dense.presets import PRESETS
from hybridge.errors import AuthenticationError, BadRequestError, InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.registry import dense_function
from support.jina_server import refuse, vector
from support.provider_servers import EMBEDDING, LONGEST, WIDTH, ProviderServer, forget_keys

# What is said beside the address, where the wire's name is not that of the provider.
OPTIONS: dict[str, dict[str, Any]] = {
    "azure": {"api_version": "2024-10-21"},
    "azure-v1": {"provider": "azure"},
    "gemini-without-index": {"provider": "gemini"},
    "zeros": {"provider": "vllm"},
}


@pytest.fixture(params=EMBEDDING)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each wire in turn, with no key in the environment."""
    forget_keys(monkeypatch, [preset.service for preset in PRESETS.values()])
    return str(request.param)


@pytest.fixture
def server(name: str) -> Iterator[ProviderServer]:
    """Its server."""
    with ProviderServer(EMBEDDING[name]) as server:
        yield server


def make(name: str, server: ProviderServer, **options: Any) -> DenseEmbeddingFunction:
    """Return the function that asks the server, with a key where it wants one."""
    given = dict(OPTIONS.get(name, {}))
    provider = given.pop("provider", name)
    return dense_function(f"{provider}/a-model", **{**server.options, **given, **options})


def expected(name: str, texts: list[str], half: int, width: int = WIDTH) -> np.ndarray:
    """Return the vectors that the server gives queries (1) or documents (2)."""
    role = EMBEDDING[name].role
    return np.array(
        [vector(text, role[half] if role else None, width) for text in texts], dtype=np.float32
    )


def test_every_preset_is_in_the_matrix() -> None:
    """A provider without a wire here is one whose format nobody has checked."""
    of_openai = {"infinity"}  # its embeddings are OpenAI's; its wire is its reranker's
    assert set(PRESETS) - of_openai <= {OPTIONS.get(n, {}).get("provider", n) for n in EMBEDDING}


def test_queries_and_documents_are_embedded(name: str, server: ProviderServer) -> None:
    """Vectors come in the texts' order, as float32, with the role that the provider knows."""
    function = make(name, server)
    documents, queries = ["one", "two", "three"], [" ", "four"]
    np.testing.assert_array_equal(
        function.encode_documents(documents), expected(name, documents, 2)
    )
    np.testing.assert_array_equal(function.encode_queries(queries), expected(name, queries, 1))
    usage: Any = function.usage  # type: ignore[attr-defined]
    counts = EMBEDDING[name].usage
    assert (usage.requests, usage.total_tokens) == (2, 10 if counts else 0) or not counts


def test_vectors_are_shortened(name: str, server: ProviderServer) -> None:
    """The length has the name that the provider gives it."""
    argument = "dimension" if name == "voyage" else "dimensions"
    function = make(name, server, **{argument: 3})
    np.testing.assert_array_equal(function.encode_documents(["a"]), expected(name, ["a"], 2, 3))
    assert function.dim == 3


def test_long_lists_are_cut_to_what_the_provider_takes(name: str, server: ProviderServer) -> None:
    """As the preset says it, so that nothing is refused; where the preset errs, it is learned."""
    texts = [str(number) for number in range(2_100)]
    function = make(name, server)
    np.testing.assert_array_equal(function.encode_documents(texts), expected(name, texts, 2))
    refused = sum(
        len(request.payload[server.wire.texts]) > server.most  # type: ignore[union-attr]
        for request in server.requests
    )
    assert refused <= (0 if name not in ("mistral", "zeros") else 3)


def test_a_smaller_limit_is_learned_and_said(
    name: str, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that takes ten at once is asked for ten from the second request on."""
    server.most = 10
    function = make(name, server)
    texts = [str(number) for number in range(95)]
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(function.encode_documents(texts), expected(name, texts, 2))
    assert "batch_size=" in caplog.text
    sent = len(server.requests)
    function.encode_documents(texts[:20])
    assert len(server.requests) - sent <= 4  # halves where no number was said: 95, 47, 23, 11, 5


def test_one_text_that_is_too_long_is_named(name: str, server: ProviderServer) -> None:
    """Among many its place is found, and the provider's own words are kept."""
    texts = ["short"] * 60
    texts[41] = "x" * (LONGEST + 1)
    with pytest.raises(BadRequestError, match=r"documents\[41\] was refused.*512 tokens"):
        make(name, server).encode_documents(texts)
    assert len(server.requests) < 30


def test_a_request_that_is_wrong_itself_names_no_text(name: str, server: ProviderServer) -> None:
    """An unknown field is the request's fault: one short text more tells, and nothing is cut up."""
    function = make(name, server, **{_extra(name): {"nonsense": 1}})
    with pytest.raises(BadRequestError, match="nonsense") as caught:
        function.encode_documents(["a", "b", "c"])
    assert "documents[" not in str(caught.value)
    assert len(server.requests) == 2


FURTHER = {
    "cohere": ("truncate", "END"),
    "gemini": ("dimensions", 3),
    "jina": ("truncate", True),
    "mistral": ("metadata", {"team": "search"}),
    "nomic": ("long_text_mode", "mean"),
    "together": ("dimensions", 3),
    "voyage": ("truncation", False),
}


def test_a_further_field_passes_through(name: str, server: ProviderServer) -> None:
    """Fields of which nothing is known here reach the API."""
    field, value = FURTHER.get(name, ("user", "somebody"))
    make(name, server, **{_extra(name): {field: value}}).encode_documents(["a"])
    assert server.requests[-1].payload[field] == value


def test_empty_texts_are_refused_before_anything_is_sent(name: str, server: ProviderServer) -> None:
    """Where the API has no vector for nothing; Jina has one."""
    function = make(name, server)
    if name == "jina":
        np.testing.assert_array_equal(function.encode_documents([""]), expected(name, [""], 2))
        return
    with pytest.raises(InvalidInputError, match=r"documents\[1\] is empty"):
        function.encode_documents(["a", ""])
    assert server.requests == []


def test_a_limit_of_requests_is_waited_out(name: str, server: ProviderServer) -> None:
    """429 with milliseconds, more often than there are retries."""
    server.then(*[refuse(429, {"error": "slow down"}, retry_after_ms="20")] * 3)
    function = make(name, server)
    np.testing.assert_array_equal(function.encode_documents(["a"]), expected(name, ["a"], 2))
    assert len(server.requests) == 4


def test_keys_are_asked_for_by_the_providers_own_names(name: str, server: ProviderServer) -> None:
    """Without a key a 401 names the variables, and leads nobody to another company's page."""
    server.header = "Authorization"
    with pytest.raises(AuthenticationError) as caught:
        make(name, server, api_key=None).encode_documents(["a"])
    provider = OPTIONS.get(name, {}).get("provider", name)
    assert all(variable in str(caught.value) for variable in PRESETS[provider].service.variables)
    assert "https://" not in str(caught.value)


def _extra(name: str) -> str:
    return "options" if name == "jina" else "extra_body"
