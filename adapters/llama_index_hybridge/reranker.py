"""Hybridge's rerankers as LlamaIndex node postprocessors."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle
from typing_extensions import TypedDict, Unpack

from hybridge.arguments import check_flag, parse_items
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.registry import as_rerank_function
from hybridge.reranker import JinaRerankFunction
from hybridge.retrieval.reranking import reranked
from hybridge.store import pack_function, parse_limit
from hybridge.texts import check_text, parse_texts
from llama_index_hybridge.arguments import (
    FunctionField,
    check_given,
    name_of,
    parse_settings,
)
from llama_index_hybridge.spellings import JINA_RERANK, RERANK

_dispatcher = get_dispatcher(__name__)


class RerankSettings(TypedDict, total=False):
    """The settings of `BaseNodePostprocessor`.

    Attributes:
        callback_manager: Told of the start and the end of every call.
        keep_retrieval_score: Whether nodes carry the score that they came with, as
            `metadata["retrieval_score"]`.
    """

    callback_manager: CallbackManager
    keep_retrieval_score: bool


class Rerank(BaseNodePostprocessor):
    """Orders retrieved nodes anew by any rerank function of Hybridge.

    The function sees each node's text with the metadata that the embedding saw
    (`MetadataMode.EMBED`), as LlamaIndex's own rerankers do. The nodes given are left as they are.

    Args:
        function: The rerank function, such as `hybridge.JinaRerankFunction()`, or its name, such
            as "cross-encoder/ms-marco-MiniLM-L6-v2" (see `hybridge.registry.rerank_function`). Only
            a name is part of `to_dict()`.
        top_n: How many nodes to return.
        model_name: What events call the function; its own `model_name` if left out.
        **settings: Those of `BaseNodePostprocessor`: `callback_manager`.

    Raises:
        InvalidInputError: If `top_n` is less than 1, `function` no function, or there is no such
            setting; on use, if what is given are no nodes and no query, or the function gives an
            answer that makes no sense.
    """

    function: FunctionField = Field(repr=False, description="The rerank function, or its name.")
    top_n: int = Field(description="How many nodes to return.")
    model_name: str = Field(description="The name of the rerank function.")
    keep_retrieval_score: bool = Field(default=False, description="Whether nodes carry it.")
    _function: RerankFunction = PrivateAttr()

    def __init__(
        self,
        function: RerankFunction | str,
        top_n: int = 5,
        *,
        model_name: str | None = None,
        **settings: Unpack[RerankSettings],
    ) -> None:
        check_given(function)
        known = type(self).model_fields  # those of subclasses too
        given = parse_settings(settings, known, type(self).__name__, RERANK)
        check_flag(given.get("keep_retrieval_score", False), "keep_retrieval_score")
        resolved = as_rerank_function(function)
        fields: dict[str, Any] = {
            "function": function,
            "top_n": parse_limit(top_n, "top_n"),
            "model_name": model_name or name_of(resolved),
        }
        super().__init__(**fields, **given)
        self._function = resolved

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeRerank"

    def __getstate__(self) -> dict[str, Any]:
        pack_function(self._function, "the function")  # refuses one that may hold a key
        return super().__getstate__()

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        given, query = _parse_request(nodes, query_bundle)
        with self._events(given, query) as ranked:
            ranked += self._rank(given, query)
        return ranked

    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        given, query = _parse_request(nodes, query_bundle)
        with self._events(given, query) as ranked:
            ranked += await asyncio.to_thread(self._rank, given, query)
        return ranked

    def _rank(self, nodes: list[NodeWithScore], query: QueryBundle) -> list[NodeWithScore]:
        contents = [node.node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        texts = parse_texts(contents, "nodes")
        results = reranked(self._function, query.query_str, texts, self.top_n)
        return [self._scored(nodes[one.index], one.score) for one in results]

    def _scored(self, given: NodeWithScore, score: float) -> NodeWithScore:
        if not self.keep_retrieval_score:
            return NodeWithScore(node=given.node, score=score)
        metadata = {**given.node.metadata, "retrieval_score": given.score}
        return NodeWithScore(node=given.node.model_copy(update={"metadata": metadata}), score=score)

    @contextmanager
    def _events(
        self, nodes: list[NodeWithScore], query: QueryBundle
    ) -> Generator[list[NodeWithScore], None, None]:
        """Tell observers of the start and, whatever happens, of the end; yield the list to fill."""
        ranked: list[NodeWithScore] = []
        payload: dict[str, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model_name,
            EventPayload.QUERY_STR: query.query_str,
            EventPayload.TOP_K: self.top_n,
        }
        _dispatcher.event(
            ReRankStartEvent(query=query, nodes=nodes, top_n=self.top_n, model_name=self.model_name)
        )
        try:
            with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:
                yield ranked
                event.on_end(payload={EventPayload.NODES: ranked})
        finally:
            _dispatcher.event(ReRankEndEvent(nodes=ranked))


class JinaRerank(Rerank):
    """Orders retrieved nodes anew by Jina's API.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`. It is never serialised: where
            a `to_dict()` or a pickle is loaded, the environment is read again.
        top_n: How many nodes to return.
        base_url: Where the API is, if not at Jina's own address.
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.
        **settings: Those of `BaseNodePostprocessor`: `callback_manager`.

    Raises:
        AuthenticationError: If there is no key.
        InvalidInputError: See `Rerank`.
        ApiError: On use: if the API refuses, fails or gives an answer that cannot be trusted.
    """

    function: Any = Field(default=None, exclude=True, repr=False)
    base_url: str = Field(description="Where the API is.")
    timeout: float | tuple[float, float] = Field(description="Seconds to wait.")

    def __init__(
        self,
        model_name: str = "jina-reranker-v2-base-multilingual",
        api_key: str | None = None,
        *,
        top_n: int = 5,
        base_url: str | None = None,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        **settings: Unpack[RerankSettings],
    ) -> None:
        known = {*type(self).model_fields, "api_key"} - {"function"}
        given = parse_settings(settings, known, type(self).__name__, JINA_RERANK)
        _check_model_name(model_name)
        seconds: Any = tuple(timeout) if isinstance(timeout, list) else timeout  # JSON has lists
        function = JinaRerankFunction(model_name, api_key, base_url=base_url, timeout=seconds)
        fields: dict[str, Any] = {"base_url": function.base_url, "timeout": seconds, **given}
        super().__init__(function, top_n, **fields)

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serialises the class under."""
        return "HybridgeJinaRerank"


def _parse_request(
    nodes: list[NodeWithScore], query: QueryBundle | None
) -> tuple[list[NodeWithScore], QueryBundle]:
    """Return nodes and query, once the whole request makes sense: before anyone is told of it."""
    given = parse_items(nodes, NodeWithScore, "nodes")
    if not isinstance(query, QueryBundle):
        kind = "" if query is None else f", not a {type(query).__name__} as query_bundle"
        msg = f"a reranker needs the query{kind}: postprocess_nodes(nodes, query_str=...)"
        raise InvalidInputError(msg)
    check_text(query.query_str, "query_str")
    return given, query


def _check_model_name(name: str) -> None:
    if isinstance(name, int):  # what LlamaIndex's own JinaRerank takes first
        msg = f"model_name must be a string, not {type(name).__name__}: a number is for top_n="
        raise InvalidInputError(msg)
    check_text(name, "model_name")
