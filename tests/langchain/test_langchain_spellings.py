"""Arguments by the names that LangChain's other integrations have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hybridge import JinaRerankFunction
from hybridge.errors import InvalidInputError
from langchain_hybridge import JinaRerank, MilvusRetriever, MilvusVectorStore, Rerank, spellings
from langchain_hybridge.options import search_arguments

CALLS: Mapping[str, tuple[Mapping[str, str], Callable[..., Any]]] = {
    "MilvusVectorStore": (spellings.VECTOR_STORE, MilvusVectorStore),
    "a search": (spellings.SEARCH, lambda **given: search_arguments(given)),
    "MilvusRetriever": (spellings.RETRIEVER, MilvusRetriever),
    "as_retriever": (
        spellings.AS_RETRIEVER,
        lambda **given: MilvusVectorStore(sparse="bm25").as_retriever(**given),
    ),
    "Rerank": (
        spellings.RERANK,
        lambda **given: Rerank(JinaRerankFunction(api_key="x"), **given),
    ),
    "JinaRerank": (spellings.JINA_RERANK, lambda **given: JinaRerank(api_key="x", **given)),
}


@pytest.mark.parametrize(
    ("owner", "name", "answer"),
    [(owner, *one) for owner, (table, _) in CALLS.items() for one in table.items()],
)
def test_every_name_of_the_peers_is_answered(owner: str, name: str, answer: str) -> None:
    """What was called says what to write instead."""
    with pytest.raises(InvalidInputError) as error:
        CALLS[owner][1](**{name: "x"})
    assert f"{owner} has no argument {name!r} ({answer})" in str(error.value)
