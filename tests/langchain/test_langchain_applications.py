"""What people build with LangChain, built on Hybridge."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_classic.chains.query_constructor.schema import AttributeInfo
from langchain_classic.retrievers import ParentDocumentRetriever
from langchain_classic.retrievers.self_query.base import SelfQueryRetriever
from langchain_core.documents import Document
from langchain_core.example_selectors import SemanticSimilarityExampleSelector
from langchain_core.language_models import FakeListChatModel
from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough
from langchain_core.stores import InMemoryStore
from langchain_core.structured_query import Comparator, Comparison, StructuredQuery
from langchain_core.tools import create_retriever_tool
from langchain_text_splitters import CharacterTextSplitter

from langchain_hybridge import MilvusRetriever, MilvusTranslator, MilvusVectorStore
from support.langchain_support import ANIMALS, MakeVectorStore, WordEmbeddings, ids

FILMS = [
    Document(id="jp", page_content="Scientists bring dinosaurs back", metadata={"year": 1993}),
    Document(id="up", page_content="A house flies with balloons", metadata={"year": 2009}),
    Document(id="jw", page_content="A new park of dinosaurs opens", metadata={"year": 2015}),
]


class FirstFact(SimpleChatModel):
    """A chat model that answers with the first line of its context."""

    @property
    def _llm_type(self) -> str:
        return "first-fact"

    def _call(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> str:
        return str(messages[0].content).splitlines()[1]


def rag(retriever: MilvusRetriever) -> Runnable[str, str]:
    """The chain of LangChain's tutorials."""
    prompt = ChatPromptTemplate.from_template("Context:\n{context}\n\nQuestion: {question}")
    context = retriever | (lambda found: "\n".join(one.page_content for one in found))
    question = {"context": context, "question": RunnablePassthrough()}
    return question | prompt | FirstFact() | StrOutputParser()


async def test_a_rag_chain(animals: MilvusVectorStore) -> None:
    """Invoked, batched, streamed; sync and async."""
    chain = rag(MilvusRetriever(vectorstore=animals, k=2))
    questions = ["Where does the cat sleep?", "Where does the dog run?"]
    answers = [ANIMALS[0].page_content, ANIMALS[1].page_content]
    assert chain.invoke(questions[0]) == answers[0]
    assert chain.batch(questions) == answers
    assert "".join(chain.stream(questions[1])) == answers[1]
    assert await chain.ainvoke(questions[0]) == answers[0]
    assert await chain.abatch(questions) == answers


def test_a_retriever_tool(animals: MilvusVectorStore) -> None:
    """What an agent calls: text for the model, and the documents themselves."""
    retriever = MilvusRetriever(vectorstore=animals, k=1)
    tool = create_retriever_tool(
        retriever, "animals", "Facts about animals.", response_format="content_and_artifact"
    )
    assert set(tool.args) == {"query"}
    call = {"name": "animals", "args": {"query": "the fish"}, "id": "1", "type": "tool_call"}
    message = tool.invoke(call)
    assert message.content == "The fish swims in the river"
    assert ids(message.artifact) == ["fish"]


async def test_a_self_query(make_vector_store: MakeVectorStore, embeddings: WordEmbeddings) -> None:
    """A question becomes a text, a filter and a limit."""
    vector_store = make_vector_store(embeddings)
    vector_store.add_documents(FILMS)
    query = StructuredQuery("dinosaurs", Comparison(Comparator.GT, "year", 2000), limit=1)
    for search_type in ("similarity", "mmr"):
        retriever = SelfQueryRetriever(
            llm_chain=RunnableLambda(lambda question: query),
            vectorstore=vector_store,
            structured_query_translator=MilvusTranslator(),
            search_type=search_type,
        )
        assert ids(retriever.invoke("dinosaur films after 2000")) == ["jw"]
        assert ids(await retriever.ainvoke("dinosaur films after 2000")) == ["jw"]


def test_a_self_query_by_a_language_model(
    make_vector_store: MakeVectorStore, embeddings: WordEmbeddings
) -> None:
    """The model is told of every comparator, and its answer is parsed by LangChain."""
    pytest.importorskip("lark", reason="LangChain parses the answers of models with it")
    answer = (
        '```json\n{"query": "dinosaurs", "filter": '
        '"and(in(\\"year\\", [1993, 2015]), not(lt(\\"year\\", 2000)))"}\n```'
    )
    vector_store = make_vector_store(embeddings)
    vector_store.add_documents(FILMS)
    retriever = SelfQueryRetriever.from_llm(
        FakeListChatModel(responses=[answer]),
        vector_store,
        "What a film is about",
        [AttributeInfo(name="year", description="The year it came out", type="integer")],
        structured_query_translator=MilvusTranslator(),
    )
    assert ids(retriever.invoke("dinosaur films of 1993 or 2015, none before 2000")) == ["jw"]


def test_parent_documents(make_vector_store: MakeVectorStore, embeddings: WordEmbeddings) -> None:
    """Small chunks are searched, whole documents come back."""
    retriever = ParentDocumentRetriever(
        vectorstore=make_vector_store(embeddings),
        docstore=InMemoryStore(),
        child_splitter=CharacterTextSplitter(separator=". ", chunk_size=30, chunk_overlap=0),
        search_kwargs={"k": 1},
    )
    stories = [
        Document(page_content="A cat sat. It was bored. It caught a mouse at last"),
        Document(page_content="A dog ran. It was glad. It found a bone in the end"),
    ]
    retriever.add_documents(stories)
    [found] = retriever.invoke("found a bone")
    assert found.page_content == stories[1].page_content


def test_examples_for_a_prompt(path: str, embeddings: WordEmbeddings) -> None:
    """LangChain makes the vector store by itself, from its class."""
    selector = SemanticSimilarityExampleSelector.from_examples(
        [{"input": "happy", "output": "sad"}, {"input": "tall", "output": "short"}],
        embeddings,
        MilvusVectorStore,
        k=1,
        uri=path,
    )
    assert selector.select_examples({"input": "tall"}) == [{"input": "tall", "output": "short"}]
    selector.add_example({"input": "sunny", "output": "gloomy"})
    assert selector.select_examples({"input": "sunny"})[0]["output"] == "gloomy"
    assert isinstance(selector.vectorstore, MilvusVectorStore)
    selector.vectorstore.close()


CELL = """
from langchain_hybridge import MilvusRetriever, MilvusVectorStore

vector_store = MilvusVectorStore.from_documents(documents, embeddings, uri=path)
retriever = MilvusRetriever(vectorstore=vector_store, k=1)
answer = retriever.invoke("the cat sleeps")
"""


def test_a_notebook_cell_that_is_run_twice(path: str, embeddings: WordEmbeddings) -> None:
    """Nothing is closed between, and nothing is there twice."""
    notebook: dict[str, Any] = {"documents": ANIMALS, "embeddings": embeddings, "path": path}
    made: list[MilvusVectorStore] = []
    for _ in range(2):
        exec(CELL, notebook)
        made.append(notebook["vector_store"])
        assert ids(notebook["answer"]) == ["cat"]
    assert len(list(made[1].scroll())) == len(ANIMALS)
    made[0].close()
    assert ids(notebook["retriever"].invoke("the cat sleeps")) == ["cat"]
    made[1].close()


async def test_many_users_of_one_server(
    lite_server: str, collection_name: str, embeddings: WordEmbeddings
) -> None:
    """Fifty questions at once, through a chain, on a server."""
    vector_store = MilvusVectorStore(embeddings, uri=lite_server, collection_name=collection_name)
    async with vector_store:
        await vector_store.aadd_documents(ANIMALS)
        chain = rag(MilvusRetriever(vectorstore=vector_store, k=1))
        asked = [ANIMALS[n % 4] for n in range(50)]
        answers = await asyncio.gather(*(chain.ainvoke(one.page_content) for one in asked))
        await vector_store.store.adrop()
    assert answers == [one.page_content for one in asked]
