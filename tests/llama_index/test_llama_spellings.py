"""Arguments by the names that LlamaIndex's other integrations have for them."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.vector_stores.types import VectorStoreQuery

from hybridge.errors import InvalidInputError
from llama_index_hybridge import MilvusRetriever, MilvusVectorStore
from llama_index_hybridge.spellings import QUERY, RETRIEVER, VECTOR_STORE


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


def test_a_place_where_others_take_it_first() -> None:
    """LlamaIndex's own Milvus store takes the address as its first argument."""
    for place in ("./milvus.db", "http://localhost:19530"):
        with pytest.raises(InvalidInputError, match="write uri="):
            MilvusVectorStore(place)


def test_a_misspelling_is_answered(vector_store: MilvusVectorStore) -> None:
    """By the most similar name."""
    with pytest.raises(InvalidInputError, match="write similarity_top_k="):
        MilvusRetriever(vector_store, similarity_topk=3)
