"""What a vector store answers: searches of every kind, documents by id, and all there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore
from typing_extensions import Unpack

from hybridge.records import Hit
from hybridge.store.store import MilvusStore
from langchain_hybridge.convert import make_document, make_found_document
from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.options import MMROptions, ScoreOptions, SearchOptions
from langchain_hybridge.searcher import Searcher

# LangChain's base class takes `**kwargs: Any`; naming the options shows them to editors and type
# checkers, which see that as a narrower signature.


class ReadMethods(VectorStore):
    """The methods of a vector store that read, sync and async.

    Everywhere, `k` is how many documents come back; None takes the vector store's own. `options`
    are `SearchOptions` (or those named); one that does not exist is an error. Methods that take a
    vector take the text of the query as `query=` too, for BM25; without it they search densely.
    """

    store: MilvusStore
    searcher: Searcher

    def similarity_search(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[Document]:
        """Return the k best documents for a text, best first."""
        return _documents(self.searcher.hits({"k": k, **options}, query), options)

    async def asimilarity_search(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[Document]:
        """Async twin of `similarity_search`."""
        return _documents(await self.searcher.ahits({"k": k, **options}, query), options)

    def similarity_search_with_score(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Return documents with their scores (cosine, BM25 sum, fused); higher is better."""
        return _scored(self.searcher.hits({"k": k, **options}, query), options)

    async def asimilarity_search_with_score(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_score`."""
        return _scored(await self.searcher.ahits({"k": k, **options}, query), options)

    # --- by vector -----------------------------------------------------------------------------

    def similarity_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Document]:
        """Return the k best documents for a vector, best first."""
        return _documents(self.searcher.hits({"k": k, **options}, query, embedding), options)

    async def asimilarity_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Document]:
        """Async twin of `similarity_search_by_vector`."""
        hits = await self.searcher.ahits({"k": k, **options}, query, embedding)
        return _documents(hits, options)

    def similarity_search_with_score_by_vector(
        self,
        embedding: list[float],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[tuple[Document, float]]:
        """Return documents for a vector, with their scores; higher is better."""
        return _scored(self.searcher.hits({"k": k, **options}, query, embedding), options)

    async def asimilarity_search_with_score_by_vector(
        self,
        embedding: list[float],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_score_by_vector`."""
        hits = await self.searcher.ahits({"k": k, **options}, query, embedding)
        return _scored(hits, options)

    # --- relevance -----------------------------------------------------------------------------

    def similarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[ScoreOptions]
    ) -> list[tuple[Document, float]]:
        """Return documents with their relevance in [0, 1]; see `hybridge.retrieval.relevance`.

        LangChain's own method applies `score_threshold`, and logs a warning if nothing is left.
        """
        search = super().similarity_search_with_relevance_scores
        return search(query, k, **options)  # type: ignore[arg-type]  # it hands k on

    async def asimilarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[ScoreOptions]
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_relevance_scores`."""
        search = super().asimilarity_search_with_relevance_scores
        return await search(query, k, **options)  # type: ignore[arg-type]

    def _similarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        return _relevant(self.searcher.hits({"k": k, **options}, query), options)

    async def _asimilarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        return _relevant(await self.searcher.ahits({"k": k, **options}, query), options)

    # --- maximal marginal relevance ------------------------------------------------------------

    def max_marginal_relevance_search(  # type: ignore[override]
        self,
        query: str,
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Return k documents that are relevant and unlike each other.

        Args:
            query: The text.
            k: How many documents.
            fetch_k: How many documents to choose them from; max(20, 4 k) if None.
            lambda_mult: 1 is relevance alone, 0 is diversity alone.
            **options: See the class.
        """
        hits = self.searcher.unlike_hits(
            {"k": k, **options}, query, fetch_k=fetch_k, balance=lambda_mult
        )
        return _documents(hits, options)

    async def amax_marginal_relevance_search(  # type: ignore[override]
        self,
        query: str,
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Async twin of `max_marginal_relevance_search`."""
        hits = await self.searcher.aunlike_hits(
            {"k": k, **options}, query, fetch_k=fetch_k, balance=lambda_mult
        )
        return _documents(hits, options)

    def max_marginal_relevance_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float],
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        *,
        query: str | None = None,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Same as `max_marginal_relevance_search`, but takes a vector."""
        hits = self.searcher.unlike_hits(
            {"k": k, **options}, query, embedding, fetch_k=fetch_k, balance=lambda_mult
        )
        return _documents(hits, options)

    async def amax_marginal_relevance_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float],
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        *,
        query: str | None = None,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Async twin of `max_marginal_relevance_search_by_vector`."""
        hits = await self.searcher.aunlike_hits(
            {"k": k, **options}, query, embedding, fetch_k=fetch_k, balance=lambda_mult
        )
        return _documents(hits, options)

    # --- without a search ----------------------------------------------------------------------

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of these ids, each once, in order; missing ones are left out."""
        return [make_document(record) for record in self.store.get(list(dict.fromkeys(ids)))]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Async twin of `get_by_ids`."""
        records = await self.store.aget(list(dict.fromkeys(ids)))
        return [make_document(record) for record in records]

    def scroll(
        self, filter: LangChainFilter = None, *, expr: str | None = None
    ) -> Iterator[Document]:
        """Yield every document, or every one that matches, without any search."""
        return map(make_document, self.store.scroll(make_filter(filter), expr=expr))

    async def ascroll(
        self, filter: LangChainFilter = None, *, expr: str | None = None
    ) -> AsyncIterator[Document]:
        """Async twin of `scroll`."""
        async for record in self.store.ascroll(make_filter(filter), expr=expr):
            yield make_document(record)


def _documents(hits: Sequence[Hit], options: Mapping[str, Any]) -> list[Document]:
    return [make_found_document(hit, options) for hit in hits]


def _scored(hits: Sequence[Hit], options: Mapping[str, Any]) -> list[tuple[Document, float]]:
    return [(make_found_document(hit, options), hit.score) for hit in hits]


def _relevant(hits: Sequence[Hit], options: Mapping[str, Any]) -> list[tuple[Document, float]]:
    return [(make_found_document(hit, options), hit.relevance) for hit in hits]
