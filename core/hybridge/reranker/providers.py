"""The other API rerankers of `pymilvus.model`: its signatures over the one route."""

from __future__ import annotations

from typing_extensions import Unpack

from hybridge.reranker.api import ApiRerankFunction
from hybridge.web_api.options import ProviderOptions, parse_options


class CohereRerankFunction(ApiRerankFunction):
    """Scores documents against a query with one of Cohere's rerankers.

    Args:
        model_name: The model.
        api_key: The key; else `COHERE_API_KEY`, else `CO_API_KEY`.
        return_documents: Without effect: a result holds its document in any case.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "rerank-english-v3.0",
        api_key: str | None = None,
        return_documents: bool = True,
        **options: Unpack[ProviderOptions],
    ) -> None:
        given = parse_options(options, ProviderOptions)
        super().__init__(model_name, api_key, provider="cohere", **given)


class VoyageRerankFunction(ApiRerankFunction):
    """Scores documents against a query with one of Voyage's rerankers.

    Args:
        model_name: The model.
        api_key: The key; else `VOYAGE_API_KEY`.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "rerank-2",
        api_key: str | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        given = parse_options(options, ProviderOptions)
        super().__init__(model_name, api_key, provider="voyage", **given)


class TEIRerankFunction(ApiRerankFunction):
    """Scores documents against a query with the model of a server of Text Embeddings Inference.

    Args:
        api_url: The server's address; "http://localhost:8080" by default.
        api_key: The key that the server was started with, if any; else `TEI_API_KEY`.
        model_name: The model's name, at which the server does not look.
        **options: See `hybridge.web_api.options.ProviderOptions`; `base_url` is `api_url`.

    Raises:
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        api_url: str | None = None,
        *,
        api_key: str | None = None,
        model_name: str = "tei",
        **options: Unpack[ProviderOptions],
    ) -> None:
        given = parse_options({"base_url": api_url, **options}, ProviderOptions)
        super().__init__(model_name, api_key, provider="tei", **given)
