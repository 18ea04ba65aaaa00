"""Reranking by Jina's API."""

from __future__ import annotations

from typing_extensions import Unpack

from hybridge.reranker.api import ApiRerankFunction
from hybridge.web_api.options import ProviderOptions, parse_options


class JinaRerankFunction(ApiRerankFunction):
    """Scores documents against a query with one of Jina's rerankers, or at a server of its shape.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`. A server of one's own may
            need none.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "jina-reranker-v2-base-multilingual",
        api_key: str | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        given = parse_options(options, ProviderOptions)
        super().__init__(model_name, api_key, provider="jina", **given)
