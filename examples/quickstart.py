"""Search the documentation of Python's standard library, by meaning, by words, and by both.

    make demo            or:  python examples/quickstart.py

Collects the docstrings of the running interpreter, indexes them in an embedded Milvus (the folder
quickstart.db), shows at which place each of three modes finds the right answers to sixteen
questions, and then asks one question through a LangChain chain and one through a LlamaIndex query
engine over the same collection. Nothing is downloaded, no server and no API key is needed.

A second run finds the collection, stores nothing, and starts with the questions.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from hybridge import DefaultEmbeddingFunction, MilvusStore, Record
from stdlib_docs import collect_docstrings

DATABASE = Path(__file__).with_name("quickstart.db")
COLLECTION = "stdlib"

# How these were chosen: of 71 questions, written down with their answers, the first eight names
# that BM25 alone finds and the first eight paraphrases that dense vectors alone find, among the
# first three of Python 3.11's documentation. So 8 of 16 of each mode alone is the choice;
# hybrid's figure is the result, and nothing was changed after it. Some of the 71 had been in an
# earlier set of 20, of which every mode found 8 and whose hybrid results had been seen; two of
# those are below (NFKC, the largest number that divides). Seven names were added when there were
# too few.
NAMES = {
    "NFKC": ["unicodedata.normalize", "unicodedata.is_normalized"],
    "POSIXLY_CORRECT": ["getopt.gnu_getopt"],
    "PYTHONSTARTUP": ["site.enablerlcompleter"],
    "RFC 5280": ["ssl.cert_time_to_seconds"],
    "SQLITE_BUSY": ["sqlite3.Connection.deserialize"],
    "__match_args__": ["dataclasses.dataclass"],
    "UIDVALIDITY": ["imaplib.IMAP4.select"],
    "RFC 4086": ["ssl.RAND_add"],
}
PARAPHRASES = {
    "the largest number that divides two others": ["math.gcd"],
    "how alike are two words": ["difflib.SequenceMatcher", "difflib.get_close_matches"],
    "the typical value, half are above it and half below": ["statistics.median"],
    "how much space is left on the drive": ["shutil.disk_usage"],
    "who is logged in": ["getpass.getuser", "os.getlogin"],
    "words in alphabetical order": ["builtins.sorted", "builtins.list.sort"],
    "flip a list around": ["builtins.reversed", "builtins.list.reverse"],
    "squash data to make it smaller": ["zlib.compress", "gzip.compress", "bz2.compress"],
}
MODES: dict[Literal["dense", "sparse", "hybrid"], str]
MODES = {"dense": "dense", "sparse": "BM25", "hybrid": "hybrid"}


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
    print("At which place is the right answer?  (- : not among the first ten)")
    print("dense: by meaning (all-MiniLM-L6-v2)   BM25: by words   hybrid: both, fused")
    places: list[list[int | None]] = []
    for kind, questions in (("By name", NAMES), ("In other words", PARAPHRASES)):
        print("\n" + line_of(kind, "right answer", *MODES.values()))
        for question, answers in questions.items():
            places.append([place_of(answers, store, question, mode) for mode in MODES])
            print(line_of(f"  {question}", answers[0], *(place or "-" for place in places[-1])))
    print()
    for depth, name in ((3, "three"), (10, "ten")):
        by_mode = zip(*places, strict=True)
        found = [sum(place is not None and place <= depth for place in of) for of in by_mode]
        print(line_of(f"Right among the first {name}, of {len(places)} questions", "", *found))


def line_of(question: str, answer: str, *of_modes: object) -> str:
    dense, sparse, hybrid = of_modes
    return f"{question:<55}{answer:<31}{dense:>6}{sparse:>7}{hybrid:>8}"


def place_of(
    answers: list[str],
    store: MilvusStore,
    question: str,
    mode: Literal["dense", "sparse", "hybrid"],
) -> int | None:
    """Return the place of the first right answer among ten, from 1, or None."""
    names = [hit.id for hit in store.search(question, k=10, mode=mode)]
    places = (place for place, name in enumerate(names, 1) if any(part in name for part in answers))
    return next(places, None)


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
    print("\nThrough a LlamaIndex query engine over the same collection, the sources that it used,")
    print("with their relevance to the question, from 0 to 1:")
    for source in response.source_nodes:
        print(f"   {source.score:.2f}  {source.node.node_id}")


def indent(text: str) -> str:
    return "\n".join(f"   | {line}" for line in text.splitlines())


if __name__ == "__main__":
    main()
