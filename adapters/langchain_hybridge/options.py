"""The options of a search, and how they become arguments of the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import TypedDict

from hybridge.arguments import check_flag, check_fraction
from hybridge.protocols import RerankFunction
from hybridge.spellings import check_names
from hybridge.store import FetchK, Fusion, Mode, SearchParams
from hybridge.texts import check_text
from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.reranker import Rerank
from langchain_hybridge.spellings import SEARCH


class CommonOptions(TypedDict, total=False):
    """What every search method takes; see `hybridge.store.Query`.

    What is left out, or None, is as the vector store was constructed.

    Attributes:
        mode: The vector fields to search: "dense", "sparse", "hybrid", another name, or several.
        filter: Which documents may be found: a tree, its `$` spelling, or a structured query.
        expr: A raw Milvus expression that must hold as well.
        fusion: How several rankings become one.
        with_scores: Whether documents say how they scored, in their metadata.
        with_vectors: Whether documents carry their vectors, in their metadata.
        with_context: Whether documents carry their context, in their metadata.
        id_key: The metadata key under which documents carry their id as well, in place of what they
            have there: `EnsembleRetriever(id_key=)` looks for it.
        search_params: What the indexes of a server are searched with, such as `{"ef": 128}`.
    """

    mode: Mode | None
    filter: LangChainFilter
    expr: str | None
    fusion: Fusion | str | None
    with_scores: bool
    with_vectors: bool
    with_context: bool
    id_key: str | None
    search_params: SearchParams


class MMROptions(CommonOptions, total=False):
    """What the methods of maximal marginal relevance take.

    Attributes:
        mmr_field: The dense field whose vectors are compared; the first one if None.
    """

    mmr_field: str | None


class SearchOptions(CommonOptions, total=False):
    """What every search method but those of MMR takes.

    Attributes:
        offset: How many of the best documents are left out; see `hybridge.store.Query`.
        fetch_k: How deep each field is read where several are fused.
        reranker: Orders the first hits anew: a rerank function, or a `Rerank`.
        score_threshold: The least relevance, in [0, 1], of a document that is returned.
    """

    offset: int | None
    fetch_k: FetchK
    reranker: RerankFunction | Rerank | None
    score_threshold: float | None


def search_arguments(
    options: Mapping[str, Any], allowed: type[CommonOptions] = SearchOptions
) -> dict[str, Any]:
    """Return the options that say something, as arguments of the store.

    Those that are for what is made of the hits are checked, and left out.

    Args:
        options: The options, and k.
        allowed: The options that there are.

    Raises:
        InvalidInputError: If there is no such option, or it makes no sense.
    """
    names = ["k", *allowed.__annotations__]
    check_names(options, names, "a search", SEARCH)
    arguments = {name: value for name, value in options.items() if value is not None}
    for name in _OF_DOCUMENTS.keys() & arguments.keys():
        _OF_DOCUMENTS[name](arguments.pop(name), name)
    if "filter" in arguments:
        arguments["filter"] = make_filter(arguments["filter"])
    if isinstance(arguments.get("reranker"), Rerank):
        arguments["reranker"] = arguments["reranker"].function
    return arguments


_OF_DOCUMENTS: Mapping[str, Callable[[Any, str], None]] = {
    "with_scores": check_flag,
    "with_context": check_flag,
    "id_key": check_text,
    "score_threshold": check_fraction,
}


def search_request(
    defaults: Mapping[str, Any],
    options: Mapping[str, Any],
    query: str | None,
    vector: Any = None,
    allowed: type[CommonOptions] = SearchOptions,
) -> dict[str, Any]:
    """Return the arguments of `MilvusStore.search` for one query.

    Args:
        defaults: The options that a call leaves out.
        options: The options of the call, and k.
        query: The text; without it the vector is searched for densely, whatever the default mode.
        vector: The vector, where the caller has it.
        allowed: The options that there are.

    Raises:
        InvalidInputError: If there is no such option, or neither a text nor a vector.
    """
    if vector is None:
        check_text(query, "query")
    arguments = search_arguments(options, allowed)
    if query is None and not isinstance(vector, Mapping):
        arguments = {"mode": "dense", **arguments}
    return {**defaults, **arguments, "query": query, "vector": vector}
