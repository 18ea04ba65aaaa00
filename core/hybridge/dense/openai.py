"""Dense vectors from OpenAI's API, Azure's, or any server that speaks it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import Unpack

from hybridge.arguments import check_choice, check_label
from hybridge.dense.api import ApiEmbeddingFunction
from hybridge.dense.presets import preset_of
from hybridge.errors import InvalidInputError
from hybridge.web_api.key import parse_headers
from hybridge.web_api.options import ApiOptions, parse_fields


class OpenAIEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of OpenAI's models, or of another service with the same API.

    Safe to use from several threads. Its `repr` and pickles hold no key; where a pickle is loaded,
    the environment is read again.

    Args:
        model_name: The model, or the deployment at Azure. The default is that of `pymilvus.model`,
            so that vectors go on fitting those already stored; text-embedding-3-small is newer,
            better and cheaper.
        api_key: The key; else `OPENAI_API_KEY` (or the provider's own variable). A server of one's
            own may need none.
        base_url: Where the API is; else `OPENAI_BASE_URL`, else OpenAI's own.
        dimensions: The length of the vectors, for models that can shorten them.
        provider: Whose API it is: "openai", "azure", "ollama", "vllm", "lm-studio", "litellm",
            "llama.cpp", "tei", "together" and all others of `hybridge.dense.presets`.
        azure_endpoint: Azure's address, such as "https://acme.openai.azure.com"; else
            `AZURE_OPENAI_ENDPOINT`. It makes the provider "azure".
        api_version: Such as "2024-10-21", for Azure's addresses by deployment; else
            `OPENAI_API_VERSION`. Without one, Azure is asked at its address of `v1`, which has no
            versions.
        organization: Sent as `OpenAI-Organization`.
        project: Sent as `OpenAI-Project`.
        user: Whom a request is made for, as the API's field says.
        encoding_format: "float" or "base64"; None leaves it out, and either answer is read.
        extra_body: Further fields of every request, as the API knows them.
        batch_size: Texts in one request; by default as many as the provider takes, and fewer where
            they are long.
        **options: See `hybridge.web_api.options.ApiOptions`.

    Attributes:
        model_name: The model.
        provider: Whose API it is.

    Raises:
        AuthenticationError: There is no key, and the provider demands one.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "text-embedding-ada-002",
        api_key: str | None = None,
        base_url: str | None = None,
        dimensions: int | None = None,
        *,
        provider: str = "openai",
        azure_endpoint: str | None = None,
        api_version: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        user: str | None = None,
        encoding_format: Literal["float", "base64"] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        **options: Unpack[ApiOptions],
    ) -> None:
        preset_of(provider)  # refuses what is no name
        if azure_endpoint is not None:
            check_label(azure_endpoint, "azure_endpoint")
            if base_url is not None:
                msg = "give azure_endpoint= or base_url=, not both"
                raise InvalidInputError(msg)
            provider, base_url = "azure", azure_endpoint
        if provider == "azure" and api_version is None:
            api_version = os.environ.get("OPENAI_API_VERSION") or None
        if encoding_format is not None:
            check_choice(encoding_format, "encoding_format", ("float", "base64"))
        fields = _given({"user": user, "encoding_format": encoding_format})
        own = _given({"OpenAI-Organization": organization, "OpenAI-Project": project})
        given = parse_headers(options.get("default_headers"))
        options["default_headers"] = {**own, **given}
        body = {**fields, **parse_fields(extra_body, "extra_body")}
        super().__init__(
            model_name,
            api_key,
            base_url,
            dimensions,
            provider=provider,
            batch_size=batch_size,
            api_version=api_version,
            extra_body=body or None,
            **options,
        )


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return what is not None, checked to be a string that is not empty."""
    given = {name: value for name, value in values.items() if value is not None}
    for name, value in given.items():
        check_label(value, name)
    return given
