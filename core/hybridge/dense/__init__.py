"""Dense functions: text to vectors of floats."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.dense.default import DefaultEmbeddingFunction
    from hybridge.dense.sentence_transformer import SentenceTransformerEmbeddingFunction

__all__ = ["DefaultEmbeddingFunction", "SentenceTransformerEmbeddingFunction"]

__getattr__ = lazy_names(
    __name__,
    {
        "DefaultEmbeddingFunction": "hybridge.dense.default",
        "SentenceTransformerEmbeddingFunction": "hybridge.dense.sentence_transformer",
    },
)
