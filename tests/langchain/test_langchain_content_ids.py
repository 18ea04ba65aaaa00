"""Ids by content: what is added twice is there once."""

from __future__ import annotations

from pathlib import Path

from langchain_core.documents import Document

from langchain_hybridge import MilvusVectorStore


async def test_ids_by_content(tmp_path: Path) -> None:
    """By every way of adding; metadata tell equal texts apart."""
    path, texts, metadatas = tmp_path / "milvus.db", ["apple", "apple"], [{"a": 1}, {"a": 2}]
    for _ in range(2):
        MilvusVectorStore.from_texts(texts, None, metadatas, ids="content", uri=path).close()
    with MilvusVectorStore(uri=path) as store:
        documents = [Document("apple", metadata=one) for one in metadatas]
        store.add_documents(documents, ids="content")
        await store.aadd_texts(texts, metadatas, ids="content")
        assert store.store.count() == 2
        store.add_documents(documents)
        assert store.store.count() == 4
