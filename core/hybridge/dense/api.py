"""Dense vectors from a web API: the one route, whichever the provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Unpack

from hybridge.arguments import check_label, parse_count
from hybridge.dense.presets import Fields, preset_of
from hybridge.errors import InvalidInputError
from hybridge.function_settings import given_settings
from hybridge.texts import parse_texts
from hybridge.web_api.answer import Answer
from hybridge.web_api.client import WebApi
from hybridge.web_api.options import ApiOptions, parse_fields, parse_options
from hybridge.web_api.parts import PartLimit, ask_in_parts
from hybridge.web_api.usage import Usage


class ApiEmbeddingFunction:
    """Embeds texts over the API of one of the providers in `hybridge.dense.presets`.

    Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is loaded,
    the environment is read again. A list that the API refuses is asked for in parts: so a limit
    that nobody named is learned, and a text that is too long is named by its place.

    Args:
        model_name: The model.
        api_key: The key; else the environment's. A server of one's own may need none.
        base_url: Where the API is, if not at the provider's own address.
        dimensions: The length of the vectors, for models that can shorten them.
        provider: Whose API it is.
        batch_size: Texts in one request; by default as many as the provider takes.
        api_version: The version of the API, for those that are asked for one (Azure's).
        extra_body: Further fields of every request, as the API knows them.
        fields: Those that arguments of a subclass's constructor stand for; None is left out.
        roles: Further fields for "queries", "documents" and, in a plain call, "texts".
        settings: Arguments of a subclass's constructor on which the vectors depend, beside
            `dimensions` and `extra_body`.
        dividing: Whether a list may be cut into several requests.
        **options: See `hybridge.web_api.options.ApiOptions`.

    Attributes:
        model_name: The model.
        provider: Whose API it is.
        settings: What the vectors depend on beside the model; see `hybridge.function_settings`.

    Raises:
        AuthenticationError: There is no key, and the provider demands one.
        InvalidInputError: An argument is wrong.
    """

    is_billed: Final = True

    def __init__(
        self,
        model_name: str,
        api_key: str | None = None,
        base_url: str | None = None,
        dimensions: int | None = None,
        *,
        provider: str,
        batch_size: int | None = None,
        api_version: str | None = None,
        extra_body: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        roles: Mapping[str, Fields] | None = None,
        settings: Mapping[str, Any] | None = None,
        dividing: bool = True,
        **options: Unpack[ApiOptions],
    ) -> None:
        check_label(model_name, "model_name")
        self._preset = preset = preset_of(provider)
        if dimensions is not None:
            dimensions = parse_count(dimensions, "dimensions")
        if api_version is not None:
            check_label(api_version, "api_version")
        self.model_name = model_name
        self.provider = provider
        self._dim = dimensions or preset.dims.get(model_name)
        self._roles = {**preset.roles, **(roles or {})}
        own = {preset.dimensions: dimensions, **(fields or {})}
        given = {name: value for name, value in own.items() if value is not None}
        self._fields = {**preset.always, **given, **parse_fields(extra_body, "extra_body")}
        service = preset.service.at(base_url)
        self._limit = PartLimit(preset.most_texts, preset.most_tokens, dividing)
        if batch_size is not None:
            # What a server of one's own takes is its owner's choice.
            largest = {"largest": preset.most_texts} if service.url else {}
            self._limit.texts = parse_count(batch_size, "batch_size", **largest)
        path = preset.versioned_path if api_version else preset.path
        self._path = path.format(model=quote(model_name, safe=""))
        query = {"api-version": api_version} if api_version else {}
        self._api = WebApi(service, api_key, parse_options(options, ApiOptions), query)
        common = {"dimensions": dimensions, "extra_body": extra_body, "base_url": base_url}
        self.settings = given_settings(
            type(self), **{**common, "api_version": api_version, **(settings or {})}
        )

    @property
    def dim(self) -> int:
        """The length of every vector; for an unknown model, found by embedding one word."""
        if self._dim is None:
            self._dim = self(["dim"]).shape[1]
        return self._dim

    @property
    def usage(self) -> Usage:
        """Requests and tokens used by this function so far."""
        return self._api.usage

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as neither queries nor documents; the shape is `(len(texts), dim)`."""
        return self._encode(texts, "texts")

    def encode_documents(
        self, documents: Sequence[str], *, progress: bool = False
    ) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(documents), dim)`.

        Args:
            documents: The texts; nothing is sent for an empty list.
            progress: Whether to show a progress bar.

        Raises:
            InvalidInputError: `documents` is not a list of strings, or one of them is empty.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(documents, "documents", progress)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Return a C-contiguous float32 array of shape `(len(queries), dim)`.

        Raises:
            InvalidInputError: `queries` is not a list of strings, or one of them is empty.
            ApiError: The API refused, failed or gave an answer that cannot be trusted.
        """
        return self._encode(queries, "queries")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model_name!r})"

    def _encode(
        self, texts: Sequence[str], name: str, progress: bool = False
    ) -> NDArray[np.float32]:
        listed = parse_texts(texts, name)
        if "" in listed and not self._preset.empty:
            msg = f"{name}[{listed.index('')}] is empty, which the API refuses: leave it out"
            raise InvalidInputError(msg)
        if not listed:
            return np.empty((0, self.dim), dtype=np.float32)
        parts = ask_in_parts(
            listed,
            lambda batch: self._ask(batch, name),
            self._parse,
            self._limit,
            name=name,
            progress=progress,
        )
        return np.concatenate(parts)

    def _ask(self, batch: list[str], name: str) -> Answer:
        fields = {**self._roles.get(name, {}), **self._fields}
        payload = {"model": self.model_name, self._preset.texts: batch, **fields}
        return self._api.post(self._path, payload)

    def _parse(self, answer: Answer, count: int) -> NDArray[np.float32]:
        vectors = answer.vectors(count, self._preset.vectors)
        if self._dim is None:
            self._dim = vectors.shape[1]
        if vectors.shape[1] != self._dim:
            msg = f"a vector has {vectors.shape[1]} numbers, not {self._dim}"
            raise answer.malformed(msg)
        return vectors
