"""One Milvus collection, written and read by LlamaIndex and LangChain, with nothing lost.

    python examples/one_collection_two_frameworks.py

LlamaIndex splits and writes a text; LangChain finds, reads, changes and adds; LlamaIndex reads
again and still knows how its nodes hang together. Every step is asserted. Needs
`pip install 'hybridge[all]'`, no server, and no API key. The collection is in a temporary folder:
nothing stays, and a second run does the same again.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from textwrap import shorten

from langchain_core.documents import Document as LangChainDocument
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter

import langchain_hybridge
import llama_index_hybridge
from hybridge import DefaultEmbeddingFunction, MilvusStore

TEXT = """\
The lighthouse was built in 1871 on a cliff of granite, forty metres above the sea, after three \
ships had been lost on the reef within a single winter and the harbour had asked the king for help.

In 1925 its lamp became electric, when the new power line reached the cliff; before that it burned \
whale oil at first and later paraffin, which a horse carried up in barrels every week of the year.

The last keeper and his family left the tower in 1984, when the lamp had learned to switch itself \
on and off, and ever since then a computer on the mainland has kept watch over the reef.
"""
QUESTION = "When did the lamp become electric?"


def main() -> None:
    function = DefaultEmbeddingFunction()
    # One store for both: they share its connection, its vectors and its BM25 statistics. Two
    # stores on the same path do as well, and so do two programs that take turns.
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore(Path(folder) / "shared.db", dense=function) as store,
    ):
        nodes = llama_index_hybridge.MilvusVectorStore(store=store)
        documents = langchain_hybridge.MilvusVectorStore(store=store)
        index = llama_index_writes(nodes, function)
        langchain_reads_and_updates(documents)
        llama_index_reads_again(index, nodes)
        both_rank_alike(index, documents)
    print("\nBoth frameworks see the same rows, and neither lost what the other had stored.")


def llama_index_writes(
    nodes: llama_index_hybridge.MilvusVectorStore, function: DefaultEmbeddingFunction
) -> VectorStoreIndex:
    index = VectorStoreIndex.from_documents(
        [Document(id_="lighthouse", text=TEXT, metadata={"topic": "history"})],
        storage_context=StorageContext.from_defaults(vector_store=nodes),
        embed_model=llama_index_hybridge.DenseEmbedding(function),
        transformations=[SentenceSplitter(chunk_size=60, chunk_overlap=0)],
    )
    stored = nodes.get_nodes()
    print(f"LlamaIndex wrote {len(stored)} nodes of the document 'lighthouse':")
    for node in stored:
        print(f"   {shorten(node.get_content(), 90)}")
    assert len(stored) == 3
    return index


def langchain_reads_and_updates(documents: langchain_hybridge.MilvusVectorStore) -> None:
    [found] = documents.similarity_search(QUESTION, k=1)
    assert "became electric" in found.page_content
    assert found.metadata == {"topic": "history"}
    print(f"\nLangChain found:\n   {shorten(found.page_content, 90)}")

    found.metadata["checked"] = True
    changed = found.page_content.replace("1925", "1926")
    documents.add_documents(
        [
            LangChainDocument(id=found.id, page_content=changed, metadata=found.metadata),
            LangChainDocument(id="visit", page_content="The lighthouse is open on Sundays."),
        ]
    )
    assert documents.get_by_ids(["visit"])[0].metadata == {}
    print("LangChain changed it, and added a document of its own.")


def llama_index_reads_again(
    index: VectorStoreIndex, nodes: llama_index_hybridge.MilvusVectorStore
) -> None:
    [best] = index.as_retriever(similarity_top_k=1).retrieve(QUESTION)
    assert "1926" in best.text
    assert best.metadata == {"topic": "history", "checked": True}
    assert best.node.ref_doc_id == "lighthouse"
    assert best.node.prev_node is not None
    assert best.node.next_node is not None
    before, after = nodes.get_nodes([best.node.prev_node.node_id, best.node.next_node.node_id])
    assert "granite" in before.get_content()
    assert "keeper" in after.get_content()
    print("\nLlamaIndex read the change, and still knows what came before and after:")
    for node in (before, best.node, after):
        print(f"   {shorten(node.get_content(), 90)}")

    [visit] = nodes.get_nodes(["visit"])
    assert visit.get_content() == "The lighthouse is open on Sundays."
    index.delete_ref_doc("lighthouse")
    assert [node.node_id for node in nodes.get_nodes()] == ["visit"]
    print("LlamaIndex deleted the document; LangChain's own is still there.")


def both_rank_alike(
    index: VectorStoreIndex, documents: langchain_hybridge.MilvusVectorStore
) -> None:
    index.insert(Document(id_="harbour", text="The harbour was dredged in 1903."))
    question = "What can I visit on a Sunday?"
    retriever = index.as_retriever(vector_store_query_mode="hybrid", similarity_top_k=5)
    by_nodes = [(node.node_id, node.score) for node in retriever.retrieve(question)]
    scored = documents.similarity_search_with_relevance_scores(question, k=5, mode="hybrid")
    assert by_nodes == [(document.id, score) for document, score in scored]
    assert by_nodes[0][0] == "visit"


if __name__ == "__main__":
    main()
