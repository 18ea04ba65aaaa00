"""Arguments by the names that LangChain's other integrations have for them."""

from __future__ import annotations

import pytest

from hybridge.errors import InvalidInputError
from langchain_hybridge import MilvusVectorStore
from langchain_hybridge.spellings import VECTOR_STORE


@pytest.mark.parametrize(("name", "answer"), VECTOR_STORE.items())
def test_a_vector_store_answers_every_name_of_its_peers(name: str, answer: str) -> None:
    """The class that was called says what to write instead."""
    with pytest.raises(InvalidInputError) as error:
        MilvusVectorStore(**{name: "x"})
    assert f"MilvusVectorStore has no argument {name!r} ({answer})" in str(error.value)
