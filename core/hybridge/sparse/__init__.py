"""Sparse functions: text to vectors of weighted terms."""

from typing import TYPE_CHECKING

from hybridge.lazy import lazy_names

if TYPE_CHECKING:
    from hybridge.sparse.analyzer import build_default_analyzer
    from hybridge.sparse.bm25 import BM25EmbeddingFunction
    from hybridge.sparse.nltk_analyzer import NLTKAnalyzer
    from hybridge.sparse.splade import SpladeEmbeddingFunction

__all__ = [
    "BM25EmbeddingFunction",
    "NLTKAnalyzer",
    "SpladeEmbeddingFunction",
    "build_default_analyzer",
]

__getattr__ = lazy_names(
    __name__,
    {
        "BM25EmbeddingFunction": "hybridge.sparse.bm25",
        "NLTKAnalyzer": "hybridge.sparse.nltk_analyzer",
        "SpladeEmbeddingFunction": "hybridge.sparse.splade",
        "build_default_analyzer": "hybridge.sparse.analyzer",
    },
)
