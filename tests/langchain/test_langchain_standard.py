"""LangChain's own standard suites, on a path and on a server, with BM25 and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.integration_tests.indexer import (
    AsyncDocumentIndexTestSuite,
    DocumentIndexerTestSuite,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests
from numpy.typing import NDArray

from hybridge import MilvusStore
from langchain_hybridge import (
    DenseEmbeddings,
    MilvusDocumentIndex,
    MilvusRetriever,
    MilvusVectorStore,
)


class Setting(NamedTuple):
    """What a suite is run on."""

    place: str
    sparse: str | None


@pytest.fixture(
    params=[
        Setting(place, sparse) for place in ("path", "lite_server") for sparse in ("bm25", None)
    ],
    ids=["path-bm25", "path-dense", "server-bm25", "server-dense"],
)
def setting(request: pytest.FixtureRequest) -> Setting:
    """A path or a server, with BM25 and without."""
    place, sparse = request.param
    return Setting(request.getfixturevalue(place), sparse)


@pytest.fixture
def empty_store(setting: Setting, collection_name: str) -> Iterator[MilvusStore]:
    """A store with nothing in it, which leaves nothing behind."""
    with MilvusStore(
        setting.place, collection_name=collection_name, sparse=setting.sparse
    ) as store:
        yield store
        store.drop()


class TestVectorStore(VectorStoreIntegrationTests):
    """`MilvusVectorStore`."""

    @pytest.fixture
    def vectorstore(self, empty_store: MilvusStore) -> MilvusVectorStore:
        """An empty vector store."""
        return MilvusVectorStore(self.get_embeddings(), store=empty_store)


class Lengths:
    """A dense function: a text's length, and 1."""

    dim = 2

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        """One row per text."""
        return np.array([[len(text), 1] for text in documents], np.float32).reshape(-1, 2)

    encode_queries = encode_documents


class OfLengths:
    """What both suites of embeddings are told."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        """The class."""
        return DenseEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        """Its arguments."""
        return {"function": Lengths()}


class TestEmbeddings(OfLengths, EmbeddingsIntegrationTests):
    """`DenseEmbeddings`."""


class TestEmbeddingsConstruction(OfLengths, EmbeddingsUnitTests):
    """`DenseEmbeddings`, constructed."""


class TestRetriever(RetrieversIntegrationTests):
    """`MilvusRetriever`, hybrid where there is BM25."""

    @pytest.fixture(autouse=True)
    def _fill(self, empty_store: MilvusStore) -> None:
        vector_store = MilvusVectorStore(DeterministicFakeEmbedding(size=6), store=empty_store)
        texts = ["a cat on a sofa", "a dog in a park", "a bird, a cat", "a cat and a dog"]
        vector_store.add_documents([Document(page_content=text) for text in texts])
        self.params = {"vectorstore": vector_store}

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        """The class."""
        return MilvusRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        """Its arguments."""
        return self.params

    @property
    def retriever_query_example(self) -> str:
        """A question that three documents answer."""
        return "where is the cat?"


class OfVectorStore:
    """What both suites of document indexes are told."""

    @pytest.fixture
    def index(self, empty_store: MilvusStore) -> MilvusDocumentIndex:
        """An empty index."""
        vector_store = MilvusVectorStore(DeterministicFakeEmbedding(size=6), store=empty_store)
        return MilvusDocumentIndex(vectorstore=vector_store)


class TestDocumentIndex(OfVectorStore, DocumentIndexerTestSuite):
    """`MilvusDocumentIndex`, sync."""


class TestAsyncDocumentIndex(OfVectorStore, AsyncDocumentIndexTestSuite):
    """`MilvusDocumentIndex`, async."""
