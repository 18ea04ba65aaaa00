"""`MilvusVectorStore`: LangChain's vector store over a `hybridge.MilvusStore`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from langchain_core.embeddings import Embeddings
from typing_extensions import Self, Unpack

from hybridge.closing import Closing
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.retrieval.fusion import Fusion
from hybridge.store.arguments import StoreArguments
from hybridge.store.plan import FetchK, Mode
from hybridge.store.store import MilvusStore
from hybridge.store.write_methods import BATCH_SIZE
from langchain_hybridge.convert import make_records
from langchain_hybridge.embeddings import DenseEmbeddings, as_embeddings
from langchain_hybridge.filters import LangChainFilter, make_filter
from langchain_hybridge.read_methods import ReadMethods
from langchain_hybridge.searcher import Searcher


class MilvusVectorStore(Closing, ReadMethods):
    """LangChain documents in a Milvus collection, searched by dense vectors, BM25, or both.

    Nothing is opened before the first call that needs Milvus. Every method may be called from any
    thread; every async one may be awaited in any event loop, and leaves it free. Errors are those
    of `hybridge.MilvusStore`.

    `Document.id` is the primary key, and comes back in `Document.id` only.

    Args:
        embedding: LangChain embeddings, or a dense function of Hybridge, or its name (see
            `hybridge.registry.dense_function`). None for a store that searches by BM25 alone, or
            one whose `store` has a dense function.
        store: An open `MilvusStore` to use, in place of all arguments that it has too. Closing the
            vector store closes it.
        mode: How a search works that does not say it: "dense", "sparse" or "hybrid"; None means
            every leg that has an input.
        k: How many documents a search returns that does not say it.
        fetch_k: How deep each leg is read in hybrid mode; max(4 k, 100) if None.
        fusion: How two legs become one ranking; `ConfidenceWeighted()` if None.
        **arguments: Those of `hybridge.MilvusStore`: `uri`, `collection_name`, `token`, `db_name`,
            `sparse`, `dim`, `metadata_schema`, `partition_key`, `overwrite`, `timeout`.

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
        **arguments: Unpack[StoreArguments],
    ) -> None:
        embeddings = as_embeddings(embedding)
        function = embeddings.function if isinstance(embeddings, DenseEmbeddings) else None
        if store is None:
            # The store learns the dimension and the model's name from a function of its own.
            store = MilvusStore(dense=function, **arguments)
        elif arguments:
            msg = f"store= and {', '.join(arguments)}: give those arguments to the store itself"
            raise InvalidInputError(msg)
        if embeddings is not None and store.dense is not None and store.dense is not function:
            msg = "the store has a dense function of its own: leave embedding out"
            raise InvalidInputError(msg)
        self.store = store
        self._embeddings = embeddings or as_embeddings(store.dense)
        # None where the store itself embeds.
        self._embedder = embeddings if store.dense is None else None
        defaults = {"k": k, "mode": mode, "fetch_k": fetch_k, "fusion": fusion}
        self.searcher = Searcher(store, self._embedder, defaults)

    def __repr__(self) -> str:
        # Not the `repr` of the embeddings, which may show a key.
        return f"MilvusVectorStore({type(self._embeddings).__name__}, store={self.store!r})"

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
        ids: list[str] | None = None,
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
            batch_size: See `add_texts`.
            progress: See `add_texts`.
            **arguments: Those of the class.
        """
        vector_store = cls(embedding, **arguments)
        with _closed_on_error(vector_store):
            vector_store.add_texts(
                texts, metadatas, ids=ids, batch_size=batch_size, progress=progress
            )
        return vector_store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | DenseEmbeddingFunction | str | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
        **arguments: Any,
    ) -> Self:
        """Async twin of `from_texts`."""
        vector_store = cls(embedding, **arguments)
        with _closed_on_error(vector_store):
            await vector_store.aadd_texts(
                texts, metadatas, ids=ids, batch_size=batch_size, progress=progress
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
        with _closed_on_error(vector_store):
            if not vector_store.store.exists():
                msg = (
                    f"{vector_store.store!r} has no such collection: check uri and "
                    "collection_name; MilvusVectorStore(...) makes a new one"
                )
                raise InvalidInputError(msg)
        return vector_store

    def for_tenant(self, tenant: str) -> MilvusVectorStore:
        """Return a view that sees and writes one tenant's documents; see `MilvusStore`."""
        store = self.store.for_tenant(tenant)
        return MilvusVectorStore(self._embedder, store=store, **self.searcher.defaults)

    # --- writing -------------------------------------------------------------------------------

    def add_texts(  # type: ignore[override]  # an unknown argument is an error
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Add texts, or overwrite those whose id is there already.

        Everything but the vectors is checked before anything is embedded.

        Args:
            texts: The texts.
            metadatas: One dictionary per text: anything that JSON can hold.
            ids: One id per text; None lets the store make a UUID.
            batch_size: How many texts are embedded and sent at once.
            progress: Whether to show a progress bar.

        Returns:
            One id per text, in order.

        Raises:
            InvalidInputError: If the lists differ in length, or a text cannot be stored.
            PartialWriteError: If a later batch fails; `landed` holds the ids that were written.
        """
        encode = None if self._embedder is None else self._embedder.embed_documents
        return self.store.add(
            make_records(texts, metadatas, ids),
            batch_size=batch_size,
            progress=progress,
            encode=encode,
        )

    async def aadd_texts(  # type: ignore[override]
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> list[str]:
        """Async twin of `add_texts`; it embeds by `aembed_documents`."""
        encode = None if self._embedder is None else self._embedder.aembed_documents
        return await self.store.aadd(
            make_records(texts, metadatas, ids),
            batch_size=batch_size,
            progress=progress,
            encode=encode,
        )

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
        """Flush, and release the path for other processes; closing twice is fine."""
        self.store.close()

    async def aclose(self) -> None:
        """Async twin of `close`."""
        await self.store.aclose()


@contextmanager
def _closed_on_error(vector_store: MilvusVectorStore) -> Iterator[None]:
    """Close a vector store that its maker will never see."""
    try:
        yield
    except BaseException:
        vector_store.close()
        raise
