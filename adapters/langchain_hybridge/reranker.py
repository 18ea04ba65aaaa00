"""Hybridge's rerankers as LangChain document compressors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager, Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import RunnableLambda
from pydantic import ConfigDict, Field, SecretStr, SkipValidation
from typing_extensions import Never

from hybridge.arguments import check_fraction, parse_items
from hybridge.errors import InvalidInputError
from hybridge.protocols import RerankFunction
from hybridge.registry import as_rerank_function
from hybridge.reranker import JinaRerankFunction
from hybridge.retrieval.reranking import reranked
from hybridge.spellings import check_names
from hybridge.store import pack_function, parse_limit
from hybridge.texts import check_text, parse_texts
from langchain_hybridge.convert import RELEVANCE
from langchain_hybridge.spellings import JINA_RERANK, RERANK


class Rerank(BaseDocumentCompressor):
    """Orders retrieved documents anew by any rerank function of Hybridge.

    Documents come back as copies, with the score as "relevance_score" in their metadata. Each call
    shows as a run of its own in traces.

    Args:
        function: The rerank function, such as `hybridge.JinaRerankFunction()`, or its name, such
            as "jina/jina-reranker-v2-base-multilingual" (see `hybridge.registry.rerank_function`).
        top_n: How many documents to return.
        score_threshold: The least relevance, in [0, 1], of a document that is returned: the score
            where the function gives probabilities, else 1 / (1 + e^-score).

    Raises:
        InvalidInputError: If `top_n` is less than 1, `function` no function, or there is no such
            argument; on use, if what is given are no documents and no query, or the function gives
            an answer that makes no sense.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    function: SkipValidation[RerankFunction] = Field(exclude=True)
    top_n: int = 5
    score_threshold: float | None = None

    def __init__(
        self,
        function: RerankFunction | str,
        top_n: int = 5,
        *,
        score_threshold: float | None = None,
        **others: Never,
    ) -> None:
        known = type(self).model_fields  # those of subclasses too
        check_names(others, known, type(self).__name__, RERANK)
        if score_threshold is not None:
            check_fraction(score_threshold, "score_threshold")
        own: dict[str, Any] = {
            "function": as_rerank_function(function),
            "top_n": parse_limit(top_n, "top_n"),
            "score_threshold": score_threshold,
        }
        super().__init__(**own, **others)

    def __getstate__(self) -> dict[Any, Any]:
        pack_function(self.function, "the function")  # refuses one that may hold a key
        return super().__getstate__()

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Return the `top_n` best documents, best first; equal scores in their old order.

        Args:
            documents: What may answer the query; the function is not called for an empty list.
            query: What is asked.
            callbacks: Told of the start and the end of the run.
        """
        request = _parse_request(documents, query, callbacks)
        return self._run().invoke(request, {"callbacks": callbacks})

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Async twin of `compress_documents`; the function runs on a thread."""
        request = _parse_request(documents, query, callbacks)
        return await self._run().ainvoke(request, {"callbacks": callbacks})

    def _run(self) -> RunnableLambda[dict[str, Any], list[Document]]:
        return RunnableLambda(self._rank, name=type(self).__name__)

    def _rank(self, request: dict[str, Any]) -> list[Document]:
        documents: list[Document] = request["documents"]
        texts = parse_texts([document.page_content for document in documents], "documents")
        query, least = request["query"], self.score_threshold
        results = reranked(self.function, query, texts, self.top_n, least)
        return [_scored(documents[result.index], result.score) for result in results]


class JinaRerank(Rerank):
    """Orders retrieved documents anew by Jina's API.

    Its `repr`, `model_dump()` and pickles hold no key: where one is loaded, the environment is
    read again.

    Args:
        model_name: The model.
        api_key: The key; else `JINA_API_KEY`, else `JINAAI_API_KEY`.
        top_n: How many documents to return.
        score_threshold: See `Rerank`.
        base_url: Where the API is, if not at Jina's own address.
        timeout: Seconds to wait for a connection and for the next bytes, as one number or as two.

    Raises:
        AuthenticationError: If there is no key.
        InvalidInputError: See `Rerank`.
        ApiError: On use: if the API refuses, fails or gives an answer that cannot be trusted.
    """

    model_config = ConfigDict(protected_namespaces=())  # for `model_name`

    model_name: str
    api_key: SecretStr | None
    base_url: str
    timeout: float | tuple[float, float]

    def __init__(
        self,
        model_name: str = "jina-reranker-v2-base-multilingual",
        api_key: SecretStr | str | None = None,
        *,
        top_n: int = 5,
        score_threshold: float | None = None,
        base_url: str | None = None,
        timeout: float | tuple[float, float] = (5.0, 60.0),
        **others: Never,
    ) -> None:
        known = type(self).model_fields.keys() - {"function"}
        check_names(others, known, type(self).__name__, JINA_RERANK)
        check_text(model_name, "model_name")
        key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key
        function = JinaRerankFunction(model_name, key, base_url=base_url, timeout=timeout)
        fields: dict[str, Any] = {
            "model_name": model_name,
            "api_key": None if key is None else SecretStr(key),
            "base_url": function.base_url,
            "timeout": timeout,
        }
        super().__init__(function, top_n, score_threshold=score_threshold, **fields, **others)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "api_key": None}}


def _parse_request(
    documents: Sequence[Document], query: str, callbacks: Callbacks
) -> dict[str, Any]:
    check_text(query, "query")
    if not isinstance(callbacks, (BaseCallbackManager, list, type(None))):
        msg = f"callbacks must be a list of callback handlers, not {type(callbacks).__name__}"
        raise InvalidInputError(msg)
    if isinstance(callbacks, list):
        parse_items(callbacks, BaseCallbackHandler, "callbacks")
    return {"query": query, "documents": parse_items(documents, Document, "documents")}


def _scored(document: Document, score: float) -> Document:
    metadata = {**document.metadata, RELEVANCE: score}
    return document.model_copy(update={"metadata": metadata})
