"""Arguments by the names that LlamaIndex's other integrations have for them."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.vector_stores.types import VectorStoreQuery

from hybridge.errors import InvalidInputError
from llama_index_hybridge import JinaRerank, MilvusRetriever, MilvusVectorStore, Rerank
from llama_index_hybridge.spellings import (
    DELETE,
    DELETE_NODES,
    JINA_RERANK,
    QUERY,
    RERANK,
    RETRIEVER,
    VECTOR_STORE,
)


@pytest.mark.parametrize(("name", "answer"), VECTOR_STORE.items())
def test_a_vector_store_answers_every_name_of_its_peers(name: str, answer: str) -> None:
    """The class that was called says what to write instead."""
    given: dict[str, Any] = {name: "x"}
    with pytest.raises(InvalidInputError) as error:
        MilvusVectorStore(**given)
    assert f"MilvusVectorStore has no argument {name!r} ({answer})" in str(error.value)


@pytest.mark.parametrize(("name", "answer"), RETRIEVER.items())
def test_a_retriever_answers_every_name_of_its_peers(
    vector_store: MilvusVectorStore, name: str, answer: str
) -> None:
    """Those of `index.as_retriever()` among them."""
    with pytest.raises(InvalidInputError) as error:
        MilvusRetriever(vector_store, **{name: "x"})
    assert f"MilvusRetriever has no argument {name!r} ({answer})" in str(error.value)


@pytest.mark.parametrize(("name", "answer"), QUERY.items())
def test_a_query_answers_every_name_of_its_peers(
    vector_store: MilvusVectorStore, name: str, answer: str
) -> None:
    """What others take as `vector_store_kwargs`."""
    with pytest.raises(InvalidInputError) as error:
        vector_store.query(VectorStoreQuery(query_str="apple"), **{name: "x"})
    assert f"no argument {name!r} ({answer})" in str(error.value)


@pytest.mark.parametrize(
    ("owner", "name", "answer"),
    [
        (owner, *one)
        for owner, table in {
            "delete": DELETE,
            "delete_nodes": DELETE_NODES,
            "Rerank": RERANK,
            "JinaRerank": JINA_RERANK,
        }.items()
        for one in table.items()
    ],
)
def test_deletions_and_rerankers_answer_every_name(
    vector_store: MilvusVectorStore, owner: str, name: str, answer: str
) -> None:
    """By what was called, whatever LlamaIndex would do with it."""
    call = {
        "delete": lambda **given: vector_store.delete("d", **given),
        "delete_nodes": lambda **given: vector_store.delete_nodes(["n"], **given),
        "Rerank": lambda **given: Rerank(lambda query, documents, top_k=5: [], **given),
        "JinaRerank": lambda **given: JinaRerank(api_key="x", **given),
    }[owner]
    with pytest.raises(InvalidInputError) as error:
        call(**{name: "x"})
    assert f"{owner} has no argument {name!r} ({answer})" in str(error.value)


def test_a_place_where_others_take_it_first() -> None:
    """LlamaIndex's own Milvus store takes the address as its first argument."""
    for place in ("./milvus.db", "http://localhost:19530"):
        with pytest.raises(InvalidInputError, match="write uri="):
            MilvusVectorStore(place)


def test_a_misspelling_is_answered(vector_store: MilvusVectorStore) -> None:
    """By the most similar name."""
    with pytest.raises(InvalidInputError, match="write similarity_top_k="):
        MilvusRetriever(vector_store, similarity_topk=3)
