"""Reranking by a web API: the one route, whichever the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import Unpack

from hybridge.arguments import check_label, parse_count
from hybridge.function_settings import given_settings
from hybridge.protocols import RerankScale
from hybridge.records import RerankResult
from hybridge.reranker.presets import preset_of
from hybridge.reranker.ranking import best, parse_request
from hybridge.web_api.answer import Answer
from hybridge.web_api.client import WebApi
from hybridge.web_api.options import ApiOptions, parse_fields, parse_options
from hybridge.web_api.parts import PartLimit, ask_in_parts
from hybridge.web_api.usage import Usage


class ApiRerankFunction:
    """Scores documents against a query over the API of one of `hybridge.reranker.presets`.

    Lists of any length are split and merged, as the score of a document does not depend on its
    neighbours (jina-reranker-v3, which compares those of one request with each other, is the
    exception). Safe to use from several threads. Its `repr` and pickles hold no key; where a
    pickle is loaded, the environment is read again.

    Args:
        model_name: The model.
        api_key: The key; else the environment's. A server of one's own may need none.
        base_url: Where the API is, if not at the provider's own address.
        provider: Whose API it is: "jina", "cohere", "voyage", "vllm", "infinity", "llama.cpp",
            "tei", "litellm", "together".
        batch_size: Documents in one request; by default as many as the provider takes.
        extra_body: Further fields of every request, as the API knows them.
        **options: See `hybridge.web_api.options.ApiOptions`.

    Attributes:
        model_name: The model.
        provider: Whose API it is.
        base_url: Where the API is.
        settings: What the scores depend on beside the model; see `hybridge.function_settings`.
        scale: What the scores are, where that is known.

    Raises:
        AuthenticationError: There is no key, and the provider demands one.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str,
        api_key: str | None = None,
        *,
        provider: str,
        base_url: str | None = None,
        batch_size: int | None = None,
        extra_body: Mapping[str, Any] | None = None,
        **options: Unpack[ApiOptions],
    ) -> None:
        check_label(model_name, "model_name")
        self._preset = preset = preset_of(provider)
        service = preset.service.at(base_url)
        self._limit = PartLimit(preset.most_documents)
        if batch_size is not None:
            # What a server of one's own takes is its owner's choice.
            largest = {"largest": preset.most_documents} if service.url else {}
            self._limit.texts = parse_count(batch_size, "batch_size", **largest)
        self.model_name = model_name
        self.scale: RerankScale | None = preset.scale
        self.provider = provider
        self.base_url = service.base_url
        self._fields = {**preset.always, **parse_fields(extra_body, "extra_body")}
        self._api = WebApi(service, api_key, parse_options(options, ApiOptions))
        given = {"base_url": base_url, "extra_body": extra_body}
        self.settings = given_settings(type(self), **given)

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._api.usage

    def __call__(self, query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        """Return the `top_k` best documents, best first; equal scores in the documents' order.

        Args:
            query: What is asked.
            documents: What may answer it; nothing is sent for an empty list.
            top_k: How many to return, at least 1.

        Raises:
            InvalidInputError: An argument is wrong; nothing was sent.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        texts = parse_request(query, documents, top_k)
        parts = ask_in_parts(
            texts,
            lambda batch: self._ask(query, batch),
            self._parse,
            self._limit,
            name="documents",
        )
        scores = [score for part in parts for score in part]
        return best(texts, scores, top_k)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model_name!r})"

    def _ask(self, query: str, batch: list[str]) -> Answer:
        """Request all scores, however few the caller keeps, so that a missing one is noticed."""
        preset = self._preset
        wanted = {preset.top: len(batch)} if preset.top else {}
        payload = {"model": self.model_name, "query": query, preset.documents: batch, **wanted}
        return self._api.post("/rerank", {**payload, **self._fields})

    def _parse(self, answer: Answer, count: int) -> list[float]:
        """Return one score per document, in the documents' order."""
        return answer.scores(count, self._preset.results, self._preset.score)
