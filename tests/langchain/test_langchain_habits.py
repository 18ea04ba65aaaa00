"""What users of LangChain's other vector stores do, and what they get here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStoreRetriever

import hybridge
from hybridge import TEXT
from hybridge.errors import InvalidInputError
from langchain_hybridge import MilvusRetriever, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids
from support.langchain_support import vector as vector_of

QUESTIONS = ["dog", "cat", "bird"]


class Notes(BaseCallbackHandler):
    """Notes which questions were asked."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def on_retriever_start(self, serialized: dict[str, Any], query: str, **kwargs: Any) -> None:
        """One run of a retriever."""
        self.questions.append(query)


def lazily() -> Iterator[Document]:
    """Documents as a loader's `lazy_load` gives them."""
    yield from ANIMALS


# --- as_retriever --------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", [{"filter": {"tenant": "a"}}, {"k": 2}, {"search_kwarg": {}}])
def test_as_retriever_drops_nothing(animals: MilvusVectorStore, unknown: dict[str, Any]) -> None:
    """A filter that vanished returned the documents of others."""
    with pytest.raises(InvalidInputError, match=r"as_retriever has no argument .*search_kwargs="):
        animals.as_retriever(**unknown)


def test_as_retriever_takes_what_the_base_class_takes(animals: MilvusVectorStore) -> None:
    """It is LangChain's own retriever, with LangChain's own tags."""
    retriever = animals.as_retriever(name="mine", tags=["t"], search_kwargs={"k": 2})
    assert isinstance(retriever, VectorStoreRetriever)
    assert (retriever.name, retriever.tags) == ("mine", ["t"])
    assert animals.as_retriever().tags == ["MilvusVectorStore", "WordEmbeddings"]


async def test_a_batch_of_as_retriever_is_one_search(
    animals: MilvusVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call for all questions, one run each, with the config of each."""
    retriever = animals.as_retriever(search_kwargs={"k": 1})
    expected = [retriever.invoke(question) for question in QUESTIONS]
    calls: list[int] = []
    search = animals.store.search_many

    def counted(queries: list[str], **options: Any) -> Any:
        calls.append(len(queries))
        return search(queries, **options)

    monkeypatch.setattr(animals.store, "search_many", counted)
    notes = [Notes() for _ in QUESTIONS]
    configs: Any = [{"callbacks": [note]} for note in notes]
    assert retriever.batch(QUESTIONS, configs) == expected
    assert calls == [3]
    assert [note.questions for note in notes] == [[question] for question in QUESTIONS]
    assert await retriever.abatch(QUESTIONS) == expected
    assert [len(found) for found in retriever.batch(QUESTIONS, k=2)] == [2, 2, 2]
    assert retriever.batch(["dog"], return_exceptions=True) == expected[:1]


@pytest.mark.parametrize(
    ("search_type", "options"),
    [
        ("mmr", {"k": 2, "fetch_k": 4}),
        ("similarity_score_threshold", {"k": 2, "score_threshold": 0.1}),
    ],
)
async def test_other_batches_of_as_retriever_are_as_they_were(
    animals: MilvusVectorStore, search_type: str, options: dict[str, Any]
) -> None:
    """They search for each question alone."""
    retriever = animals.as_retriever(search_type=search_type, search_kwargs=options)
    expected = [retriever.invoke(question) for question in QUESTIONS]
    assert retriever.batch(QUESTIONS) == expected
    assert await retriever.abatch(QUESTIONS) == expected


def test_a_batch_with_a_question_that_fails_fails_alone(animals: MilvusVectorStore) -> None:
    """With `return_exceptions`, as the base class does."""
    found: list[Any] = animals.as_retriever().batch(["dog", 7], return_exceptions=True)  # type: ignore[list-item]
    assert found[0]
    assert isinstance(found[1], InvalidInputError)


# --- adding --------------------------------------------------------------------------------------


async def test_documents_of_a_loader_are_added(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings, tmp_path: Any
) -> None:
    """A generator can be read once, and the base class reads it twice."""
    vector_store = make_vector_store(embeddings)
    assert len(vector_store.add_documents(lazily())) == len(ANIMALS)
    vector_store.clear()
    assert len(await vector_store.aadd_documents(lazily())) == len(ANIMALS)
    for name, made in (
        ("a", MilvusVectorStore.from_documents(lazily(), embeddings, uri=tmp_path / "a.db")),
        (
            "b",
            await MilvusVectorStore.afrom_documents(lazily(), embeddings, uri=tmp_path / "b.db"),
        ),
    ):
        with made:
            assert made.store.count() == len(ANIMALS), name


def test_what_is_no_document_is_refused(empty: MilvusVectorStore) -> None:
    """By our own error."""
    with pytest.raises(InvalidInputError, match=r"documents\[0\] must be a Document, not str"):
        empty.add_documents(["text"])  # type: ignore[list-item]


async def test_texts_are_added_with_their_vectors(
    empty: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """Nothing is embedded again."""
    vectors = embeddings.embed_documents(["dog", "cat"])
    embeddings.calls.clear()
    empty.add_embeddings(["dog", "cat"], vectors, [{"n": 1}, {"n": 2}], ids=["d", "c"])
    await empty.aadd_embeddings(["dog"], vectors[:1], ids=["d2"])
    assert sum(call.texts for call in embeddings.calls) <= 1  # a text that tells the model
    assert ids(empty.similarity_search_by_vector(vectors[1], k=1)) == ["c"]
    with pytest.raises(InvalidInputError, match="2 texts and 1 embeddings"):
        empty.add_embeddings(["dog", "cat"], vectors[:1])


def test_one_dictionary_for_all_texts_is_refused(empty: MilvusVectorStore) -> None:
    """Its keys would be taken for the dictionaries."""
    with pytest.raises(InvalidInputError, match="metadatas is a dict: give a list"):
        empty.add_texts(["dog"], metadatas={"legs": 4})  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [7, UUID(int=7)])
def test_an_id_that_is_no_string_is_refused_with_the_cure(
    empty: MilvusVectorStore, given: Any
) -> None:
    """Integers and UUIDs are what ids are elsewhere."""
    for call in (
        lambda: empty.add_texts(["dog"], ids=[given]),
        lambda: empty.get_by_ids([given]),
        lambda: empty.delete([given]),
    ):
        with pytest.raises(InvalidInputError, match=r"write str\("):
            call()


def test_metadata_from_real_life(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """NumPy's scalars become Python's; dates need an encoder."""
    vector_store = make_vector_store(embeddings, metadata_encoder=hybridge.plain_value)
    vector_store.add_texts(["dog"], [{"n": np.int64(1), "at": datetime(2024, 5, 6)}], ids=["d"])
    [document] = vector_store.get_by_ids(["d"])
    assert document.metadata == {"n": 1, "at": "2024-05-06T00:00:00"}


def test_a_time_weighted_retriever_works(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """It keeps datetimes in the metadata."""
    retrievers = pytest.importorskip("langchain_classic.retrievers")
    vector_store = make_vector_store(embeddings, metadata_encoder=hybridge.plain_value)
    retriever = retrievers.TimeWeightedVectorStoreRetriever(
        vectorstore=vector_store, decay_rate=0.5, k=2
    )
    yesterday = datetime.now() - timedelta(days=1)
    retriever.add_documents([Document("dog", metadata={"last_accessed_at": yesterday})])
    retriever.add_documents([Document("dog and cat")])
    found = [document.page_content for document in retriever.invoke("dog")]
    assert sorted(found) == ["dog", "dog and cat"]
    [stored, _] = vector_store.similarity_search("dog", k=2, mode="dense")
    assert stored.metadata["last_accessed_at"] == yesterday.isoformat()


# --- searching -----------------------------------------------------------------------------------


class TwoMethods:
    """Embeddings without a base class."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        return WordEmbeddings().embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The same for a query."""
        return WordEmbeddings().embed_query(text)


def test_embeddings_need_no_base_class(make_vector_store: MakeVectorStore) -> None:
    """Two methods will do, also where LangChain asks what they are, and without async ones."""
    vector_store = make_vector_store(TwoMethods())
    vector_store.add_documents(ANIMALS)
    assert len(vector_store.as_retriever(search_kwargs={"k": 1}).invoke("dog")) == 1
    assert asyncio.run(vector_store.as_retriever(search_kwargs={"k": 1}).ainvoke("dog"))
    assert len(vector_store.max_marginal_relevance_search("dog", k=2)) == 2


@pytest.mark.parametrize("query", [7, None, {"input": "dog"}, ["dog"], b"dog"])
def test_a_query_that_is_no_string_is_refused(animals: MilvusVectorStore, query: Any) -> None:
    """By an error of ours, whatever is called."""
    for call in (
        animals.similarity_search,
        animals.similarity_search_with_score,
        animals.similarity_search_with_relevance_scores,
        animals.max_marginal_relevance_search,
        animals.as_retriever().invoke,
        lambda query: animals.as_retriever().batch([query]),
    ):
        with pytest.raises(InvalidInputError, match="string"):
            call(query)


@pytest.mark.parametrize("given", [TEXT.contains("barks"), {"$text": {"$contains": "barks"}}])
def test_filters_on_the_text(empty: MilvusVectorStore, given: Any) -> None:
    """What Chroma calls `where_document`."""
    empty.add_texts(["a dog barks", "a dog sleeps"], ids=["loud", "quiet"])
    assert ids(empty.similarity_search("dog", filter=given)) == ["loud"]
    with pytest.raises(InvalidInputError, match=r"where_document.*\$text"):
        empty.similarity_search("dog", where_document={"$contains": "barks"})


async def test_every_search_takes_a_threshold(animals: MilvusVectorStore) -> None:
    """The absolute relevance, as LangChain's own threshold and the retriever's."""
    question = "The cat sleeps on the sofa"
    vector = vector_of(question)
    options: Any = {"score_threshold": 0.9, "mode": "dense"}
    for found in (
        animals.similarity_search(question, **options),
        await animals.asimilarity_search(question, **options),
        [one for one, _ in animals.similarity_search_with_score(question, **options)],
        [one for one, _ in await animals.asimilarity_search_with_score(question, **options)],
        animals.similarity_search_by_vector(vector, **options),
        await animals.asimilarity_search_by_vector(vector, **options),
        [one for one, _ in animals.similarity_search_with_relevance_scores(question, **options)],
        animals.as_retriever(search_kwargs=options).invoke(question),
        animals.as_retriever(search_kwargs=options).batch([question])[0],
        (await animals.as_retriever(search_kwargs=options).abatch([question]))[0],
    ):
        assert ids(found) == ["cat"]
    assert animals.similarity_search("nothing of that", **options) == []
    for odd in (2, "0.3", True):
        with pytest.raises(InvalidInputError, match="score_threshold"):
            animals.similarity_search(question, score_threshold=odd)  # type: ignore[arg-type]


async def test_a_relevance_of_ones_own(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """It is made of the score that orders, and every threshold compares with it."""
    vector_store = make_vector_store(
        embeddings, mode="dense", relevance_score_fn=lambda score: score / 2
    )
    vector_store.add_documents(ANIMALS)
    question = "The cat sleeps on the sofa"
    [(document, relevance)] = vector_store.similarity_search_with_relevance_scores(question, k=1)
    assert (document.id, relevance) == ("cat", pytest.approx(0.5))
    [pair] = await vector_store.asimilarity_search_with_relevance_scores(question, k=1)
    assert pair[1] == relevance
    for threshold, count in ((0.4, 1), (0.6, 0)):
        asked: Any = {"k": 1, "score_threshold": threshold}
        assert len(vector_store.similarity_search(question, **asked)) == count
        retriever = vector_store.as_retriever(
            search_type="similarity_score_threshold", search_kwargs=asked
        )
        assert len(retriever.invoke(question)) == count
        own = MilvusRetriever(vectorstore=vector_store, **asked)
        assert len(own.invoke(question)) == len(own.batch([question])[0]) == count
    [scored] = vector_store.similarity_search(question, k=1, with_scores=True)
    assert scored.metadata["relevance_score"] == relevance


def test_a_relevance_that_is_none_is_refused(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """A function of another scale is noticed, not compared with."""
    with pytest.raises(InvalidInputError, match="relevance_score_fn must be a function"):
        make_vector_store(embeddings, relevance_score_fn=0.5)
    for made in (lambda score: -3.0, lambda score: None, lambda score: float("nan")):
        vector_store = make_vector_store(embeddings, relevance_score_fn=made)
        vector_store.add_texts(["dog"], ids=["dog"])
        with pytest.raises(InvalidInputError, match="relevance_score_fn makes"):
            vector_store.similarity_search_with_relevance_scores("dog")


async def test_offset_leaves_out_the_best(animals: MilvusVectorStore) -> None:
    """In searches and retrievers; the next page of one ranking."""
    whole = ids(animals.similarity_search("The cat sleeps in the park", k=4, mode="dense"))
    asked: Any = {"k": 2, "offset": 2, "mode": "dense"}
    question = "The cat sleeps in the park"
    assert ids(animals.similarity_search(question, **asked)) == whole[2:]
    assert ids(await animals.asimilarity_search(question, **asked)) == whole[2:]
    retriever = MilvusRetriever(vectorstore=animals, **asked)
    assert ids(retriever.invoke(question)) == ids(retriever.batch([question])[0]) == whole[2:]
    assert ids(animals.as_retriever(search_kwargs=asked).invoke(question)) == whole[2:]


async def test_documents_come_with_their_vectors(
    animals: MilvusVectorStore, make_vector_store: MakeVectorStore
) -> None:
    """As `langchain-chroma` names it; the documents themselves stay as they are."""
    [(document, vector)] = animals.similarity_search_with_vectors("the cat sleeps", k=1)
    assert document == ANIMALS[0]
    assert np.allclose(vector, vector_of(ANIMALS[0].page_content), atol=1e-6)
    [(same, again)] = await animals.asimilarity_search_with_vectors("the cat sleeps", k=1)
    assert same == document
    assert np.array_equal(vector, again)
    bm25 = make_vector_store(collection_name="bm25")
    bm25.add_texts(["dog"], ids=["dog"])
    with pytest.raises(InvalidInputError, match="no vector of the field 'dense'"):
        bm25.similarity_search_with_vectors("dog")


async def test_an_ensemble_fuses_by_id(empty: MilvusVectorStore) -> None:
    """`EnsembleRetriever(id_key=)` looks for ids in metadata; texts that are alike stay two."""
    retrievers = pytest.importorskip("langchain_classic.retrievers")
    empty.add_texts(["the dog", "the dog", "a cat"], ids=["first", "second", "cat"])
    options: Any = {"id_key": "id", "k": 2}
    ensemble = retrievers.EnsembleRetriever(
        retrievers=[
            empty.as_retriever(search_kwargs={**options, "mode": "dense"}),
            MilvusRetriever(vectorstore=empty, mode="sparse", **options),
        ],
        id_key="id",
    )
    for found in (ensemble.invoke("dog"), await ensemble.ainvoke("dog")):
        assert sorted(ids(found)) == ["first", "second"]  # type: ignore[type-var]
    [document] = empty.similarity_search("cat", k=1)
    assert document.metadata == {}
