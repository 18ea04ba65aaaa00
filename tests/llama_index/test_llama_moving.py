"""LlamaIndex nodes that are moved come back as the same nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import BaseNode, IndexNode, TextNode
from llama_index.core.storage.docstore.utils import doc_to_json
from llama_index.core.vector_stores.utils import node_to_metadata_dict

from hybridge.errors import InvalidInputError
from hybridge.tools import migrate
from hybridge.tools.origins import FromLlamaIndex, FromQdrant
from hybridge.tools.origins.nodes import stored_to_record
from hybridge.tools.origins.origin import make_record
from llama_index_hybridge import MilvusVectorStore
from llama_index_hybridge.convert import node_to_record
from support.examples import examples
from support.llama_embedding import WordEmbedding
from support.node_strategies import nodes, text_nodes
from support.qdrant_server import KEY, QdrantServer


@pytest.fixture
def index() -> VectorStoreIndex:
    """Chunks of two documents, in LlamaIndex's own stores in memory."""
    documents = [
        Document(id_="a", text="A red house. It is old.", metadata={"title": "Houses"}),
        Document(id_="b", text="A blue boat. It is fast.", metadata={"title": "Boats"}),
    ]
    splitter = SentenceSplitter(chunk_size=16, chunk_overlap=0)
    context = StorageContext.from_defaults()
    return VectorStoreIndex.from_documents(
        documents,
        storage_context=context,
        embed_model=WordEmbedding(),
        transformations=[splitter],
        store_nodes_override=True,
    )


def nodes_of(index: VectorStoreIndex) -> dict[str, BaseNode]:
    """The nodes of an index by id."""
    return dict(index.docstore.docs)


def test_a_storage_context_is_moved(index: VectorStoreIndex, tmp_path: Path, path: str) -> None:
    """With relations, metadata and documents; nothing is embedded again."""
    index.storage_context.persist(str(tmp_path / "storage"))
    report = migrate(FromLlamaIndex(tmp_path / "storage"), uri=path, progress=False)
    assert report.ok, report
    before = nodes_of(index)
    with MilvusVectorStore(uri=path) as store:
        found = {node.node_id: node for node in store.get_nodes(list(before))}
        assert found == before
        again = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
        [hit] = again.as_retriever(similarity_top_k=1).retrieve("a blue boat")
        assert hit.node.ref_doc_id == "b"
        store.delete("b")
        assert len(store.get_nodes(list(before))) < len(before)


def test_what_has_no_vector_stays(index: VectorStoreIndex, tmp_path: Path) -> None:
    """A docstore may hold more; a vector without its node is refused."""
    index.docstore.add_documents([TextNode(id_="parent", text="all of it")])
    index.storage_context.persist(str(tmp_path))
    assert "parent" not in [one.id for one in FromLlamaIndex(tmp_path).records()]
    index.docstore.delete_document(next(iter(nodes_of(index))))
    index.storage_context.persist(str(tmp_path))
    with pytest.raises(InvalidInputError, match=r"has no node in docstore\.json"):
        list(FromLlamaIndex(tmp_path).records())


def test_nodes_in_payloads_are_moved(index: VectorStoreIndex, path: str) -> None:
    """As LlamaIndex writes them into Qdrant: the whole node beside flat metadata."""
    before = nodes_of(index)
    points = [
        {
            "id": node_id,
            "payload": node_to_metadata_dict(node),
            "vector": WordEmbedding().get_text_embedding(node.get_content()),
        }
        for node_id, node in before.items()
    ]
    with QdrantServer({"size": 64, "distance": "Cosine"}, points) as server:
        origin = FromQdrant(server.url, "docs", api_key=KEY)
        assert migrate(origin, uri=path, progress=False).ok
    with MilvusVectorStore(uri=path) as store:
        assert {node.node_id: node for node in store.get_nodes(list(before))} == before


@given(node=text_nodes())
@settings(max_examples=examples(20))
def test_a_node_in_metadata_is_what_our_adapter_writes(node: Any) -> None:
    """Whether its text is in it or beside it; as LlamaIndex itself reads it."""
    kept = node.model_copy(update={"embedding": None})
    expected = node_to_record(TextNode.from_json(kept.to_json()))
    apart = node_to_metadata_dict(node, remove_text=True)
    assert make_record(node.node_id, node.text, apart, {}) == expected
    assert make_record(node.node_id, None, node_to_metadata_dict(node), {}) == expected


@given(node=nodes.filter(lambda node: not isinstance(node, IndexNode)))
@settings(max_examples=examples(20))
def test_a_node_in_a_docstore_is_what_our_adapter_writes(node: Any) -> None:
    """Of every class, as LlamaIndex itself reads it; it draws new ids inside an IndexNode."""
    kept = node.model_copy(update={"embedding": None})
    expected = node_to_record(type(kept).from_dict(kept.to_dict()))
    assert stored_to_record(doc_to_json(kept)) == expected
