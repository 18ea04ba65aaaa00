"""Functions that make dense and sparse vectors at once."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.hybrid.bge_m3 import BGEM3EmbeddingFunction

__all__ = ["BGEM3EmbeddingFunction"]

__getattr__ = lazy_names(__name__, {"BGEM3EmbeddingFunction": "hybridge.hybrid.bge_m3"})
