"""What goes wrong with the official integration, area by area, and does not here.

Every docstring names the failure of `langchain-milvus` 0.4.0, with its issue where there is one.
The standard suites have a file of their own.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, index

from hybridge import F
from hybridge.errors import EngineError, InvalidInputError
from langchain_hybridge import MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids


def test_standard_interface(animals: MilvusVectorStore) -> None:
    """There: no `get_by_ids`, ids are ignored, never returned, and leak into metadata."""
    [document] = animals.get_by_ids(["cat"])
    assert document == ANIMALS[0]
    assert animals.similarity_search("the cat sleeps", k=1) == [ANIMALS[0]]


def test_hybrid(empty: MilvusVectorStore) -> None:
    """There: fails on Milvus Lite, fails the second time, k=10 gives 8, no MMR, vectors, relevance.

    LM#90.
    """
    empty.add_texts([f"common word {n}" for n in range(30)])
    for _ in range(2):
        assert len(empty.similarity_search("common", k=10, mode="hybrid")) == 10
    assert len(empty.max_marginal_relevance_search("common", k=10, mode="hybrid")) == 10
    found = empty.similarity_search_with_relevance_scores("common", k=10, mode="hybrid")
    assert all(0 <= relevance <= 1 for _, relevance in found)
    by_vector = empty.similarity_search_by_vector([1.0] * 64, k=10, query="common", mode="hybrid")
    assert len(by_vector) == 10


def test_relevance_scores(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """There: in the wrong order after reopening a cosine collection, and below 0."""
    animals.close()
    again = make_vector_store(embeddings)
    found = again.similarity_search_with_relevance_scores("the cat sleeps", mode="dense")
    assert found[0][0].id == "cat"
    relevances = [relevance for _, relevance in found]
    assert relevances == sorted(relevances, reverse=True)
    assert all(0 <= relevance <= 1 for relevance in relevances)


def test_metadata(empty: MilvusVectorStore) -> None:
    """There: the first document decides the keys; new ones are dropped, a missing one raises."""
    metadatas: list[dict[str, Any]] = [{"a": 1}, {"b": None}, {"a": "text", "c": [1, "x"]}, {}]
    empty.add_texts(list("wxyz"), metadatas, ids=list("wxyz"))
    assert [document.metadata for document in empty.get_by_ids(list("wxyz"))] == metadatas


def test_filters(animals: MilvusVectorStore) -> None:
    """There: expression strings only, no `filter=`, values not escaped. LM PR#46, milvus#46162."""
    assert set(ids(animals.similarity_search("the", filter={"legs": {"$gte": 4}}))) == {
        "cat",
        "dog",
    }
    assert ids(animals.similarity_search("the", filter=F("legs").isin([2, 3]))) == ["bird"]
    assert animals.similarity_search("the", filter={"name": 'x" or id != "'}) == []


def test_ids(empty: MilvusVectorStore) -> None:
    """There: `auto_id` flips by itself, upsert loses ids, deleting some returns False. LM#74."""
    assert empty.add_documents([Document(id="1", page_content="one")]) == ["1"]
    second, third = empty.add_documents(
        [Document(page_content="two"), Document(id="3", page_content="three")]
    )
    assert third == "3"
    assert empty.add_texts(["uno"], ids=["1"]) == ["1"]
    assert set(ids(empty.scroll())) == {"1", second, "3"}
    assert empty.delete(["1", "missing"]) is True
    assert empty.delete([]) is True
    assert set(ids(empty.scroll())) == {second, "3"}


def test_errors(animals: MilvusVectorStore) -> None:
    """There: a broken expression returns [], and `delete` swallows exceptions into False."""
    with pytest.raises(EngineError):
        animals.similarity_search("cat", expr="legs ===")
    with pytest.raises(EngineError):
        animals.delete(expr="legs ===")
    with pytest.raises(InvalidInputError):
        animals.delete([""])
    manager = InMemoryRecordManager(namespace="x")
    manager.create_schema()
    pages = [Document(page_content=text, metadata={"source": "a"}) for text in ("one", "two")]
    for some in (pages, pages[:1]):
        arguments: Any = {"cleanup": "full", "source_id_key": "source", "key_encoder": "sha256"}
        result = index(some, manager, animals, **arguments)
    assert result["num_deleted"] == 1


def test_async(animals: MilvusVectorStore) -> None:
    """There: a second `asyncio.run` raises `Event loop is closed`; threads break it. LM#84."""
    for _ in range(2):
        assert ids(asyncio.run(animals.asimilarity_search("the cat sleeps", k=1))) == ["cat"]
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda _: ids(asyncio.run(animals.asimilarity_search("the cat sleeps", k=1))), range(8)
        )
        assert list(answers) == [["cat"]] * 8


def test_connection(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """There: `ConnectionNotExist` where two clients meet; none is ever closed. LM#128, #130."""
    second = make_vector_store(embeddings)
    assert ids(second.similarity_search("the cat sleeps", k=1)) == ["cat"]
    animals.close()
    second.add_texts(["a horse"], ids=["horse"])
    assert ids(second.similarity_search("horse", k=1)) == ["horse"]


def test_existing_collections(
    animals: MilvusVectorStore,
    make_vector_store: MakeVectorStore,
    embeddings: WordEmbeddings,
    path: str,
) -> None:
    """There: `KeyError: 'text'` or empty results from a foreign collection. LM#67, LC#23634.

    One that Hybridge made is adopted as it is; another's is too, and a row without a place refused.
    """
    from pymilvus import MilvusClient

    client = MilvusClient(path)
    client.create_collection("foreign", dimension=64)
    row = {"id": 7, "vector": embeddings.embed_query("cat"), "text": "a cat", "colour": "black"}
    client.insert("foreign", [row])
    foreign = make_vector_store(embeddings, collection_name="foreign")
    [found] = foreign.similarity_search("cat")
    assert found == Document("a cat", id="7", metadata={"colour": "black"})
    with pytest.raises(InvalidInputError, match="the ids of this collection are integers"):
        foreign.add_texts(["cat"])
    assert foreign.add_texts(["dog"], ids=["8"]) == ["8"]
    assert foreign.similarity_search("dog", k=1)[0].page_content == "dog"
    assert len(make_vector_store(embeddings).similarity_search("cat")) == 4


def test_bm25(make_vector_store: MakeVectorStore) -> None:
    """There: a class that has to be refitted on the whole corpus, and cannot be saved."""
    with make_vector_store() as vector_store:
        vector_store.add_documents(ANIMALS[:2])
        before = vector_store.similarity_search_with_score("cat")[0][1]
        vector_store.add_documents(ANIMALS[2:])
        after = vector_store.similarity_search_with_score("cat")[0][1]
    assert after > before  # the word has become rarer
    again = make_vector_store()
    assert again.similarity_search_with_score("cat")[0][1] == pytest.approx(after)


def test_wishes(make_vector_store: MakeVectorStore, embeddings: WordEmbeddings) -> None:
    """There: which fields come back, search by metadata alone, partitions. LM#87, LM#47."""
    vector_store = make_vector_store(embeddings, partition_key="tenant")
    acme = vector_store.for_tenant("acme")
    acme.add_documents(ANIMALS)
    embeddings.calls.clear()
    assert ids(acme.scroll({"legs": 4})) == ["cat", "dog"]
    assert embeddings.calls == []
    assert vector_store.for_tenant("other").similarity_search("cat") == []
    [lean] = acme.similarity_search("cat", k=1)
    [full] = acme.similarity_search("cat", k=1, with_vectors=True, with_scores=True)
    assert set(full.metadata) - set(lean.metadata) == {
        "vector",
        "vectors",
        "score",
        "relevance_score",
        "scores",
    }


def test_database_name(lite_server: str, collection_name: str, embeddings: WordEmbeddings) -> None:
    """There: no `db_name`."""
    arguments: Any = {"uri": lite_server, "collection_name": collection_name}
    with MilvusVectorStore(embeddings, db_name="default", **arguments) as vector_store:
        vector_store.add_documents(ANIMALS)
        assert ids(vector_store.similarity_search("the cat sleeps", k=1)) == ["cat"]
        vector_store.store.drop()
