"""Dense functions: text to vectors of floats."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.dense.api import ApiEmbeddingFunction
    from hybridge.dense.default import DefaultEmbeddingFunction
    from hybridge.dense.jina import JinaEmbeddingFunction
    from hybridge.dense.model2vec import Model2VecEmbeddingFunction
    from hybridge.dense.onnx import OnnxEmbeddingFunction
    from hybridge.dense.openai import OpenAIEmbeddingFunction
    from hybridge.dense.providers import (
        CohereEmbeddingFunction,
        GeminiEmbeddingFunction,
        MistralAIEmbeddingFunction,
        NomicEmbeddingFunction,
        TEIEmbeddingFunction,
        VoyageEmbeddingFunction,
    )
    from hybridge.dense.sentence_transformer import SentenceTransformerEmbeddingFunction

__all__ = [
    "ApiEmbeddingFunction",
    "CohereEmbeddingFunction",
    "DefaultEmbeddingFunction",
    "GeminiEmbeddingFunction",
    "JinaEmbeddingFunction",
    "MistralAIEmbeddingFunction",
    "Model2VecEmbeddingFunction",
    "NomicEmbeddingFunction",
    "OnnxEmbeddingFunction",
    "OpenAIEmbeddingFunction",
    "SentenceTransformerEmbeddingFunction",
    "TEIEmbeddingFunction",
    "VoyageEmbeddingFunction",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ApiEmbeddingFunction": "hybridge.dense.api",
        "CohereEmbeddingFunction": "hybridge.dense.providers",
        "DefaultEmbeddingFunction": "hybridge.dense.default",
        "GeminiEmbeddingFunction": "hybridge.dense.providers",
        "JinaEmbeddingFunction": "hybridge.dense.jina",
        "MistralAIEmbeddingFunction": "hybridge.dense.providers",
        "Model2VecEmbeddingFunction": "hybridge.dense.model2vec",
        "NomicEmbeddingFunction": "hybridge.dense.providers",
        "OnnxEmbeddingFunction": "hybridge.dense.onnx",
        "OpenAIEmbeddingFunction": "hybridge.dense.openai",
        "SentenceTransformerEmbeddingFunction": "hybridge.dense.sentence_transformer",
        "TEIEmbeddingFunction": "hybridge.dense.providers",
        "VoyageEmbeddingFunction": "hybridge.dense.providers",
    },
)
