"""Rerankers: a query and documents to scores."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.reranker.api import ApiRerankFunction
    from hybridge.reranker.bge import BGERerankFunction
    from hybridge.reranker.cross_encoder import CrossEncoderRerankFunction
    from hybridge.reranker.jina import JinaRerankFunction
    from hybridge.reranker.providers import (
        CohereRerankFunction,
        TEIRerankFunction,
        VoyageRerankFunction,
    )

__all__ = [
    "ApiRerankFunction",
    "BGERerankFunction",
    "CohereRerankFunction",
    "CrossEncoderRerankFunction",
    "JinaRerankFunction",
    "TEIRerankFunction",
    "VoyageRerankFunction",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ApiRerankFunction": "hybridge.reranker.api",
        "BGERerankFunction": "hybridge.reranker.bge",
        "CohereRerankFunction": "hybridge.reranker.providers",
        "CrossEncoderRerankFunction": "hybridge.reranker.cross_encoder",
        "JinaRerankFunction": "hybridge.reranker.jina",
        "TEIRerankFunction": "hybridge.reranker.providers",
        "VoyageRerankFunction": "hybridge.reranker.providers",
    },
)
