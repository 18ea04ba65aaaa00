"""A small LangChain application that answers from tickets; `langchain_swap.py` runs it.

Its tickets have ids: a second run overwrites them in a store that has kept them.
"""

from __future__ import annotations

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

TICKETS = [
    Document(
        id="T-17", page_content="Error E-4711 when the export starts", metadata={"open": True}
    ),
    Document(id="T-18", page_content="The app is slow after the update", metadata={"open": True}),
    Document(id="T-19", page_content="Exporting reports takes minutes", metadata={"open": False}),
    Document(id="T-20", page_content="Please add a dark theme", metadata={"open": True}),
]


def answer(embeddings: Embeddings, questions: list[str]) -> list[str]:
    """Return what the application says to each question."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(TICKETS)
    store.delete(["T-20"])
    retriever = store.as_retriever(search_kwargs={"k": 1})
    return [f"{found.id}: {found.page_content}" for [found] in retriever.batch(questions)]
