"""Rerankers: a query and documents to scores."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.reranker.jina import JinaRerankFunction

__all__ = ["JinaRerankFunction"]

__getattr__ = lazy_names(__name__, {"JinaRerankFunction": "hybridge.reranker.jina"})
