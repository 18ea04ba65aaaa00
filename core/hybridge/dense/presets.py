"""What the embedding APIs of the providers have of their own, as data.

All that is not said here is as at OpenAI:

    POST /embeddings  model, input, dimensions -> data: [{index, embedding}], usage
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hybridge.arguments import check_choice
from hybridge.web_api.service import Service
from hybridge.web_api.services import SERVICES

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class EmbeddingPreset:
    """One provider's embedding API.

    Attributes:
        service: Where it is.
        path: The endpoint.
        versioned_path: The endpoint where an API version is given; `{model}` stands in it.
        texts: The request's field for the texts.
        dimensions: The request's field for the length of the vectors.
        vectors: Where the answer holds them, as `Answer.vectors` takes it.
        most_texts: Texts that one request may hold.
        most_tokens: Tokens that one request may hold.
        empty: Whether an empty text has a vector.
        always: Fields of every request.
        roles: Further fields for what errors call "queries", "documents" and "texts".
        dims: The length of the vectors of known models.
    """

    service: Service
    path: str = "/embeddings"
    versioned_path: str = ""
    texts: str = "input"
    dimensions: str = "dimensions"
    vectors: str = "data"
    most_texts: int = 2_048
    most_tokens: float = float("inf")
    empty: bool = False
    always: Fields = field(default_factory=dict[str, Any])
    roles: Mapping[str, Fields] = field(default_factory=dict[str, Fields])
    dims: Mapping[str, int] = field(default_factory=dict[str, int])


def _roles(name: str, query: str, document: str, text: str | None) -> dict[str, Fields]:
    values = {"queries": query, "documents": document, "texts": text}
    return {role: {name: value} for role, value in values.items() if value is not None}


_OPENAI_DIMS = {
    "text-embedding-3-large": 3072,
    "text-embedding-3-small": 1536,
    "text-embedding-ada-002": 1536,
}

PRESETS = {
    "azure": EmbeddingPreset(
        SERVICES["azure"],
        path="/openai/v1/embeddings",
        versioned_path="/openai/deployments/{model}/embeddings",
        most_tokens=300_000,
    ),
    "cohere": EmbeddingPreset(
        SERVICES["cohere"],
        path="/embed",
        texts="texts",
        dimensions="output_dimension",
        vectors="embeddings.float",
        most_texts=96,
        always={"embedding_types": ["float"]},
        roles=_roles("input_type", "search_query", "search_document", "search_document"),
        dims={
            "embed-english-light-v3.0": 384,
            "embed-english-v3.0": 1024,
            "embed-multilingual-light-v3.0": 384,
            "embed-multilingual-v3.0": 1024,
            "embed-v4.0": 1536,
        },
    ),
    "gemini": EmbeddingPreset(
        SERVICES["gemini"],
        most_texts=100,
        dims={
            "gemini-embedding-001": 3072,
            "gemini-embedding-2": 3072,
            "gemini-embedding-exp-03-07": 3072,
            "text-embedding-004": 768,
        },
    ),
    "infinity": EmbeddingPreset(SERVICES["infinity"]),
    "jina": EmbeddingPreset(
        SERVICES["jina"],
        most_texts=512,
        empty=True,
        dims={
            "jina-clip-v2": 1024,
            "jina-code-embeddings-0.5b": 896,
            "jina-code-embeddings-1.5b": 1536,
            "jina-embeddings-v2-base-code": 768,
            "jina-embeddings-v2-base-de": 768,
            "jina-embeddings-v2-base-en": 768,
            "jina-embeddings-v2-base-es": 768,
            "jina-embeddings-v2-base-zh": 768,
            "jina-embeddings-v3": 1024,
            "jina-embeddings-v4": 2048,
            "jina-embeddings-v5-text-nano": 768,
            "jina-embeddings-v5-text-small": 1024,
        },
    ),
    "litellm": EmbeddingPreset(SERVICES["litellm"]),
    "llama.cpp": EmbeddingPreset(SERVICES["llama.cpp"]),
    "lm-studio": EmbeddingPreset(SERVICES["lm-studio"]),
    "mistral": EmbeddingPreset(
        SERVICES["mistral"],
        dimensions="output_dimension",
        most_tokens=16_384,
        dims={"codestral-embed": 1536, "mistral-embed": 1024},
    ),
    "nomic": EmbeddingPreset(
        SERVICES["nomic"],
        path="/embedding/text",
        texts="texts",
        dimensions="dimensionality",
        vectors="embeddings",
        most_texts=400,
        roles=_roles("task_type", "search_query", "search_document", "search_document"),
        dims={"nomic-embed-text-v1": 768, "nomic-embed-text-v1.5": 768},
    ),
    "ollama": EmbeddingPreset(SERVICES["ollama"]),
    "openai": EmbeddingPreset(SERVICES["openai"], most_tokens=300_000, dims=_OPENAI_DIMS),
    "tei": EmbeddingPreset(SERVICES["tei"], path="/v1/embeddings", most_texts=32),
    "together": EmbeddingPreset(SERVICES["together"]),
    "vllm": EmbeddingPreset(SERVICES["vllm"]),
    "voyage": EmbeddingPreset(
        SERVICES["voyage"],
        dimensions="output_dimension",
        most_texts=1_000,
        most_tokens=120_000,
        roles=_roles("input_type", "query", "document", None),
        dims={
            "voyage-2": 1024,
            "voyage-3": 1024,
            "voyage-3-large": 1024,
            "voyage-3-lite": 512,
            "voyage-3.5": 1024,
            "voyage-3.5-lite": 1024,
            "voyage-4": 1024,
            "voyage-4-large": 1024,
            "voyage-4-lite": 1024,
            "voyage-code-2": 1536,
            "voyage-code-3": 1024,
            "voyage-finance-2": 1024,
            "voyage-large-2": 1536,
            "voyage-law-2": 1024,
            "voyage-multilingual-2": 1024,
        },
    ),
}


def preset_of(provider: object) -> EmbeddingPreset:
    """Return the preset of a name.

    Raises:
        InvalidInputError: There is none; the error lists the known ones.
    """
    check_choice(provider, "provider", tuple(PRESETS))
    return PRESETS[str(provider)]
