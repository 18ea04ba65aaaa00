"""Collections that langchain-milvus made are LangChain vector stores here as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from langchain_hybridge import MilvusVectorStore
from support.peers import WRITTEN, embed, metadata, queries, text, unpack


class ToyEmbeddings(Embeddings):
    """The embedding that the peer was given."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text."""
        return [embed(one) for one in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a text."""
        return embed(text)


@pytest.mark.parametrize("name", WRITTEN)
def test_documents_and_rankings_are_the_peers(name: str, tmp_path: Path) -> None:
    """Ids, metadata and the first ten; documents are added and deleted."""
    peer = unpack(tmp_path, name)
    arguments = {"uri": str(peer.path), "mode": "dense", **peer.arguments}
    embeddings = ToyEmbeddings()
    with MilvusVectorStore.from_existing_collection(embeddings, **arguments) as vector_store:
        [document] = vector_store.get_by_ids(peer.ids[:1])
        assert document == Document(text(0), id=peer.ids[0], metadata=metadata(0))
        for query in queries()[:5]:
            found = vector_store.similarity_search(query, k=10)
            assert [one.id for one in found] == peer.expected["tops"][query]
        late = vector_store.similarity_search("note", k=60, filter={"year": {"$gte": 2010}})
        assert len(late) == 20
        new = Document(text(70), metadata=metadata(70))
        ids = None if peer.is_numbered else ["new"]
        [row_id] = vector_store.add_documents([new], ids=ids)
        assert vector_store.similarity_search(text(70), k=1)[0].metadata == metadata(70)
        assert vector_store.delete([row_id])
        assert vector_store.get_by_ids([row_id]) == []
