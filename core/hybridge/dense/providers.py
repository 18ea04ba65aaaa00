"""The other API functions of `pymilvus.model`: its signatures over the one route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import Unpack

from hybridge.arguments import check_choice, check_flag, shown
from hybridge.dense.api import ApiEmbeddingFunction
from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.web_api.options import ProviderOptions, parse_options

_COHERE_INPUTS = ("search_document", "search_query", "classification", "clustering")
_NOMIC_TASKS = ("search_document", "search_query", "classification", "clustering")


class CohereEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Cohere's models; queries and documents each as what they are.

    Args:
        model_name: The model.
        api_key: The key; else `COHERE_API_KEY`, else `CO_API_KEY`.
        input_type: What a plain call embeds its texts as.
        embedding_types: ["float"] or None: a store takes no other numbers.
        truncate: Where a text that is too long is cut, "START" or "END", or "NONE" to refuse it;
            None is the API's own choice, the end.
        dimensions: The length of the vectors, for models that can shorten them.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "embed-english-light-v3.0",
        api_key: str | None = None,
        input_type: str = "search_document",
        embedding_types: Sequence[str] | None = None,
        truncate: str | None = None,
        *,
        dimensions: int | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        if embedding_types is not None and shown(embedding_types) != "['float']":
            msg = f"embedding_types must be ['float'] or None, not {shown(embedding_types)}"
            raise InvalidInputError(msg)
        check_choice(input_type, "input_type", _COHERE_INPUTS)
        if truncate is not None:
            check_choice(truncate, "truncate", ("NONE", "START", "END"))
        super().__init__(
            model_name,
            api_key,
            dimensions=dimensions,
            provider="cohere",
            settings={"input_type": input_type, "truncate": truncate},
            fields={"truncate": truncate},
            roles={"texts": {"input_type": input_type}},
            **parse_options(options, ProviderOptions),
        )


class VoyageEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Voyage's models; queries and documents each as what they are.

    Args:
        model_name: The model.
        api_key: The key; else `VOYAGE_API_KEY`.
        embedding_type: "float" or None: a store takes no other numbers.
        truncate: Whether a text that is too long is cut, or refused; None is the API's own choice.
        dimension: The length of the vectors, for models that can shorten them.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "voyage-3-large",
        api_key: str | None = None,
        embedding_type: str | None = None,
        truncate: bool | None = None,
        dimension: int | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        if embedding_type is not None:
            check_choice(embedding_type, "embedding_type", ("float",))
        if truncate is not None:
            check_flag(truncate, "truncate")
        super().__init__(
            model_name,
            api_key,
            dimensions=dimension,
            provider="voyage",
            settings={"dimension": dimension, "dimensions": None, "truncate": truncate},
            fields={"truncation": truncate},
            **parse_options(options, ProviderOptions),
        )


class MistralAIEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Mistral's models.

    Args:
        api_key: The key; else `MISTRAL_API_KEY`, else `MISTRALAI_API_KEY`.
        model_name: The model.
        dimensions: The length of the vectors, for models that can shorten them.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "mistral-embed",
        *,
        dimensions: int | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        super().__init__(
            model_name,
            api_key,
            dimensions=dimensions,
            provider="mistral",
            **parse_options(options, ProviderOptions),
        )


class NomicEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Nomic's models; queries and documents each as what they are.

    Args:
        model_name: The model.
        task_type: What a plain call embeds its texts for.
        dimensions: The length of the vectors, for models that can shorten them.
        api_key: The key; else `NOMIC_API_KEY`.
        long_text_mode: Whether a text that is too long is cut ("truncate") or embedded in parts
            ("mean"); None is the API's own choice.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "nomic-embed-text-v1.5",
        task_type: str = "search_document",
        dimensions: int | None = None,
        *,
        api_key: str | None = None,
        long_text_mode: str | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        check_choice(task_type, "task_type", _NOMIC_TASKS)
        if long_text_mode is not None:
            check_choice(long_text_mode, "long_text_mode", ("truncate", "mean"))
        super().__init__(
            model_name,
            api_key,
            dimensions=dimensions,
            provider="nomic",
            settings={"long_text_mode": long_text_mode},
            fields={"long_text_mode": long_text_mode},
            roles={"texts": {"task_type": task_type}},
            **parse_options(options, ProviderOptions),
        )


class GeminiEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with one of Gemini's models, over its OpenAI-compatible API.

    That API knows no tasks: queries and documents are embedded alike.

    Args:
        model_name: The model.
        api_key: The key; else `GEMINI_API_KEY`, else `GOOGLE_API_KEY`.
        config: The length of the vectors in the shape of Google's own library: an object or a
            mapping with `output_dimensionality`, and with nothing else.
        dimensions: The length of the vectors.
        **options: See `hybridge.web_api.options.ProviderOptions`.

    Raises:
        AuthenticationError: There is no key.
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        model_name: str = "gemini-embedding-001",
        api_key: str | None = None,
        config: object = None,
        *,
        dimensions: int | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        super().__init__(
            model_name,
            api_key,
            dimensions=_length_of(config) if dimensions is None else dimensions,
            provider="gemini",
            **parse_options(options, ProviderOptions),
        )


class TEIEmbeddingFunction(ApiEmbeddingFunction):
    """Embeds texts with the model of a server of Text Embeddings Inference.

    Args:
        api_url: The server's address; "http://localhost:8080" by default.
        dimensions: The length of the vectors, where the server is to shorten them.
        api_key: The key that the server was started with, if any; else `TEI_API_KEY`.
        model_name: The model's name: a collection remembers it, and the server does not look at it.
        **options: See `hybridge.web_api.options.ProviderOptions`; `base_url` is `api_url`.

    Raises:
        InvalidInputError: An argument is wrong.
    """

    def __init__(
        self,
        api_url: str | None = None,
        dimensions: int | None = None,
        *,
        api_key: str | None = None,
        model_name: str = "tei",
        **options: Unpack[ProviderOptions],
    ) -> None:
        given = parse_options({"base_url": api_url, **options}, ProviderOptions)
        super().__init__(
            model_name,
            api_key,
            dimensions=dimensions,
            provider="tei",
            **given,
        )


def _length_of(config: Any) -> int | None:
    """Return the length of vectors that a `types.EmbedContentConfig`, or a mapping, asks for."""
    given: Mapping[str, Any] = config if is_mapping(config) else getattr(config, "__dict__", {})
    asked = {name: value for name, value in given.items() if value is not None}
    length: int | None = asked.pop("output_dimensionality", None)
    if asked or (config is not None and not given):
        msg = f"config may hold output_dimensionality alone, not {shown(config)}"
        raise InvalidInputError(msg)
    return length
