"""What `sparse=` can be, and how it is described in a layout."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from hybridge.errors import CollectionMismatchError
from hybridge.protocols import SparseEmbeddingFunction
from hybridge.registry import as_sparse_function
from hybridge.retrieval.relevance import bm25_relevance, inner_product_relevance
from hybridge.sparse.analyzer import as_analyzer
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.weighting import Weighting
from hybridge.store.collection import Collection
from hybridge.store.layouts import Layout
from hybridge.store.legs import SparseLeg
from hybridge.store.live_bm25 import LiveBM25


class Auto(Enum):
    """The type of `AUTO`."""

    AUTO = "AUTO"

    def __repr__(self) -> str:
        return "AUTO"


AUTO: Final = Auto.AUTO
"""Take what the collection has; for a new one, BM25 over English text."""

Sparse: TypeAlias = "Literal[Auto.AUTO] | str | SparseEmbeddingFunction | None"
_BM25 = "bm25"


def resolve_sparse(sparse: Sparse) -> Literal[Auto.AUTO] | SparseEmbeddingFunction | None:
    """Return the argument with names turned into functions.

    An unfitted `BM25EmbeddingFunction` stands for the store's own BM25 with its settings.

    Raises:
        InvalidInputError: If it is nothing that `sparse=` can be.
    """
    if sparse is None or isinstance(sparse, Auto):
        return sparse
    return as_sparse_function(sparse)


def describe(sparse: Literal[Auto.AUTO] | SparseEmbeddingFunction | None) -> dict[str, Any] | None:
    """Return how a layout describes a sparse function."""
    if sparse is None:
        return None
    if isinstance(sparse, Auto):
        sparse = BM25EmbeddingFunction()
    if isinstance(sparse, BM25EmbeddingFunction) and not sparse.fitted:
        weighting = sparse.weighting
        return {
            "kind": _BM25,
            "analyzer": sparse.analyzer.identity,
            "language": getattr(sparse.analyzer, "language", None),
            "k1": weighting.k1,
            "b": weighting.b,
            "idf": weighting.idf,
            "epsilon": weighting.epsilon,
        }
    return {"kind": "function"}


def sparse_leg(
    sparse: Literal[Auto.AUTO] | SparseEmbeddingFunction | None,
    layout: Layout,
    collection: Collection,
) -> SparseLeg | None:
    """Return the sparse leg of a collection, or None where it has no sparse vectors."""
    if layout.sparse is None:
        return None
    if layout.sparse["kind"] == _BM25:
        function = _settings(sparse, layout.sparse, collection.name)
        live = LiveBM25(collection, function.analyzer, function.weighting)
        return SparseLeg(live, bm25_relevance)
    if isinstance(sparse, Auto) or sparse is None:
        return SparseLeg(None)
    relevance = (
        bm25_relevance if isinstance(sparse, BM25EmbeddingFunction) else inner_product_relevance
    )
    return SparseLeg(sparse, relevance)


def _settings(sparse: object, stored: Mapping[str, Any], name: str) -> BM25EmbeddingFunction:
    """Return a function with the analyzer and weighting of a stored collection."""
    if isinstance(sparse, BM25EmbeddingFunction):
        return sparse  # compared with the stored one before
    if stored["language"] is None:
        msg = (
            f"collection {name!r} was indexed by the analyzer {stored['analyzer']!r}, which cannot "
            "be made from its name: pass sparse=BM25EmbeddingFunction(<that analyzer>)"
        )
        raise CollectionMismatchError(msg)
    analyzer = as_analyzer(stored["language"])
    if analyzer.identity != stored["analyzer"]:
        msg = (
            f"collection {name!r} was indexed by the analyzer {stored['analyzer']!r}, and this "
            f"installation has {analyzer.identity!r}: install the versions it names, or index anew"
        )
        raise CollectionMismatchError(msg)
    weighting = Weighting(**{key: stored[key] for key in ("k1", "b", "idf", "epsilon")})
    return BM25EmbeddingFunction(
        analyzer, k1=weighting.k1, b=weighting.b, epsilon=weighting.epsilon, idf=weighting.idf
    )
