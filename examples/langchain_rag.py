"""Answer questions from your own documents with LangChain, without any server or key.

    python examples/langchain_rag.py

Indexes the documentation of a few modules of Python in an embedded Milvus (the folder
langchain_rag.db), shows what the retriever finds and why, and builds the usual chain: retriever,
prompt, chat model. In place of a chat model stands `Extract`, which needs no key: it answers with
the sentence of the context that has most words of the question. A second run finds the index and
stores nothing.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnablePassthrough

from hybridge import DefaultEmbeddingFunction
from langchain_hybridge import DenseEmbeddings, MilvusRetriever, MilvusVectorStore
from stdlib_docs import collect_docstrings

DATABASE = Path(__file__).with_name("langchain_rag.db")
MODULES = {"collections", "functools", "gzip", "json", "pathlib", "random", "shutil", "tempfile"}
QUESTIONS = [
    "How do I shuffle a list in place?",
    "How do I delete a directory tree?",
    "How do I make a temporary directory?",
]


class Extract(SimpleChatModel):
    """Stands in for a chat model, such as `ChatOpenAI()`."""

    @property
    def _llm_type(self) -> str:
        return "extract"

    def _call(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> str:
        context, _, question = str(messages[-1].content).rpartition("Question: ")
        wanted = words(question)
        sentences = re.split(r"(?<=[.?!])\s+|\n\n", context.partition("Context:")[2])
        best = max(sentences, key=lambda sentence: len(wanted & words(sentence)))
        return " ".join(best.split())


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def main() -> None:
    embeddings = DenseEmbeddings(DefaultEmbeddingFunction())
    with MilvusVectorStore(embeddings, uri=DATABASE) as vector_store:
        index(vector_store)
        retriever = MilvusRetriever(vectorstore=vector_store, k=3)
        show_documents(retriever, QUESTIONS[0])
        chain = make_chain(retriever)
        print("\nThe chain's answers (one search for all questions):")
        for question, answer in zip(QUESTIONS, chain.batch(QUESTIONS), strict=True):
            print(f"   ? {question}\n     {answer}")
        question = "How do I compress something?"
        only_gzip = make_chain(MilvusRetriever(vectorstore=vector_store, filter={"module": "gzip"}))
        print("\nFrom the module gzip alone, asked in an event loop:")
        print(f"   ? {question}\n     {asyncio.run(only_gzip.ainvoke(question))}")


def index(vector_store: MilvusVectorStore) -> None:
    if vector_store.store.exists():
        print(f"Reusing the index in {DATABASE.name}")
        return
    documents = [
        Document(id=name, page_content=f"{name}\n{doc}", metadata={"module": module})
        for name, doc in collect_docstrings().items()
        if (module := name.partition(".")[0]) in MODULES
    ]
    print(f"Indexing {len(documents)} documents ...")
    vector_store.add_documents(documents, progress=True)


def show_documents(retriever: MilvusRetriever, question: str) -> None:
    print(f"\nWhat the retriever finds for {question!r}, and its place in each search:")
    for document in retriever.invoke(question, with_scores=True):
        places = {name: score["rank"] for name, score in document.metadata["scores"].items()}
        found_by = ", ".join(f"{name} #{rank}" for name, rank in places.items())
        print(f"   {document.metadata['score']:.2f}  {document.id:<28} {found_by}")


def make_chain(retriever: MilvusRetriever) -> Runnable[str, str]:
    prompt = ChatPromptTemplate.from_template(
        "Answer from the context.\n\nContext:\n{context}\n\nQuestion: {question}"
    )
    asked = {"context": retriever | join, "question": RunnablePassthrough()}
    return asked | prompt | Extract() | StrOutputParser()


def join(documents: list[Document]) -> str:
    return "\n\n".join(document.page_content for document in documents)


if __name__ == "__main__":
    main()
