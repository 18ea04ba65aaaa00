"""Collections that llama-index-vector-stores-milvus made are LlamaIndex vector stores here."""

from __future__ import annotations

from pathlib import Path

import pytest
from llama_index.core.schema import NodeRelationship
from llama_index.core.vector_stores.types import VectorStoreQuery

from llama_index_hybridge import MilvusVectorStore
from support.peers import NODES, embed, queries, unpack


@pytest.mark.parametrize("name", NODES[1:4])
def test_nodes_and_rankings_are_the_peers(name: str, tmp_path: Path) -> None:
    """Relationships, offsets, templates and excluded keys; nodes are added and deleted."""
    peer = unpack(tmp_path, name)
    arguments = {"uri": str(peer.path), **peer.arguments}
    with MilvusVectorStore.from_existing_collection(**arguments) as vector_store:
        nodes = vector_store.get_nodes(peer.ids)
        expected = [peer.expected["nodes"][row_id] for row_id in peer.ids]
        assert [node.to_dict() for node in nodes] == [
            {**one, "embedding": None} for one in expected
        ]
        for query in queries()[:5]:
            asked = VectorStoreQuery(query_embedding=embed(query), similarity_top_k=10)
            assert vector_store.query(asked).ids == peer.expected["tops"][query]
        moved = nodes[3].model_copy(update={"id_": "new", "embedding": embed("moved")})
        assert vector_store.add([moved]) == ["new"]
        [stored] = vector_store.get_nodes(["new"])
        assert stored.to_dict() == {**moved.to_dict(), "embedding": None}
        assert stored.relationships[NodeRelationship.SOURCE].node_id == "document 0"
        vector_store.delete("document 0")
        assert [one.node_id for one in vector_store.get_nodes(["new", "node-0", "node-6"])] == [
            "node-6"
        ]
