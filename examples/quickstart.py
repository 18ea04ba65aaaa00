"""Search the documentation of Python's standard library, by meaning, by words, and by both.

    make demo            or:  python examples/quickstart.py

Collects the docstrings of the running interpreter, indexes them in an embedded Milvus (the folder
quickstart.db), answers ten questions in three modes side by side, and then asks one question
through a LangChain chain and one through a LlamaIndex query engine over the same collection.
Nothing is downloaded, no server and no API key is needed. A second run reuses the collection.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from hybridge import DefaultEmbeddingFunction, MilvusStore, Record
from stdlib_docs import collect_docstrings

DATABASE = Path(__file__).with_name("quickstart.db")
COLLECTION = "stdlib"

QUESTIONS = [
    ("how do I parse a date from a string", ["strptime", "fromisoformat"]),
    ("copy a file", ["shutil.copy"]),
    ("run a command and capture its output", ["subprocess.run", "check_output"]),
    ("find all matches of a regular expression", ["re.findall", "finditer"]),
    ("parse a JSON document from a string", ["json.load", "JSONDecoder.decode"]),
    ("count how often items occur", ["collections.Counter"]),
    ("create a temporary directory that is removed afterwards", ["TemporaryDirectory"]),
    ("remember the results of a function", ["lru_cache", "cache"]),
    ("compress bytes with gzip", ["gzip.compress"]),
    ("shuffle a list in place", ["shuffle"]),
]


def main() -> None:
    model = DefaultEmbeddingFunction()
    with MilvusStore(DATABASE, collection_name=COLLECTION, dense=model) as store:
        index(store)
        compare_modes(store)
        ask_through_langchain(store)
        ask_through_llama_index(store, model)
    print(f"\nThe collection stays in {DATABASE}: a second run starts with the questions.")


def index(store: MilvusStore) -> None:
    if count := store.count():
        print(f"Reusing the collection: {count:,} documents in {DATABASE.name}\n")
        return
    print("Collecting the docstrings of Python's standard library ...")
    records = [
        Record(id=name, text=f"{name}\n{doc}", metadata={"module": name.partition(".")[0]})
        for name, doc in collect_docstrings().items()
    ]
    print(f"Indexing {len(records):,} documents: a dense vector and BM25 terms for each")
    start = time.perf_counter()
    store.add(records, progress=True)
    print(f"Indexed in {time.perf_counter() - start:.0f} s\n")


def compare_modes(store: MilvusStore) -> None:
    print("Ten questions, the three best answers of each mode; * marks an expected one.")
    print("  dense: by meaning (all-MiniLM-L6-v2)   BM25: by words   hybrid: both, fused\n")
    modes: dict[Literal["dense", "sparse", "hybrid"], str]
    modes = {"dense": "dense", "sparse": "BM25", "hybrid": "hybrid"}
    answered = dict.fromkeys(modes, 0)
    print("   " + "".join(f"  {label:<34}" for label in modes.values()).rstrip())
    for question, expected in QUESTIONS:
        columns = []
        for mode in modes:
            names = [hit.id for hit in store.search(question, k=3, mode=mode)]
            marks = ["*" if any(part in name for part in expected) else " " for name in names]
            answered[mode] += "*" in marks
            columns.append([f"{mark} {name}" for mark, name in zip(marks, names, strict=True)])
        print(f"? {question}")
        for row in zip(*columns, strict=True):
            print("   " + "".join(f"{shorten(cell):<36}" for cell in row).rstrip())
    print("\nQuestions with an expected answer among the first three:")
    for mode, label in modes.items():
        print(f"   {label:<7} {answered[mode]} of {len(QUESTIONS)}")


def shorten(text: str, width: int = 34) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def ask_through_langchain(store: MilvusStore) -> None:
    from langchain_core.documents import Document
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnableLambda, RunnablePassthrough

    from langchain_hybridge import MilvusRetriever, MilvusVectorStore

    def join(documents: list[Document]) -> str:
        return "\n\n".join(document.page_content[:200] for document in documents)

    retriever = MilvusRetriever(vectorstore=MilvusVectorStore(store=store), k=2)
    prompt = ChatPromptTemplate.from_template("Answer from:\n{context}\n\nQuestion: {question}")
    # In place of a chat model, so that the demo needs no key: it shows what a model would be sent.
    model = RunnableLambda(lambda value: value.to_messages()[0].content)
    chain = {"context": retriever | join, "question": RunnablePassthrough()} | prompt | model
    print("\nThrough a LangChain chain, the prompt that a chat model would get:")
    print(indent(chain.invoke("How do I shuffle a list in place?")))


def ask_through_llama_index(store: MilvusStore, model: DefaultEmbeddingFunction) -> None:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.llms import MockLLM

    from llama_index_hybridge import DenseEmbedding, MilvusVectorStore

    index = VectorStoreIndex.from_vector_store(
        MilvusVectorStore(store=store), embed_model=DenseEmbedding(model)
    )
    # MockLLM repeats its prompt instead of answering, so that the demo needs no key.
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=2, vector_store_query_mode="hybrid"
    )
    response = engine.query("How do I compress bytes with gzip?")
    print("\nThrough a LlamaIndex query engine over the same collection, the sources it used:")
    for source in response.source_nodes:
        print(f"   {source.score:.2f}  {source.node.node_id}")


def indent(text: str) -> str:
    return "\n".join(f"   | {line}" for line in text.splitlines())


if __name__ == "__main__":
    main()
