"""Running a pipeline twice: with a document store, and with ids by content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import NodeRelationship, TextNode
from llama_index.core.storage.docstore import SimpleDocumentStore

from llama_index_hybridge import ContentIds, MilvusVectorStore
from support.llama_embedding import WordEmbedding

MakeVectorStore = Callable[..., MilvusVectorStore]
SPLITTER = SentenceSplitter(chunk_size=60, chunk_overlap=0)


def documents(pear: str = "pear") -> list[Document]:
    """Two documents of several chunks, with ids of their own."""
    texts = {name: " ".join(f"{name} {i}." for i in range(40)) for name in ("apple", pear)}
    return [Document(text=text, id_=name[:5]) for name, text in texts.items()]


@pytest.mark.parametrize("strategy", DocstoreStrategy)
async def test_a_pipeline_with_a_document_store_is_run_again(
    vector_store: MilvusVectorStore, strategy: DocstoreStrategy
) -> None:
    """Nothing is stored twice; what has changed is replaced, what has gone deleted."""
    pipeline = IngestionPipeline(
        transformations=[SPLITTER, WordEmbedding()],
        vector_store=vector_store,
        docstore=SimpleDocumentStore(),
        docstore_strategy=strategy,
    )
    pipeline.run(documents=documents())
    rows = vector_store.client.count()
    await pipeline.arun(documents=documents())
    assert vector_store.client.count() == rows
    changed = documents()
    changed[1].set_content("plum")
    pipeline.run(documents=changed)
    found = [node.get_content() for node in vector_store.get_nodes()]
    assert found.count("plum") == 1
    only_duplicates = strategy is DocstoreStrategy.DUPLICATES_ONLY
    assert any("pear" in text for text in found) is only_duplicates
    await pipeline.arun(documents=changed[:1])
    gone = strategy is DocstoreStrategy.UPSERTS_AND_DELETE
    assert ("plum" in [node.get_content() for node in vector_store.get_nodes()]) is not gone


@pytest.mark.parametrize("fixed", [True, False])
def test_ids_by_content(make_vector_store: MakeVectorStore, fixed: bool) -> None:
    """Without a document store too, the second run stores nothing more, with any document ids."""
    vector_store = make_vector_store()
    counts = []
    for _ in range(2):
        given = documents() if fixed else [Document(text=one.text) for one in documents()]
        arguments: dict[str, Any] = {
            "storage_context": StorageContext.from_defaults(vector_store=vector_store),
            "embed_model": WordEmbedding(),
        }
        VectorStoreIndex.from_documents(
            given, transformations=[SPLITTER, ContentIds()], **arguments
        )
        counts.append(vector_store.client.count())
    assert counts[0] == counts[1] > 2
    by_id = {node.node_id: node for node in vector_store.get_nodes()}
    following = [one.next_node.node_id for one in by_id.values() if one.next_node is not None]
    assert following
    assert set(following) < by_id.keys()
    pipeline = IngestionPipeline(
        transformations=[SPLITTER, ContentIds(), WordEmbedding()], vector_store=vector_store
    )
    pipeline.run(documents=documents() if fixed else [Document(text=one.text) for one in given])
    assert vector_store.client.count() == counts[0]


def test_ids_of_ones_own_stay() -> None:
    """Only random ones are replaced, and the nodes that were given stay as they are."""
    own, other = TextNode(id_="own", text="a"), TextNode(text="b")
    own.relationships[NodeRelationship.NEXT] = other.as_related_node_info()
    made = ContentIds()([own, other])
    assert made[0].node_id == "own"
    assert made[1].node_id != other.node_id
    assert made[0].next_node is not None
    assert made[0].next_node.node_id == made[1].node_id
    assert own.next_node is not None
    assert own.next_node.node_id == other.node_id
