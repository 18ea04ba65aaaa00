"""Dense functions: text to vectors of floats."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.dense.default import DefaultEmbeddingFunction
    from hybridge.dense.jina import JinaEmbeddingFunction
    from hybridge.dense.onnx import OnnxEmbeddingFunction
    from hybridge.dense.openai import OpenAIEmbeddingFunction
    from hybridge.dense.sentence_transformer import SentenceTransformerEmbeddingFunction

__all__ = [
    "DefaultEmbeddingFunction",
    "JinaEmbeddingFunction",
    "OnnxEmbeddingFunction",
    "OpenAIEmbeddingFunction",
    "SentenceTransformerEmbeddingFunction",
]

__getattr__ = lazy_names(
    __name__,
    {
        "DefaultEmbeddingFunction": "hybridge.dense.default",
        "JinaEmbeddingFunction": "hybridge.dense.jina",
        "OnnxEmbeddingFunction": "hybridge.dense.onnx",
        "OpenAIEmbeddingFunction": "hybridge.dense.openai",
        "SentenceTransformerEmbeddingFunction": "hybridge.dense.sentence_transformer",
    },
)
