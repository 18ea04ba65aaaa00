"""LangChain documents that are moved come back as the same documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from hybridge.tools import migrate
from hybridge.tools.origins import FromInMemory
from langchain_hybridge import DenseEmbeddings, MilvusVectorStore
from support.word_function import WordFunction

DOCUMENTS = [
    Document(id="a", page_content="a red house", metadata={"year": 2020, "tags": ["x", "y"]}),
    Document(id="b", page_content="a blue boat", metadata={"author": {"name": "Ann"}}),
]


@pytest.mark.parametrize("dumped", [False, True])
def test_an_in_memory_store_is_moved(tmp_path: Path, path: str, dumped: bool) -> None:
    """The object, or the file of its dump; BM25 is there afterwards as well."""
    before = InMemoryVectorStore(DenseEmbeddings(WordFunction()))
    before.add_documents(DOCUMENTS)
    before.dump(str(tmp_path / "store.json"))
    origin = FromInMemory(tmp_path / "store.json" if dumped else before)
    assert migrate(origin, uri=path, progress=False).ok
    after = MilvusVectorStore(DenseEmbeddings(WordFunction()), uri=path)
    assert after.get_by_ids(["a", "b"]) == DOCUMENTS
    assert after.similarity_search("red houses", k=1) == DOCUMENTS[:1]
    after.close()
