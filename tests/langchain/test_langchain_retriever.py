"""What `MilvusRetriever` promises: its fields, `invoke`, `batch`, callbacks and tracing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import ConfigurableField, RunnableLambda
from test_langchain_search import shortest_first

from hybridge import F, MilvusStore, Weighted
from hybridge.errors import EngineError, InvalidInputError
from langchain_hybridge import DenseEmbeddings, MilvusRetriever, MilvusVectorStore, Rerank
from langchain_hybridge.functions import EmbeddingsFunction
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids

QUESTIONS = ["the cat on the sofa", "a dog in a park", "does the bird sing?"]
ANSWERS = ["cat", "dog", "bird"]


class CountedStore(MilvusStore):
    """A store that counts its searches."""

    searches = 0

    def search_many(self, *args: Any, **kwargs: Any) -> Any:
        """Count, and search."""
        self.searches += 1
        return super().search_many(*args, **kwargs)

    async def asearch_many(self, *args: Any, **kwargs: Any) -> Any:
        """The same, async."""
        self.searches += 1
        return await super().asearch_many(*args, **kwargs)


@pytest.fixture
def counted(path: str, embeddings: WordEmbeddings) -> Iterator[CountedStore]:
    """A store that counts its searches."""
    store = CountedStore(path, dense=EmbeddingsFunction(embeddings))
    yield store
    store.close()


class Notes(BaseCallbackHandler):
    """Notes what retrievers tell."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.metadata: list[dict[str, Any]] = []
        self.ended: list[list[str | None]] = []
        self.failed: list[BaseException] = []

    def on_retriever_start(self, serialized: Any, query: str, **kwargs: Any) -> None:
        """A question was asked."""
        self.started.append(query)
        self.metadata.append(kwargs["metadata"])

    def on_retriever_end(self, documents: Any, **kwargs: Any) -> None:
        """It was answered."""
        self.ended.append(ids(documents))

    def on_retriever_error(self, error: BaseException, **kwargs: Any) -> None:
        """It failed."""
        self.failed.append(error)


# --- fields --------------------------------------------------------------------------------------


def test_the_fields_say_what_is_found(animals: MilvusVectorStore) -> None:
    """Each field does what the option of the same name does."""

    def found(question: str, **fields: Any) -> list[str | None]:
        return ids(MilvusRetriever(vectorstore=animals, **fields).invoke(question))

    assert found("the cat sleeps", k=1) == ["cat"]
    assert found("sofa", mode="sparse") == ["cat"]
    assert found("the cat", filter={"legs": 2}) == ["bird"]
    assert found("the cat", filter=F("legs") == 0) == ["fish"]
    assert found("the cat", expr='id == "dog"') == ["dog"]
    assert found("the cat sleeps", fusion=Weighted(dense=1.0), k=1, fetch_k=3) == ["cat"]
    assert found("the cat", score_threshold=0.999, mode="dense") == []
    shortest = min(ANIMALS, key=lambda document: len(document.page_content)).id
    assert found("the cat", reranker=Rerank(shortest_first), k=1) == [shortest]


def test_every_field_may_be_given_to_a_call(animals: MilvusVectorStore) -> None:
    """It holds for that call, and None means the field."""
    retriever = MilvusRetriever(vectorstore=animals, k=1, filter={"legs": 4})
    assert ids(retriever.invoke("bird", filter={"legs": 2}, k=3)) == ["bird"]
    assert len(retriever.invoke("bird", k=2)) == 2
    assert len(retriever.invoke("bird", k=None)) == 1
    [document] = retriever.invoke("bird", with_scores=True, with_vectors=True)
    assert {"score", "relevance_score", "scores", "vector"} <= set(document.metadata)
    assert ids(retriever.invoke("dog", score_threshold=0.0)) == ["dog"]


def test_search_params_reach_the_indexes(animals: MilvusVectorStore) -> None:
    """Of the retriever, of its call, and of every search of the vector store."""
    assert ids(MilvusRetriever(vectorstore=animals, search_params={"ef": 64}, k=1).invoke("dog"))
    unknown = {"search_params": {"dense": {"nprobe": 8}}}
    retriever = animals.as_retriever(search_kwargs=unknown)
    for ask in (
        lambda: MilvusRetriever(vectorstore=animals, **unknown).invoke("dog"),
        lambda: MilvusRetriever(vectorstore=animals).invoke("dog", **unknown),
        lambda: MilvusRetriever(vectorstore=animals, **unknown).batch(["dog"]),
        lambda: animals.similarity_search("dog", **unknown),
        lambda: animals.max_marginal_relevance_search("dog", **unknown),
        lambda: retriever.invoke("dog"),
    ):
        with pytest.raises(InvalidInputError, match="'nprobe' of 'dense' belongs to no index"):
            ask()


def test_scores_are_in_metadata_on_request_only(animals: MilvusVectorStore) -> None:
    """Without it, metadata are what was stored."""
    assert MilvusRetriever(vectorstore=animals, k=1).invoke("cat")[0].metadata == {"legs": 4}
    retriever = MilvusRetriever(vectorstore=animals, k=1, with_scores=True, reranker=shortest_first)
    metadata = retriever.invoke("cat bird")[0].metadata
    assert metadata["scores"]["rerank"]["rank"] == 1
    assert metadata["score"] == metadata["scores"]["rerank"]["score"]
    assert 0 <= metadata["relevance_score"] <= 1


def test_without_k_the_vector_store_says_it(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """As for the other defaults of its constructor."""
    vector_store = make_vector_store(embeddings, k=2, mode="dense")
    vector_store.add_documents(ANIMALS)
    assert len(MilvusRetriever(vectorstore=vector_store).invoke("the")) == 2


def test_unknown_fields_and_arguments_are_errors(animals: MilvusVectorStore) -> None:
    """Nothing is swallowed."""
    with pytest.raises(InvalidInputError, match=r"MilvusRetriever .*'top_k' \(write k=\)"):
        MilvusRetriever(vectorstore=animals, top_k=3)
    with pytest.raises(InvalidInputError, match="no argument 'top_k'"):
        MilvusRetriever(vectorstore=animals).invoke("x", top_k=3)


def test_fields_can_be_made_configurable(animals: MilvusVectorStore) -> None:
    """As for any runnable."""
    retriever = MilvusRetriever(vectorstore=animals, k=1).configurable_fields(
        k=ConfigurableField(id="k"), filter=ConfigurableField(id="filter")
    )
    assert len(retriever.invoke("the cat")) == 1
    config: Any = {"configurable": {"k": 3, "filter": F("legs") > 0}}
    assert set(ids(retriever.invoke("the fish", config))) == {"cat", "dog", "bird"}
    assert [ids(found) for found in retriever.batch(QUESTIONS)] == [[name] for name in ANSWERS]


# --- batch ---------------------------------------------------------------------------------------


def test_batch_is_invoke_for_each_by_one_search(counted: CountedStore) -> None:
    """Whatever the number of questions, Milvus is asked once per field."""
    vector_store = MilvusVectorStore(store=counted)
    vector_store.add_documents(ANIMALS)
    retriever = MilvusRetriever(vectorstore=vector_store, k=1, with_scores=True)
    alone = [retriever.invoke(question) for question in QUESTIONS]
    counted.searches = 0
    together = retriever.batch(QUESTIONS)
    assert counted.searches == 1
    assert [ids(found) for found in together] == [ids(found) for found in alone]
    for one, other in zip(together, alone, strict=True):
        assert [d.metadata["score"] for d in one] == pytest.approx(
            [d.metadata["score"] for d in other]
        )
    assert [len(found) for found in retriever.batch(QUESTIONS, k=3)] == [3, 3, 3]
    assert retriever.batch([]) == []


async def test_abatch_is_batch(counted: CountedStore) -> None:
    """Also by one search."""
    vector_store = MilvusVectorStore(store=counted)
    await vector_store.aadd_documents(ANIMALS)
    retriever = MilvusRetriever(vectorstore=vector_store, k=1, score_threshold=0.1)
    expected = retriever.batch(QUESTIONS)
    counted.searches = 0
    assert await retriever.abatch(QUESTIONS) == expected
    assert counted.searches == 1
    assert await retriever.abatch([]) == []


def test_a_chains_batch_is_one_search_too(counted: CountedStore) -> None:
    """A sequence hands its batch on to the retriever."""
    vector_store = MilvusVectorStore(store=counted)
    vector_store.add_documents(ANIMALS)
    chain = MilvusRetriever(vectorstore=vector_store, k=1) | RunnableLambda(ids)
    counted.searches = 0
    assert chain.batch(QUESTIONS) == [[name] for name in ANSWERS]
    assert counted.searches == 1


async def test_one_question_of_a_batch_may_fail_alone(animals: MilvusVectorStore) -> None:
    """With `return_exceptions` the others are answered."""
    questions: list[Any] = ["the cat sleeps", 7, "the bird sings"]
    retriever = MilvusRetriever(vectorstore=animals, k=1, mode="sparse")
    for first, second, third in (
        retriever.batch(questions, return_exceptions=True),
        await retriever.abatch(questions, return_exceptions=True),
    ):
        assert (ids(first), ids(third)) == (["cat"], ["bird"])
        assert isinstance(second, InvalidInputError)
    with pytest.raises(InvalidInputError, match="not a string"):
        retriever.batch(questions)
    with pytest.raises(InvalidInputError, match="not a string"):
        await retriever.abatch(questions)


# --- callbacks and tracing -----------------------------------------------------------------------


async def test_callbacks_see_each_question_and_its_answer(animals: MilvusVectorStore) -> None:
    """In `invoke` and `batch`, sync and async."""
    retriever = MilvusRetriever(vectorstore=animals, k=1)
    expected = [[name] for name in ANSWERS]
    notes = Notes()
    retriever.batch(QUESTIONS, {"callbacks": [notes]})
    assert (notes.started, notes.ended) == (QUESTIONS, expected)
    notes = Notes()
    await retriever.abatch(QUESTIONS, {"callbacks": [notes]})
    assert (sorted(notes.started), sorted(notes.ended, key=str)) == (
        sorted(QUESTIONS),
        sorted(expected, key=str),
    )
    notes = Notes()
    retriever.invoke(QUESTIONS[0], {"callbacks": [notes]})
    assert notes.ended == [["cat"]]


async def test_callbacks_see_failures(animals: MilvusVectorStore) -> None:
    """Also those of a search for a whole batch."""
    retriever = MilvusRetriever(vectorstore=animals, expr="=== broken")
    notes = Notes()
    config: Any = {"callbacks": [notes]}
    with pytest.raises(EngineError):
        retriever.invoke("x", config)
    with pytest.raises(EngineError):
        retriever.batch(["x"], config)
    with pytest.raises(EngineError):
        await retriever.abatch(["x"], config)
    assert len(notes.failed) == 3


def test_traces_name_the_store_and_the_embedding(animals: MilvusVectorStore) -> None:
    """What LangSmith shows beside a run."""
    notes = Notes()
    MilvusRetriever(vectorstore=animals, k=1).invoke("x", {"callbacks": [notes]})
    [metadata] = notes.metadata
    assert metadata["ls_retriever_name"] == "milvus"
    assert metadata["ls_vector_store_provider"] == "MilvusVectorStore"
    assert metadata["ls_embedding_provider"] == "WordEmbeddings"
    assert "ls_embedding_model" not in metadata


def test_traces_name_the_model(make_vector_store: MakeVectorStore) -> None:
    """Where the embedding tells it."""
    from test_langchain_vector_store import Words

    notes = Notes()
    vector_store = make_vector_store(DenseEmbeddings(Words()))
    MilvusRetriever(vectorstore=vector_store).invoke("x", {"callbacks": [notes]})
    assert notes.metadata[0]["ls_embedding_model"] == "words"
