"""Four vector fields through LangChain, on a path and on a server.

"dense" is LangChain's own embedding object, "title" a dense function of Hybridge over another
source, "sparse" BM25, and "terms" a tiny SPLADE in the shape of `langchain-qdrant`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
from langchain_core.documents import Document

from hybridge import (
    ConfidenceWeighted,
    DenseField,
    ReciprocalRank,
    SparseField,
    SpladeEmbeddingFunction,
    Weighted,
)
from hybridge.errors import CollectionMismatchError, InvalidInputError
from langchain_hybridge import MilvusRetriever, MilvusVectorStore
from support.langchain_support import WordEmbeddings, ids, vector
from support.letters import Letters
from support.tiny_models import tiny_splade

DOCUMENTS = [
    Document(id="apples", page_content="red apple fruit", metadata={"title": "kkk", "year": 2001}),
    Document(id="pears", page_content="green pear fruit", metadata={"title": "mmm", "year": 2002}),
    Document(id="both", page_content="red apple green pear", metadata={"year": 2003}),
    Document(id="letters", page_content="a b c d e", metadata={"title": "kmk", "year": 2004}),
]
EVERY = ["dense", "sparse", "title", "terms"]
MODES: list[Any] = [None, *EVERY, "hybrid", ["dense", "title"], EVERY]
FUSIONS: list[Any] = [
    None,
    ConfidenceWeighted(),
    ReciprocalRank(),
    Weighted({"dense": 0.4, "sparse": 0.1, "title": 0.2, "terms": 0.3}),
    "milvus-rrf",
    "milvus-weighted",
]


class Weights(NamedTuple):
    """A sparse vector of `langchain-qdrant`."""

    indices: list[int]
    values: list[float]


class Terms:
    """Sparse embeddings of `langchain-qdrant`'s shape, over SPLADE."""

    def __init__(self, function: SpladeEmbeddingFunction) -> None:
        self.function = function
        self.model_name = "tiny-splade"

    def embed_documents(self, texts: list[str]) -> list[Weights]:
        """One vector per text."""
        made = self.function.encode_documents(texts)
        bounds = zip(made.indptr[:-1], made.indptr[1:], strict=True)
        return [Weights(made.indices[i:j].tolist(), made.data[i:j].tolist()) for i, j in bounds]

    def embed_query(self, text: str) -> Weights:
        """The vector of a query."""
        return self.embed_documents([text])[0]


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Terms:
    """A tiny SPLADE."""
    return Terms(SpladeEmbeddingFunction(str(tiny_splade(tmp_path_factory.mktemp("splade")))))


@pytest.fixture(scope="module", params=["path", "server"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path of Milvus Lite, and a server."""
    if request.param == "path":
        return str(tmp_path_factory.mktemp("fields") / "fields.db")
    server: str = request.getfixturevalue("lite_server")
    return server


def make(where: str, name: str, terms: Terms, **arguments: Any) -> MilvusVectorStore:
    """A vector store with four fields; its embeddings note their calls."""
    fields: dict[str, Any] = {
        "title": DenseField(Letters(26, "letters"), source="title"),
        "terms": SparseField(terms),  # type: ignore[arg-type]
    }
    return MilvusVectorStore(
        WordEmbeddings(), uri=where, collection_name=name, fields=fields, **arguments
    )


@pytest.fixture
def shelf(where: str, collection_name: str, terms: Terms) -> Iterator[MilvusVectorStore]:
    """A vector store with four documents, one of them without a title."""
    with make(where, collection_name, terms) as made:
        made.add_documents(DOCUMENTS)
        yield made
        made.store.drop()


async def test_every_mode_and_fusion_is_that_of_core(shelf: MilvusVectorStore) -> None:
    """The same documents with the same scores, sync and async, by text and by retriever."""
    retriever = MilvusRetriever(vectorstore=shelf, k=3)
    for mode, fusion in product(MODES, FUSIONS):
        expected = shelf.store.search("kkk apple", k=3, mode=mode, fusion=fusion)
        options: dict[str, Any] = {"k": 3, "mode": mode, "fusion": fusion}
        found = shelf.similarity_search_with_score("kkk apple", **options)
        assert [(d.id, score) for d, score in found] == [(h.id, h.score) for h in expected]
        assert found == await shelf.asimilarity_search_with_score("kkk apple", **options)
        assert ids(retriever.invoke("kkk apple", **options)) == [hit.id for hit in expected]


async def test_scores_and_vectors_by_field(shelf: MilvusVectorStore) -> None:
    """A document says what found it, and carries its vectors."""
    options: dict[str, Any] = {"mode": EVERY, "with_scores": True, "with_vectors": True}
    [first, *_] = shelf.similarity_search("red apple kkk", **options)
    assert first.id == "apples"
    assert set(first.metadata["scores"]) == set(EVERY)
    assert first.metadata["scores"]["dense"].keys() == {"score", "rank", "relevance"}
    assert set(first.metadata["vectors"]) == set(EVERY)
    assert first.metadata["vector"] == pytest.approx(vector(first.page_content))
    [untitled] = shelf.similarity_search("x", filter={"year": 2003}, **options)
    assert "title" not in untitled.metadata["vectors"]
    assert [first, *_] == await shelf.asimilarity_search("red apple kkk", **options)


def test_vectors_by_field_are_searched_for(shelf: MilvusVectorStore) -> None:
    """A mapping in the place of the vector."""
    by_title = {"title": Letters(26).vector("kkk")}
    found = shelf.similarity_search_by_vector(by_title, k=2)
    assert ids(found) == ["apples", "letters"]
    both = shelf.similarity_search_with_score_by_vector(
        {**by_title, "dense": vector("red apple fruit")}, k=1, mode=["dense", "title"]
    )
    assert both[0][0].id == "apples"


async def test_mmr_compares_a_field(shelf: MilvusVectorStore) -> None:
    """Of the titles that are alike, one is chosen; documents without one cannot be."""
    options: dict[str, Any] = {"k": 2, "mode": "title", "mmr_field": "title", "lambda_mult": 0.1}
    found = ids(shelf.max_marginal_relevance_search("kkk", **options))
    assert found == ["apples", "pears"]
    assert found == ids(await shelf.amax_marginal_relevance_search("kkk", **options))
    with pytest.raises(InvalidInputError, match="mmr_field='terms'"):
        shelf.max_marginal_relevance_search("kkk", mmr_field="terms")


def test_filters_hold_in_every_field(shelf: MilvusVectorStore) -> None:
    """And rows that lack a field are not found by it."""
    for mode in MODES:
        found = shelf.similarity_search("apple kkk", mode=mode, filter={"year": {"$gt": 2002}})
        assert set(ids(found)) <= {"both", "letters"}
    assert "both" not in ids(shelf.similarity_search("mmm", k=9, mode="title"))


def test_reopening_needs_the_functions_again(
    shelf: MilvusVectorStore, where: str, terms: Terms
) -> None:
    """Fields are read back; what only an object can make must be passed, and the error says so."""
    name = shelf.store.collection_name
    with MilvusVectorStore.from_existing_collection(
        WordEmbeddings(), uri=where, collection_name=name
    ) as again:
        assert ids(again.similarity_search("red apple fruit", k=1)) == ["apples"]
        with pytest.raises(InvalidInputError, match=r"fields=\{'terms':"):
            again.similarity_search("apple", mode="terms")
    with make(where, name, terms) as whole:
        expected = shelf.similarity_search("kkk apple", mode=EVERY, with_scores=True)
        assert whole.similarity_search("kkk apple", mode=EVERY, with_scores=True) == expected
    fields: dict[str, Any] = {"title": DenseField(Letters(8), source="title")}
    wrong = MilvusVectorStore(uri=where, collection_name=name, fields=fields)
    with wrong, pytest.raises(CollectionMismatchError, match="title"):
        wrong.similarity_search("x")


async def test_changing_metadata_encodes_only_what_they_make(shelf: MilvusVectorStore) -> None:
    """The embedding of the text is not asked."""
    embeddings: Any = shelf.embeddings
    embeddings.calls.clear()
    assert shelf.update(["apples", "gone"], metadata={"title": "zzz"}) == 1
    assert await shelf.aupdate(["pears"], metadata=[{"year": 1999}]) == 1
    assert embeddings.calls == []
    assert ids(shelf.similarity_search("zzz", k=1, mode="title")) == ["apples"]
    [pears] = shelf.get_by_ids(["pears"])
    assert pears.metadata == {"title": "mmm", "year": 1999}
    assert ids(shelf.similarity_search("red apple fruit", k=1, mode="dense")) == ["apples"]


async def test_it_embeds_each_text_once(where: str, collection_name: str, terms: Terms) -> None:
    """By the embedding's own async methods where it is awaited; the first batch with the probe."""
    with make(where, collection_name, terms) as shelf:
        embeddings: Any = shelf.embeddings
        await shelf.aadd_documents([*DOCUMENTS, DOCUMENTS[0]])
        await shelf.asimilarity_search("apple", mode=EVERY)
        shelf.similarity_search("apple", mode=EVERY)
        calls = [(call.method, call.texts) for call in embeddings.calls]
        assert calls == [("aembed_documents", 4 + 1), ("aembed_query", 1), ("embed_query", 1)]
        shelf.store.drop()


def test_tenants_have_ids_of_their_own(where: str, collection_name: str, terms: Terms) -> None:
    """Two tenants use one id, and neither finds the other's in any field."""
    with make(where, collection_name, terms, partition_key="owner") as shelf:
        first, second = shelf.for_tenant("first"), shelf.for_tenant("second")
        first.add_texts(["red apple"], [{"title": "kkk"}], ids=["a"])
        second.add_texts(["green pear"], [{"title": "mmm"}], ids=["a"])
        for mode in MODES:
            found = second.similarity_search("red apple kkk", mode=mode)
            assert [document.page_content for document in found] in (["green pear"], [])
        first.update(["a"], metadata={"title": "zzz"})
        first.delete(["a"])
        assert [document.page_content for document in second.get_by_ids(["a"])] == ["green pear"]
        with pytest.raises(InvalidInputError, match="for_tenant"):
            shelf.get_by_ids(["a"])
        shelf.store.drop()
