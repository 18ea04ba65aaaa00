"""What the rerank APIs of the providers have of their own, as data.

All that is not said here is as at Jina:

    POST /rerank  model, query, documents, top_n -> results: [{index, relevance_score}], usage
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hybridge.arguments import check_choice
from hybridge.protocols import RerankScale
from hybridge.web_api.service import Service
from hybridge.web_api.services import SERVICES


@dataclass(frozen=True)
class RerankPreset:
    """One provider's rerank API.

    Attributes:
        service: Where it is.
        documents: The request's field for the documents.
        top: The request's field for how many scores are wanted; empty where there is none.
        results: Where the answer holds the scores; empty where it is the list itself.
        score: The field of a result that holds its score.
        most_documents: Documents that one request may hold.
        always: Fields of every request.
        scale: What the scores are, where the provider says it: those of servers of one's own
            depend on the model that they run.
    """

    service: Service
    documents: str = "documents"
    top: str = "top_n"
    results: str = "results"
    score: str = "relevance_score"
    most_documents: int = 1_000
    always: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scale: RerankScale | None = None


PRESETS = {
    "cohere": RerankPreset(SERVICES["cohere"], scale="probability"),
    "infinity": RerankPreset(SERVICES["infinity"]),
    "jina": RerankPreset(
        SERVICES["jina"],
        most_documents=2_048,
        always={"return_documents": False},
        scale="probability",
    ),
    "litellm": RerankPreset(SERVICES["litellm"]),
    "llama.cpp": RerankPreset(SERVICES["llama.cpp"]),
    "tei": RerankPreset(
        SERVICES["tei"],
        documents="texts",
        top="",
        results="",
        score="score",
        most_documents=32,
    ),
    "together": RerankPreset(SERVICES["together"]),
    "vllm": RerankPreset(SERVICES["vllm"]),
    "voyage": RerankPreset(SERVICES["voyage"], top="top_k", results="data", scale="probability"),
}


def preset_of(provider: object) -> RerankPreset:
    """Return the preset of a name.

    Raises:
        InvalidInputError: There is none; the error lists the known ones.
    """
    check_choice(provider, "provider", tuple(PRESETS))
    return PRESETS[str(provider)]
