"""Rerankers: a query and documents to scores."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.reranker.cross_encoder import CrossEncoderRerankFunction
    from hybridge.reranker.jina import JinaRerankFunction

__all__ = ["CrossEncoderRerankFunction", "JinaRerankFunction"]

__getattr__ = lazy_names(
    __name__,
    {
        "CrossEncoderRerankFunction": "hybridge.reranker.cross_encoder",
        "JinaRerankFunction": "hybridge.reranker.jina",
    },
)
