"""Local servers that answer as each provider's API does, and refuse what it would refuse.

What is known of each (paths, fields, limits, shapes and error texts) is written down here, apart
from the presets that it is to test, from the providers' clients, servers and API references.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from hybridge.web_api.service import Service
from support.jina_server import KEY, Answer, JinaServer, vector

WIDTH = 8
LONGEST = 2_000
"""Characters of a text, above which every server here says that it is too long."""


def forget_keys(monkeypatch: pytest.MonkeyPatch, services: Iterable[Service]) -> None:
    """Take the services' keys out of the environment."""
    for service in services:
        for variable in service.variables:
            monkeypatch.delenv(variable, raising=False)


@dataclass(frozen=True)
class Wire:
    """How one provider's embedding API looks.

    Attributes:
        path: Where it is, with `{model}` for the model.
        fields: The fields that it knows beside model and texts; any other is refused.
        texts: The field of the texts.
        width: The field that shortens vectors.
        role: The field that tells queries from documents, and its two values.
        needed: Fields without which it refuses a request.
        most: Texts that it takes at once.
        too_many: What it says to more, with `{most}` and `{count}`.
        status: The status that it says so with.
        index: Whether its vectors have an index: "given", "absent", "zero", or "not-0".
        shape: "data", "base64", "embeddings.float" or "embeddings".
        usage: Whether it counts tokens.
        header: Where it looks for the key; empty where it wants none.
        query: What its address ends with.
        nested: Where its error bodies hold the message.
    """

    path: str = "/v1/embeddings"
    fields: frozenset[str] = frozenset({"dimensions", "encoding_format", "user"})
    texts: str = "input"
    width: str = "dimensions"
    role: tuple[str, str, str] | None = None
    needed: tuple[str, ...] = ()
    most: int = 2_048
    too_many: str = "at most {most} inputs"
    status: int = 400
    index: str = "given"
    shape: str = "data"
    usage: bool = True
    header: str = "Authorization"
    query: str = ""
    nested: bool = True


OPEN = {"dimensions", "encoding_format", "user"}
EMBEDDING = {
    "openai": Wire(
        too_many="Invalid 'input': array too long. Expected an array with maximum length {most}, "
        "but got an array with length {count} instead.",
    ),
    "azure": Wire(
        path="/openai/deployments/{model}/embeddings",
        query="api-version=2024-10-21",
        header="api-key",
    ),
    "azure-v1": Wire(path="/openai/v1/embeddings", header="api-key"),
    "gemini": Wire(
        path="/v1beta/openai/embeddings",
        fields=frozenset({"dimensions"}),
        most=100,
        too_many="* BatchEmbedContentsRequest.requests: at most {most} requests "
        "can be in one batch",
        index="not-0",
        usage=False,
    ),
    "gemini-without-index": Wire(path="/v1beta/openai/embeddings", index="absent", usage=False),
    "zeros": Wire(index="zero", usage=False),
    "ollama": Wire(header="", index="given"),
    "vllm": Wire(header="", fields=frozenset(OPEN | {"truncate_prompt_tokens"})),
    "lm-studio": Wire(header="", usage=False),
    "litellm": Wire(shape="base64"),
    "llama.cpp": Wire(header="", index="given"),
    "tei": Wire(
        header="",
        most=32,
        status=422,
        too_many="batch size {count} > maximum allowed batch size {most}",
        nested=False,
    ),
    "mistral": Wire(
        fields=frozenset({"output_dimension", "output_dtype", "encoding_format", "metadata"}),
        width="output_dimension",
        most=512,
        too_many="Too many inputs in request, split into more batches.",
    ),
    "voyage": Wire(
        fields=frozenset({"input_type", "truncation", "output_dimension", "output_dtype"}),
        width="output_dimension",
        role=("input_type", "query", "document"),
        most=1_000,
        too_many="The batch size limit is {most}. Your batch size is {count}.",
        nested=False,
    ),
    "together": Wire(fields=frozenset({"dimensions"})),
    "cohere": Wire(
        path="/v2/embed",
        fields=frozenset({"input_type", "embedding_types", "output_dimension", "truncate"}),
        texts="texts",
        width="output_dimension",
        role=("input_type", "search_query", "search_document"),
        needed=("input_type", "embedding_types"),
        most=96,
        too_many="invalid request: total number of texts must be at most {most} - received {count}",
        shape="embeddings.float",
        nested=False,
    ),
    "nomic": Wire(
        path="/v1/embedding/text",
        fields=frozenset({"task_type", "dimensionality", "long_text_mode"}),
        texts="texts",
        width="dimensionality",
        role=("task_type", "search_query", "search_document"),
        most=400,
        shape="embeddings",
        nested=False,
    ),
    "jina": Wire(
        fields=frozenset({"task", "dimensions", "late_chunking", "truncate"}),
        role=("task", "retrieval.query", "retrieval.passage"),
        most=512,
        status=422,
        too_many="Each input list can contain at most {most} items.",
        nested=False,
    ),
}


@dataclass(frozen=True)
class RerankWire:
    """How one provider's rerank API looks; see `Wire`."""

    path: str = "/v1/rerank"
    fields: frozenset[str] = frozenset({"top_n"})
    documents: str = "documents"
    results: str = "results"
    score: str = "relevance_score"
    most: int = 1_000
    status: int = 400
    too_many: str = "at most {most} documents"
    usage: Answer = field(default_factory=lambda: {"usage": {"total_tokens": 7}})
    header: str = ""


RERANK = {
    "jina": RerankWire(
        fields=frozenset({"top_n", "return_documents"}), most=2_048, header="Authorization"
    ),
    "cohere": RerankWire(
        path="/v2/rerank",
        fields=frozenset({"top_n", "max_tokens_per_doc"}),
        usage={"id": "x", "meta": {"billed_units": {"search_units": 1}}},
        header="Authorization",
    ),
    "voyage": RerankWire(
        fields=frozenset({"top_k", "return_documents", "truncation"}),
        results="data",
        header="Authorization",
    ),
    "vllm": RerankWire(fields=frozenset({"top_n", "truncate_prompt_tokens"})),
    "infinity": RerankWire(path="/rerank", fields=frozenset({"top_n", "return_documents"})),
    "llama.cpp": RerankWire(),
    "litellm": RerankWire(usage={"meta": {"billed_units": {"total_tokens": 7}}}),
    "together": RerankWire(
        fields=frozenset({"top_n", "return_documents", "rank_fields"}), header="Authorization"
    ),
    "tei": RerankWire(
        path="/rerank",
        fields=frozenset({"truncate", "truncation_direction", "raw_scores", "return_text"}),
        documents="texts",
        results="",
        score="score",
        most=32,
        status=422,
        too_many="batch size {count} > maximum allowed batch size {most}",
        usage={},
    ),
}


class ProviderServer(JinaServer):
    """A server of one wire, from entry to exit of a `with` block.

    Attributes:
        most: Texts that it takes at once: those of its wire, unless told otherwise.
    """

    def __init__(self, wire: Wire | RerankWire) -> None:
        super().__init__()
        self.wire = wire
        self.most = wire.most
        self.header = wire.header or None

    @property
    def root(self) -> str:
        """The address without the path."""
        return self.base_url.removesuffix("/v1")

    @property
    def address(self) -> str:
        """What a user passes as `base_url`: all that stands before the endpoint."""
        path = self.wire.path.partition("/openai/deployments")[0] or "/"
        return self.root + path.rsplit("/", 1)[0].removesuffix("/embedding")

    @property
    def options(self) -> dict[str, Any]:
        """What a function needs to ask it: a key where it wants one, and no long waits."""
        key = {"api_key": KEY} if self.header else {}
        return {"base_url": self.address, "backoff": 0.01, "max_retries": 1, **key}

    def unauthorized(self, given: str) -> Answer:
        """Return the body of a 401."""
        return {"error": {"message": f"Invalid API key: {given}"}}

    def answer(self, path: str, payload: dict[str, Any]) -> tuple[int, Answer]:
        """Return the status and body that the API would answer with."""
        wire = self.wire
        address, _, query = path.partition("?")
        expected = wire.path.format(model=payload.get("model"))
        if address != expected or query != getattr(wire, "query", ""):
            return self._refuse(404, f"no endpoint {path}")
        if isinstance(wire, RerankWire):
            return self._scores(wire, payload)
        return self._vectors(wire, payload)

    def _vectors(self, wire: Wire, payload: dict[str, Any]) -> tuple[int, Answer]:
        texts = payload.get(wire.texts)
        if refused := self._refusal(wire, payload, {"model", wire.texts}, texts):
            return refused
        missing = [name for name in wire.needed if name not in payload]
        if missing:
            return self._refuse(400, f"missing {missing}")
        role = payload.get(wire.role[0]) if wire.role else None
        width = payload.get(wire.width) or WIDTH
        vectors = [vector(text, role, width) for text in texts or []]
        return 200, self._shaped(wire, vectors)

    def _shaped(self, wire: Wire, vectors: list[list[float]]) -> Answer:
        tokens = {"usage": {"prompt_tokens": 5, "total_tokens": 5}} if wire.usage else {}
        if wire.shape == "embeddings.float":
            return {"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 5}}}
        if wire.shape == "embeddings":
            return {"embeddings": vectors, **tokens}
        encode: Callable[[list[float]], object] = _base64 if wire.shape == "base64" else list
        data = [{"object": "embedding", "embedding": encode(each)} for each in vectors]
        for place, item in enumerate(data):
            if wire.index == "given" or (wire.index == "not-0" and place):
                item["index"] = place
            elif wire.index == "zero":
                item["index"] = 0
        # Those that say where a vector belongs promise no order.
        return {"object": "list", "data": data[::-1] if wire.index == "given" else data, **tokens}

    def _scores(self, wire: RerankWire, payload: dict[str, Any]) -> tuple[int, Answer]:
        texts = payload.get(wire.documents)
        if refused := self._refusal(wire, payload, {"model", "query", wire.documents}, texts):
            return refused
        scored = [
            {"index": place, wire.score: self._score(payload["query"], text)}
            for place, text in enumerate(texts or [])
        ]
        scored.sort(key=lambda result: -float(result[wire.score]))
        return 200, {wire.results: scored, **wire.usage} if wire.results else scored  # type: ignore[return-value]

    def _refusal(
        self, wire: Wire | RerankWire, payload: dict[str, Any], own: set[str], texts: Any
    ) -> tuple[int, Answer] | None:
        if unknown := payload.keys() - own - wire.fields:
            return self._refuse(400, f"Extra inputs are not permitted: {sorted(unknown)}")
        if not isinstance(texts, list) or not texts:
            return self._refuse(400, "no texts")
        if len(texts) > self.most:
            said = wire.too_many.format(most=self.most, count=len(texts))
            return self._refuse(wire.status, said)
        if any(len(text) > LONGEST for text in texts):
            return self._refuse(400, "This model's maximum context length is 512 tokens.")
        return None

    def _refuse(self, status: int, said: str) -> tuple[int, Answer]:
        nested = getattr(self.wire, "nested", False)
        return status, {"error": {"message": said}} if nested else {"detail": said}


def _base64(values: list[float]) -> str:
    return base64.b64encode(np.array(values, dtype="<f4").tobytes()).decode()
