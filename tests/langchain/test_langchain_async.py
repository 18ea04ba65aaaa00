"""What the async methods promise: the embedding's own, any loop, and the loop stays free."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybridge import RerankResult
from hybridge.errors import PartialWriteError, StoreClosedError
from langchain_hybridge import MilvusRetriever, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids, vector


async def test_every_async_twin_does_what_its_method_does(animals: MilvusVectorStore) -> None:
    """The same arguments, the same answers."""
    question, given = "the cat sleeps", vector("the cat sleeps")
    assert await animals.asimilarity_search(
        question, k=2, filter={"legs": 4}, with_scores=True
    ) == animals.similarity_search(question, k=2, filter={"legs": 4}, with_scores=True)
    assert await animals.asimilarity_search_with_score(
        question
    ) == animals.similarity_search_with_score(question)
    assert await animals.asimilarity_search_by_vector(given) == animals.similarity_search_by_vector(
        given
    )
    assert await animals.asimilarity_search_with_score_by_vector(
        given, query=question
    ) == animals.similarity_search_with_score_by_vector(given, query=question)
    assert await animals.asimilarity_search_with_relevance_scores(
        question, score_threshold=0.2
    ) == animals.similarity_search_with_relevance_scores(question, score_threshold=0.2)
    assert await animals.amax_marginal_relevance_search(
        question, k=2, lambda_mult=0.1
    ) == animals.max_marginal_relevance_search(question, k=2, lambda_mult=0.1)
    assert await animals.amax_marginal_relevance_search_by_vector(
        given, k=2
    ) == animals.max_marginal_relevance_search_by_vector(given, k=2)
    assert await animals.aget_by_ids(["dog", "dog"]) == animals.get_by_ids(["dog", "dog"])
    assert [d async for d in animals.ascroll({"legs": 4})] == list(animals.scroll({"legs": 4}))


async def test_writing_and_closing(path: str, embeddings: WordEmbeddings) -> None:
    """Adding, deleting, `afrom_documents` and `async with`."""
    async with await MilvusVectorStore.afrom_documents(
        ANIMALS, embeddings, uri=path, batch_size=2
    ) as vector_store:
        assert await vector_store.aadd_texts(["a horse"], ids=["horse"]) == ["horse"]
        assert await vector_store.adelete(["cat"]) is True
        assert await vector_store.adelete(filter={"legs": 4}) is True
        found = [document.id async for document in vector_store.ascroll()]
        assert found == ["bird", "fish", "horse"]
    with pytest.raises(StoreClosedError):
        await vector_store.asimilarity_search("x")


async def test_it_embeds_by_the_embeddings_own_async_methods(
    empty: MilvusVectorStore, embeddings: WordEmbeddings
) -> None:
    """In the caller's loop, and never by the sync ones."""
    await empty.aadd_documents(ANIMALS, batch_size=3)
    await empty.asimilarity_search("cat")
    await empty.amax_marginal_relevance_search("cat")
    retriever = MilvusRetriever(vectorstore=empty)
    await retriever.ainvoke("cat")
    await retriever.abatch(["cat", "dog"])
    methods = [call.method for call in embeddings.calls]
    assert methods == ["aembed_documents"] * 2 + ["aembed_query"] * 5
    assert {call.thread for call in embeddings.calls} == {threading.get_ident()}


async def test_a_failed_batch_tells_what_landed(make_vector_store: MakeVectorStore) -> None:
    """As in the sync method."""

    class OutOfCredit(WordEmbeddings):
        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            if self.calls:
                msg = "out of credit"
                raise OSError(msg)
            return await super().aembed_documents(texts)

    vector_store = make_vector_store(OutOfCredit())
    with pytest.raises(PartialWriteError, match="out of credit") as caught:
        await vector_store.aadd_texts(list("abcd"), ids=list("abcd"), batch_size=2)
    assert caught.value.landed == ["a", "b"]


def test_any_number_of_event_loops(empty: MilvusVectorStore) -> None:
    """One vector store serves one `asyncio.run` after the other, and the sync methods between."""
    asyncio.run(empty.aadd_documents(ANIMALS))
    for _ in range(3):
        assert ids(asyncio.run(empty.asimilarity_search("the cat sleeps", k=1))) == ["cat"]
        assert ids(empty.similarity_search("the dog in the park", k=1)) == ["dog"]


def test_any_number_of_threads_with_loops_of_their_own(animals: MilvusVectorStore) -> None:
    """As web frameworks and notebooks have them."""

    def ask(question: str) -> list[str | None]:
        return ids(asyncio.run(animals.asimilarity_search(question, k=1)))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, ["the cat sleeps", "the dog in the park"] * 16))
    assert answers == [["cat"], ["dog"]] * 16


async def test_fifty_concurrent_invocations(animals: MilvusVectorStore) -> None:
    """Each gets its own answer."""
    retriever = MilvusRetriever(vectorstore=animals, k=1)
    questions = [f"the {ANIMALS[n % 4].id} number {n}" for n in range(50)]
    answers = await asyncio.gather(*(retriever.ainvoke(question) for question in questions))
    assert [ids(answer) for answer in answers] == [[ANIMALS[n % 4].id] for n in range(50)]


async def test_the_event_loop_stays_free(animals: MilvusVectorStore) -> None:
    """A search runs on another thread, so while it waits, other coroutines run."""
    entered, held = threading.Event(), threading.Event()

    def reranker(query: str, documents: Sequence[str], top_k: int = 5) -> list[RerankResult]:
        entered.set()
        assert held.wait(timeout=10)
        return [RerankResult(documents[0], 1.0, 0)]

    task = asyncio.ensure_future(animals.asimilarity_search("cat", reranker=reranker))
    while not entered.is_set():
        await asyncio.sleep(0.001)
    assert not task.done()
    held.set()
    assert len(await task) == 1
