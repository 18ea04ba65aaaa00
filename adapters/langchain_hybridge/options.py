"""The options of a search, and how they become arguments of the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.retrieval.fusion import Fusion
from hybridge.store.plan import FetchK, Mode
from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.reranker import Rerank


class MMROptions(TypedDict, total=False):
    """What every search method takes; see `hybridge.MilvusStore.search`.

    What is left out, or None, is as the vector store was constructed.

    Attributes:
        mode: "dense", "sparse" or "hybrid".
        filter: Which documents may be found: a tree, its `$` spelling, or a structured query.
        expr: A raw Milvus expression that must hold as well.
        fusion: How two legs become one ranking.
        with_scores: Whether documents say how they scored, in their metadata.
        with_vectors: Whether documents carry their dense vector, in their metadata.
    """

    mode: Mode | None
    filter: LangChainFilter
    expr: str | None
    fusion: Fusion | str | None
    with_scores: bool
    with_vectors: bool


class SearchOptions(MMROptions, total=False):
    """What every search method but those of MMR takes.

    Attributes:
        fetch_k: How deep each leg is read in hybrid mode.
        reranker: Orders the first hits anew: a rerank function, or a `Rerank`.
    """

    fetch_k: FetchK
    reranker: RerankFunction | Rerank | None


class ScoreOptions(SearchOptions, total=False):
    """What the methods that return relevances take.

    Attributes:
        score_threshold: The least relevance, in [0, 1], of a document that is returned.
    """

    score_threshold: float | None


def search_arguments(
    options: Mapping[str, Any], allowed: type[MMROptions] = SearchOptions
) -> dict[str, Any]:
    """Return the options that say something, as arguments of the store.

    Args:
        options: The options, and k.
        allowed: The options that there are.

    Raises:
        InvalidInputError: If there is no such option.
    """
    names = ["k", *allowed.__annotations__]
    if unknown := [name for name in options if name not in names]:
        msg = f"a search has no argument {unknown[0]!r}; it has {', '.join(sorted(names))}"
        raise InvalidInputError(msg)
    arguments = {name: value for name, value in options.items() if value is not None}
    arguments.pop("with_scores", None)
    if "filter" in arguments:
        arguments["filter"] = make_filter(arguments["filter"])
    if isinstance(arguments.get("reranker"), Rerank):
        arguments["reranker"] = arguments["reranker"].function
    return arguments
