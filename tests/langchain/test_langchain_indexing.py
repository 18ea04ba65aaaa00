"""LangChain's indexing API over `MilvusVectorStore` and `MilvusDocumentIndex`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, aindex, index

from hybridge.errors import EngineError, InvalidInputError
from langchain_hybridge import MilvusDocumentIndex, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids

Cleanup = Literal["incremental", "full", "scoped_full"] | None


def page(source: str, text: str) -> Document:
    """A document of a source."""
    return Document(page_content=text, metadata={"source": source})


FIRST = [page("a", "a one"), page("a", "a two"), page("b", "b one")]
SECOND = [page("a", "a one"), page("a", "a three")]

# What is there after FIRST and then SECOND: `full` removes all that is not in SECOND, the other two
# what is outdated of the sources that SECOND has.
LEFT = {
    None: {"a one", "a two", "a three", "b one"},
    "incremental": {"a one", "a three", "b one"},
    "scoped_full": {"a one", "a three", "b one"},
    "full": {"a one", "a three"},
}


@pytest.fixture
def manager() -> InMemoryRecordManager:
    """What remembers which documents were indexed."""
    manager = InMemoryRecordManager(namespace="test")
    manager.create_schema()
    return manager


@pytest.fixture(params=["vector store", "document index"])
def destination(request: pytest.FixtureRequest, empty: MilvusVectorStore) -> Any:
    """What LangChain can index into."""
    if request.param == "vector store":
        return empty
    return MilvusDocumentIndex(vectorstore=empty)


def texts(documents: Iterable[Document]) -> set[str]:
    """Return the texts."""
    return {document.page_content for document in documents}


@pytest.mark.parametrize("cleanup", [None, "incremental", "scoped_full", "full"])
def test_index(
    destination: Any, empty: MilvusVectorStore, manager: InMemoryRecordManager, cleanup: Cleanup
) -> None:
    """New documents are added, known ones skipped, outdated ones removed."""
    arguments: Any = {"cleanup": cleanup, "source_id_key": "source", "key_encoder": "sha256"}
    first = index(FIRST, manager, destination, **arguments)
    assert (first["num_added"], first["num_deleted"]) == (3, 0)
    again = index(FIRST, manager, destination, **arguments)
    assert (again["num_added"], again["num_skipped"], again["num_deleted"]) == (0, 3, 0)
    second = index(SECOND, manager, destination, **arguments)
    assert (second["num_added"], second["num_skipped"]) == (1, 1)
    assert second["num_deleted"] == 4 - len(LEFT[cleanup])
    assert texts(empty.scroll()) == LEFT[cleanup]


@pytest.mark.parametrize("cleanup", [None, "incremental", "scoped_full", "full"])
async def test_aindex(
    destination: Any,
    empty: MilvusVectorStore,
    embeddings: WordEmbeddings,
    manager: InMemoryRecordManager,
    cleanup: Cleanup,
) -> None:
    """The same, and it embeds by the embedding's own async method."""
    arguments: Any = {"cleanup": cleanup, "source_id_key": "source", "key_encoder": "sha256"}
    await aindex(FIRST, manager, destination, **arguments)
    second = await aindex(SECOND, manager, destination, **arguments)
    assert second["num_deleted"] == 4 - len(LEFT[cleanup])
    assert texts([document async for document in empty.ascroll()]) == LEFT[cleanup]
    assert {call.method for call in embeddings.calls} == {"aembed_documents"}


@pytest.mark.parametrize("kind", ["vector store", "document index"])
@pytest.mark.parametrize("cleanup", ["incremental", "scoped_full", "full"])
def test_each_tenant_indexes_the_same_documents(
    make_vector_store: MakeVectorStore,
    embeddings: WordEmbeddings,
    kind: str,
    cleanup: Cleanup,
) -> None:
    """Each with a record manager of its own; neither is skipped, refused or cleaned up after."""
    whole = make_vector_store(embeddings, partition_key="tenant")
    views = {name: whole.for_tenant(name) for name in ("acme", "umbrella")}
    managers = {name: InMemoryRecordManager(namespace=name) for name in views}

    def indexed(name: str, documents: list[Document]) -> tuple[int, int, int]:
        view: Any = views[name]
        done = index(
            documents,
            managers[name],
            view if kind == "vector store" else MilvusDocumentIndex(vectorstore=view),
            cleanup=cleanup,
            source_id_key="source",
            key_encoder="sha256",
        )
        return done["num_added"], done["num_skipped"], done["num_deleted"]

    deleted = 4 - len(LEFT[cleanup])
    for name in views:
        managers[name].create_schema()
        assert indexed(name, FIRST) == (3, 0, 0)
    for name in reversed(views):
        assert indexed(name, FIRST) == (0, 3, 0)
    assert indexed("umbrella", SECOND) == (1, 1, deleted)
    assert texts(views["acme"].scroll()) == texts(FIRST)
    assert indexed("acme", SECOND) == (1, 1, deleted)
    assert indexed("umbrella", SECOND) == (0, 2, 0)
    assert [texts(view.scroll()) for view in views.values()] == [LEFT[cleanup]] * 2
    assert ids(views["acme"].scroll()) == ids(views["umbrella"].scroll())


def test_index_hands_on_its_batch_size(
    empty: MilvusVectorStore, embeddings: WordEmbeddings, manager: InMemoryRecordManager
) -> None:
    """`add_documents` takes it as `batch_size`; a first batch also embeds the probe."""
    documents = [page("a", str(n)) for n in range(5)]
    index(documents, manager, empty, batch_size=2, key_encoder="sha256")
    assert [call.texts for call in embeddings.calls] == [2 + 1, 2, 1]


def test_a_failed_delete_fails_the_indexing(
    empty: MilvusVectorStore, manager: InMemoryRecordManager
) -> None:
    """It raises the cause; documents are never taken for deleted that are not."""
    empty.add_documents(ANIMALS)
    with pytest.raises(EngineError):
        empty.delete(expr="legs === broken")
    assert len(list(empty.scroll())) == 4


def test_a_document_index_retrieves_what_was_put_into_it(empty: MilvusVectorStore) -> None:
    """It has the fields of `MilvusRetriever`, and counts what it deletes."""
    documents = MilvusDocumentIndex(vectorstore=empty, k=1)
    assert documents.upsert(ANIMALS)["succeeded"] == ids(ANIMALS)
    assert ids(documents.invoke("the cat sleeps")) == ["cat"]
    assert documents.delete(["cat", "cat", "nobody"])["num_deleted"] == 1
    assert documents.delete(filter={"legs": 4})["num_deleted"] == 1
    assert ids(documents.get(["fish", "cat", "bird"])) == ["fish", "bird"]


async def test_a_document_index_refuses_to_be_emptied_by_accident(
    empty: MilvusVectorStore,
) -> None:
    """`delete` without a selector is an error, sync and async."""
    documents = MilvusDocumentIndex(vectorstore=empty)
    with pytest.raises(InvalidInputError, match="without a selector"):
        documents.delete()
    with pytest.raises(InvalidInputError, match="without a selector"):
        await documents.adelete()
