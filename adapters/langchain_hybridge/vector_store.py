"""`MilvusVectorStore`: LangChain's vector store over a `hybridge.MilvusStore`."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore, VectorStoreRetriever
from typing_extensions import Self, Unpack

from hybridge import Hit, MilvusStore
from hybridge.arguments import check_fraction, check_function, parse_items
from hybridge.closing import Closing, closed_on_error
from hybridge.copies import SharedCopies
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.spellings import check_names, names_of
from hybridge.store import (
    BATCH_SIZE,
    DenseVector,
    FetchK,
    Fusion,
    Mode,
    NewIds,
    Query,
    StoreArguments,
    bound_store,
    check_named,
)
from langchain_hybridge.batching import StoreRetriever
from langchain_hybridge.convert import (
    make_document,
    make_found_document,
    make_records,
    parse_ids,
    parse_key,
)
from langchain_hybridge.embeddings import as_dense_function, as_embeddings, as_sparse_function
from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.options import (
    MMROptions,
    SearchOptions,
    search_arguments,
    search_request,
)
from langchain_hybridge.spellings import AS_RETRIEVER, VECTOR_STORE

# LangChain's base class takes `**kwargs: Any`; naming the options shows them to editors and type
# checkers, which see that as a narrower signature.


class MilvusVectorStore(SharedCopies, Closing, VectorStore):
    """LangChain documents in a Milvus collection, searched by any number of vector fields.

    Nothing is opened before the first call that needs Milvus, and nothing is embedded before a
    request is checked. Every method may be called from any thread; every async one may be awaited
    in any event loop, and leaves it free. Errors are those of `hybridge.MilvusStore`.

    `Document.id` is the primary key, and comes back in `Document.id` only. In searches, `k` is how
    many documents come back; None takes the vector store's own. `options` are `SearchOptions` (or
    those named); one that does not exist is an error.

    Args:
        embedding: LangChain embeddings, or a dense function of Hybridge, or its name (see
            `hybridge.registry.dense_function`). None for a store that searches by BM25 alone, or
            one whose `store` has a dense function.
        store: An open `MilvusStore` to use, in place of all arguments that it has too. Closing the
            vector store closes it.
        mode: The fields that a search uses which names none; see `hybridge.store.Query`.
        k: How many documents a search returns that does not say it.
        fetch_k: How deep each field is read where several are fused; max(4 k, 100) if None.
        fusion: How several rankings become one; `ConfidenceWeighted()` if None.
        context_key: The metadata key whose text is a document's context; see `hybridge.Record`.
        relevance_score_fn: Makes a document's relevance, in [0, 1], of its score (cosine, BM25 sum,
            fused; higher is better) in place of the absolute one; thresholds compare with that.
        **arguments: Those of `hybridge.MilvusStore`: `uri`, `collection_name`, `token`, `db_name`,
            `sparse`, `fields`, `search_fields`, `config`, `dim`, `metadata_schema`,
            `partition_key`, `text`, `metadata`, `average_length`, `health`, `metadata_encoder`,
            `overwrite`, `timeout`, `in_process_search`, `server`. A function may
            be LangChain's embeddings.

    Raises:
        InvalidInputError: If an argument makes no sense, or contradicts another.
    """

    def __init__(
        self,
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        *,
        store: MilvusStore | None = None,
        mode: Mode | None = None,
        k: int = 4,
        fetch_k: FetchK = None,
        fusion: Fusion | str | None = None,
        context_key: str | None = None,
        relevance_score_fn: Callable[[float], float] | None = None,
        **arguments: Unpack[StoreArguments],
    ) -> None:
        known = names_of(MilvusVectorStore.__init__, StoreArguments)
        check_names(arguments, known, type(self).__name__, VECTOR_STORE)
        self.defaults = search_arguments(
            {"k": k, "mode": mode, "fetch_k": fetch_k, "fusion": fusion}
        )
        Query.parse(queries=[], **self.defaults)
        self.store = bound_store(
            store, arguments, embedding, "embedding", as_dense_function, as_sparse_function
        )
        self.context_key = parse_key(context_key)
        check_function(relevance_score_fn, "relevance_score_fn", "a score")
        self.relevance_score_fn = relevance_score_fn
        self._embeddings = as_embeddings(self.store.dense if embedding is None else embedding)

    def __repr__(self) -> str:
        # Not the `repr` of the embeddings, which may show a key.
        return f"MilvusVectorStore({type(self._embeddings).__name__}, store={self.store!r})"

    def __getstate__(self) -> dict[str, Any]:
        check_named(self.relevance_score_fn, "relevance_score_fn")
        # The embeddings come back with the store's function, where that may be pickled.
        return {**vars(self), "_embeddings": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _embeddings=as_embeddings(state["store"].dense))

    @property
    def embeddings(self) -> Embeddings | None:
        """What makes the dense vectors, or None."""
        return self._embeddings

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | NewIds = None,
        contexts: list[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        **arguments: Any,
    ) -> Self:
        """Return a vector store that these texts were added to.

        Args:
            texts: See `add_texts`.
            embedding: See the class.
            metadatas: See `add_texts`.
            ids: See `add_texts`.
            contexts: See `add_texts`.
            batch_size: See `add_texts`.
            progress: See `add_texts`.
            **arguments: Those of the class.
        """
        vector_store = cls(embedding, **arguments)
        with closed_on_error(vector_store):
            vector_store.add_texts(
                texts,
                metadatas,
                ids=ids,
                contexts=contexts,
                batch_size=batch_size,
                progress=progress,
            )
        return vector_store

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        **arguments: Any,
    ) -> Self:
        """Return a vector store that these documents, or those of a loader, were added to.

        Args:
            documents: The documents.
            embedding: See the class.
            **arguments: Those of the class, and those of `from_texts`.
        """
        documents = parse_items(documents, Document, "documents")
        return super().from_documents(documents, embedding, **arguments)  # type: ignore[arg-type]

    @classmethod
    async def afrom_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        **arguments: Any,
    ) -> Self:
        """Async twin of `from_documents`."""
        documents = parse_items(documents, Document, "documents")
        return await super().afrom_documents(documents, embedding, **arguments)  # type: ignore[arg-type]

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | NewIds = None,
        contexts: list[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        **arguments: Any,
    ) -> Self:
        """Async twin of `from_texts`."""
        vector_store = cls(embedding, **arguments)
        with closed_on_error(vector_store):
            await vector_store.aadd_texts(
                texts,
                metadatas,
                ids=ids,
                contexts=contexts,
                batch_size=batch_size,
                progress=progress,
            )
        return vector_store

    @classmethod
    def from_existing_collection(
        cls,
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        **arguments: Any,
    ) -> Self:
        """Open a collection that is there already, whichever framework filled it.

        Args:
            embedding: See the class.
            **arguments: Those of the class.

        Raises:
            InvalidInputError: If there is no such collection.
        """
        vector_store = cls(embedding, **arguments)
        with closed_on_error(vector_store):
            vector_store.store.check_exists(cls.__name__)
        return vector_store

    def for_tenant(self, tenant: str) -> MilvusVectorStore:
        """Return a view that sees and writes one tenant's documents; see `MilvusStore`."""
        return MilvusVectorStore(
            store=self.store.for_tenant(tenant),
            context_key=self.context_key,
            relevance_score_fn=self.relevance_score_fn,
            **self.defaults,
        )

    def as_retriever(self, **fields: Any) -> VectorStoreRetriever:
        """Return LangChain's own retriever; its `batch` and `abatch` are one search.

        Args:
            **fields: `search_type` ("similarity", "similarity_score_threshold", "mmr"),
                `search_kwargs` (the options of that search, and k), `tags`, `metadata`, `name`.
                A `MilvusRetriever` takes options without `search_kwargs`.

        Raises:
            InvalidInputError: If there is no such argument.
        """
        known = StoreRetriever.model_fields.keys() - {"vectorstore"}
        check_names(fields, known, "as_retriever", AS_RETRIEVER)
        tags = fields.pop("tags", None) or self._get_retriever_tags()
        return StoreRetriever(vectorstore=self, tags=tags, **fields)

    # --- searching by text ---------------------------------------------------------------------

    def similarity_search(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[Document]:
        """Return the k best documents for a text, best first."""
        return self.documents(self._hits({"k": k, **options}, query), options)

    async def asimilarity_search(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[Document]:
        """Async twin of `similarity_search`."""
        return self.documents(await self._ahits({"k": k, **options}, query), options)

    def similarity_search_with_score(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Return documents with their scores (cosine, BM25 sum, fused); higher is better."""
        return self._scored(self._hits({"k": k, **options}, query), options)

    async def asimilarity_search_with_score(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_score`."""
        return self._scored(await self._ahits({"k": k, **options}, query), options)

    def similarity_search_with_vectors(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, DenseVector]]:
        """Return documents with their vectors of the field "dense", float32 of shape `(dim,)`."""
        hits = self._hits({"k": k, **options, "with_vectors": True}, query)
        return [(document, _vector(hit)) for document, hit in self.found(hits, options)]

    async def asimilarity_search_with_vectors(
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, DenseVector]]:
        """Async twin of `similarity_search_with_vectors`."""
        hits = await self._ahits({"k": k, **options, "with_vectors": True}, query)
        return [(document, _vector(hit)) for document, hit in self.found(hits, options)]

    # --- searching by vector -------------------------------------------------------------------

    # These take the text of the query as `query=` too, for BM25; without it they search densely,
    # or in the fields of a mapping of vectors by field.

    def similarity_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Document]:
        """Return the k best documents for a vector, or for vectors by field, best first."""
        return self.documents(self._hits({"k": k, **options}, query, embedding), options)

    async def asimilarity_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[Document]:
        """Async twin of `similarity_search_by_vector`."""
        return self.documents(await self._ahits({"k": k, **options}, query, embedding), options)

    def similarity_search_with_score_by_vector(
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[tuple[Document, float]]:
        """Return documents for a vector, with their scores; higher is better."""
        return self._scored(self._hits({"k": k, **options}, query, embedding), options)

    async def asimilarity_search_with_score_by_vector(
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        *,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_score_by_vector`."""
        return self._scored(await self._ahits({"k": k, **options}, query, embedding), options)

    # --- searching with relevance --------------------------------------------------------------

    def similarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Return documents with their relevance in [0, 1]; see `hybridge.retrieval.relevance`.

        LangChain's own method applies `score_threshold`, and logs a warning if nothing is left.
        """
        search_arguments({"k": k, **options})  # before it takes the threshold for itself
        search = super().similarity_search_with_relevance_scores
        return search(query, k, **options)  # type: ignore[arg-type]  # it hands k on

    async def asimilarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        """Async twin of `similarity_search_with_relevance_scores`."""
        search_arguments({"k": k, **options})
        search = super().asimilarity_search_with_relevance_scores
        return await search(query, k, **options)  # type: ignore[arg-type]

    def _similarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        hits = self._hits({"k": k, **options}, query)
        return [(document, hit.known_relevance) for document, hit in self.found(hits, options)]

    async def _asimilarity_search_with_relevance_scores(  # type: ignore[override]
        self, query: str, k: int | None = None, **options: Unpack[SearchOptions]
    ) -> list[tuple[Document, float]]:
        hits = await self._ahits({"k": k, **options}, query)
        return [(document, hit.known_relevance) for document, hit in self.found(hits, options)]

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
        request = self._mmr_request({"k": k, **options}, query, None, fetch_k, lambda_mult)
        return self.documents(self.store.search_mmr(**request), options)

    async def amax_marginal_relevance_search(  # type: ignore[override]
        self,
        query: str,
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Async twin of `max_marginal_relevance_search`."""
        request = self._mmr_request({"k": k, **options}, query, None, fetch_k, lambda_mult)
        return self.documents(await self.store.asearch_mmr(**request), options)

    def max_marginal_relevance_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        *,
        query: str | None = None,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Same as `max_marginal_relevance_search`, but takes a vector."""
        request = self._mmr_request({"k": k, **options}, query, embedding, fetch_k, lambda_mult)
        return self.documents(self.store.search_mmr(**request), options)

    async def amax_marginal_relevance_search_by_vector(  # type: ignore[override]
        self,
        embedding: list[float] | Mapping[str, Any],
        k: int | None = None,
        fetch_k: int | None = None,
        lambda_mult: float = 0.5,
        *,
        query: str | None = None,
        **options: Unpack[MMROptions],
    ) -> list[Document]:
        """Async twin of `max_marginal_relevance_search_by_vector`."""
        request = self._mmr_request({"k": k, **options}, query, embedding, fetch_k, lambda_mult)
        return self.documents(await self.store.asearch_mmr(**request), options)

    def _hits(self, options: Mapping[str, Any], query: str | None, vector: Any = None) -> list[Hit]:
        return self.store.search(**search_request(self.defaults, options, query, vector))

    async def _ahits(
        self, options: Mapping[str, Any], query: str | None, vector: Any = None
    ) -> list[Hit]:
        return await self.store.asearch(**search_request(self.defaults, options, query, vector))

    def found(self, hits: Sequence[Hit], options: Mapping[str, Any]) -> list[tuple[Document, Hit]]:
        """Return the documents of the hits that reach the threshold, each with its hit.

        Args:
            hits: What the store found.
            options: The options of the search; see `SearchOptions`.
        """
        threshold, rate = options.get("score_threshold"), self.relevance_score_fn
        return [
            (make_found_document(hit, options), hit)
            for hit in (hits if rate is None else [_rated(hit, rate) for hit in hits])
            if threshold is None or hit.reaches(threshold)
        ]

    def documents(self, hits: Sequence[Hit], options: Mapping[str, Any]) -> list[Document]:
        """Return the documents of the hits that reach the threshold; see `found`."""
        return [document for document, _ in self.found(hits, options)]

    def _scored(
        self, hits: Sequence[Hit], options: Mapping[str, Any]
    ) -> list[tuple[Document, float]]:
        return [(document, hit.score) for document, hit in self.found(hits, options)]

    def _mmr_request(
        self,
        options: Mapping[str, Any],
        query: str | None,
        vector: Any,
        fetch_k: int | None,
        balance: float,
    ) -> dict[str, Any]:
        request = search_request(self.defaults, options, query, vector, MMROptions)
        # Not the default `fetch_k`, which says how deep the fields are read.
        return {**request, "fetch_k": fetch_k, "balance": balance}

    # --- reading without a search --------------------------------------------------------------

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of these ids, each once, in order; missing ones are left out."""
        return [make_document(record) for record in _distinct(self.store.get(ids))]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Async twin of `get_by_ids`."""
        return [make_document(record) for record in _distinct(await self.store.aget(ids))]

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

    # --- writing -------------------------------------------------------------------------------

    def add_texts(  # type: ignore[override]  # an unknown argument is an error
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | NewIds = None,
        contexts: Sequence[str | None] | None = None,
        context_key: str | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Add texts, or overwrite those whose id is there already.

        Everything but the vectors is checked before anything is embedded.

        Args:
            texts: The texts.
            metadatas: One dictionary per text: anything that JSON can hold.
            ids: One id per text; None lets the store make a UUID, "content" one of the content, so
                that the same texts added again overwrite themselves.
            contexts: One context per text, which is indexed in front of it; None keeps what an
                overwritten document has.
            context_key: The metadata key that holds it; the vector store's own if None.
            batch_size: How many texts are embedded and sent at once.
            progress: Whether to show a progress bar.

        Returns:
            One id per text, in order.

        Raises:
            InvalidInputError: If the lists differ in length, or a text cannot be stored.
            PartialWriteError: If a later batch fails; `landed` holds the ids that were written.
        """
        key = parse_key(context_key) or self.context_key
        given, new = parse_ids(ids)
        records = make_records(texts, metadatas, given, contexts, key)
        return self.store.add(records, ids=new, batch_size=batch_size, progress=progress)

    async def aadd_texts(  # type: ignore[override]
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | NewIds = None,
        contexts: Sequence[str | None] | None = None,
        context_key: str | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Async twin of `add_texts`; it embeds by `aembed_documents`."""
        key = parse_key(context_key) or self.context_key
        given, new = parse_ids(ids)
        records = make_records(texts, metadatas, given, contexts, key)
        return await self.store.aadd(records, ids=new, batch_size=batch_size, progress=progress)

    def add_documents(self, documents: Iterable[Document], **kwargs: Any) -> list[str]:
        """Add documents, or those of a loader, under their own ids where they have some.

        Args:
            documents: The documents.
            **kwargs: Those of `add_texts`.
        """
        return super().add_documents(parse_items(documents, Document, "documents"), **kwargs)

    async def aadd_documents(self, documents: Iterable[Document], **kwargs: Any) -> list[str]:
        """Async twin of `add_documents`."""
        return await super().aadd_documents(parse_items(documents, Document, "documents"), **kwargs)

    def add_embeddings(
        self,
        texts: Iterable[str],
        embeddings: Iterable[Sequence[float]],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        contexts: Sequence[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Add texts with their vectors, which are not embedded again; see `add_texts`.

        Args:
            texts: See `add_texts`, as for all that follow.
            embeddings: One vector of the field "dense" per text.
            metadatas: One dictionary per text.
            ids: One id per text.
            contexts: One context per text.
            batch_size: How many texts are sent at once.
            progress: Whether to show a progress bar.
        """
        records = make_records(texts, metadatas, ids, contexts, self.context_key, embeddings)
        return self.store.add(records, batch_size=batch_size, progress=progress)

    async def aadd_embeddings(
        self,
        texts: Iterable[str],
        embeddings: Iterable[Sequence[float]],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        contexts: Sequence[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Async twin of `add_embeddings`."""
        records = make_records(texts, metadatas, ids, contexts, self.context_key, embeddings)
        return await self.store.aadd(records, batch_size=batch_size, progress=progress)

    def update(
        self,
        ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> int:
        """Change the metadata of documents, and nothing else; see `MilvusStore.update`."""
        return self.store.update(ids, metadata=metadata)

    async def aupdate(
        self,
        ids: Sequence[str],
        *,
        metadata: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> int:
        """Async twin of `update`."""
        return await self.store.aupdate(ids, metadata=metadata)

    def delete(  # type: ignore[override]
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: LangChainFilter = None,
        expr: str | None = None,
    ) -> bool:
        """Delete the documents that every given selector selects; missing ids are fine.

        Args:
            ids: These documents.
            filter: Those that match.
            expr: Those that a raw Milvus expression selects.

        Returns:
            True; a failure raises.

        Raises:
            InvalidInputError: If no selector is given; `clear()` deletes every document.
        """
        self.store.delete(ids, filter=make_filter(filter), expr=expr)
        return True

    async def adelete(  # type: ignore[override]
        self,
        ids: Sequence[str] | None = None,
        *,
        filter: LangChainFilter = None,
        expr: str | None = None,
    ) -> bool:
        """Async twin of `delete`."""
        await self.store.adelete(ids, filter=make_filter(filter), expr=expr)
        return True

    def clear(self) -> None:
        """Delete every document; the collection stays as it was made."""
        self.store.clear()

    async def aclear(self) -> None:
        """Async twin of `clear`."""
        await self.store.aclear()

    # --- life ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Flush, and release the path for other processes; closing twice is fine.

        What `for_tenant` returned ends alone; the vector store that it is a view of goes on.
        """
        self.store.close()

    async def aclose(self) -> None:
        """Async twin of `close`."""
        await self.store.aclose()


def _rated(hit: Hit, rate: Callable[[float], float]) -> Hit:
    """Return the hit with the relevance that a function makes of its score."""
    relevance = rate(hit.score)
    check_fraction(relevance, f"what relevance_score_fn makes of {hit.score:.4g}")
    return replace(hit, relevance=float(relevance))


def _vector(hit: Hit) -> DenseVector:
    if hit.dense is None:
        msg = f"document {hit.id!r:.80} has no vector of the field 'dense': write with_vectors=True"
        raise InvalidInputError(msg)
    return hit.dense


def _distinct(records: Sequence[Any]) -> list[Any]:
    """Return the records, each once; LangChain asks for an id as often as it likes."""
    return list({record.id: record for record in records}.values())
