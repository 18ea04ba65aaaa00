"""A field knows how far to trust itself: by how well it finds documents by their own words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hybridge import (
    ConfidenceWeighted,
    DenseField,
    MilvusStore,
    OpenAIEmbeddingFunction,
    Record,
    SparseField,
)
from hybridge.errors import InvalidInputError
from hybridge.retrieval.health import Health, evenly, mean_reciprocal_rank, stretch
from hybridge.store.health import is_billed
from support.letters import Noise

MakeStore = Callable[..., MilvusStore]

RNG = np.random.default_rng(3)
VOCABULARY = ["".join(RNG.choice(list("abcdefghijklmnopqrstuvwxyz"), 6)) for _ in range(400)]


def text(number: int) -> str:
    """A text of 30 words, which is its own for every number."""
    return " ".join(np.random.default_rng(number).choice(VOCABULARY, 30))


def records(numbers: range) -> list[Record]:
    """Their records."""
    return [Record(id=str(number), text=text(number)) for number in numbers]


class Words:
    """A dense function that knows the words: each is a random direction."""

    dim = 32

    def __init__(self, model_name: str = "words") -> None:
        self.model_name = model_name
        self.queries: list[str] = []

    def encode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        known = {word: np.random.default_rng([*word.encode()]) for word in VOCABULARY}
        directions = {word: rng.normal(size=self.dim) for word, rng in known.items()}
        zero = np.full(self.dim, 0.01)
        sums = [sum((directions.get(w, zero) for w in t.split()), zero) for t in documents]
        return np.array(sums, np.float32).reshape(len(documents), self.dim)

    def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        self.queries += queries
        return self.encode_documents(queries)


class AsyncWords(Words):
    """The same, awaited."""

    async def aencode_documents(self, documents: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_documents(documents)

    async def aencode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_queries(queries)


class Billed(Words):
    """A model that costs money."""

    is_billed = True


class FirstLetter:
    """A learned sparse function in small that knows little: the first letter of each word."""

    dim = 256
    model_name = "first-letter"

    def encode_documents(self, documents: Sequence[str]) -> list[dict[int, float]]:
        return [{ord(word[0]): 1.0 for word in text.split()} for text in documents]

    encode_queries = encode_documents


def health(store: MilvusStore) -> dict[str, Any]:
    """What is known of each field."""
    return {name: one["health"] for name, one in store.describe()["fields"].items()}


def test_a_model_that_knows_nothing_has_no_say(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once; hybrid search is then that of the other fields, its relevance too."""
    fields = {"good": DenseField(Words()), "letters": SparseField(FirstLetter())}
    store = make_store(dense=Noise(32), fields=fields)
    with caplog.at_level(logging.WARNING, "hybridge"):
        store.add(records(range(80)))
        store.add(records(range(80, 90)))
        store.check()
    found = health(store)
    assert found["sparse"] == 1.0
    assert found["good"] > 0.9
    assert found["dense"] < 0.3
    assert 0 < found["letters"] < 1
    said = [one.getMessage() for one in caplog.records if "their language" in one.getMessage()]
    assert len([one for one in said if "the dense model finds" in one]) == 1
    query = stretch(text(7))
    both, alone = store.search(query, k=5), store.search(query, k=5, mode="sparse")
    assert both[0].id == alone[0].id == "7"
    assert both[0].relevance == alone[0].relevance
    shown = store.search(query, k=1, fusion=ConfidenceWeighted(trust={"dense": 1}))
    assert shown[0].id == "7"
    alone_dense = store.search(query, k=1, mode="dense")[0]
    assert alone_dense.relevance == pytest.approx(max(0.0, alone_dense.score))


def test_it_takes_64_queries_once_there_are_enough_documents(
    make_store: MakeStore,
) -> None:
    """From 32 on, again with the first 64, and when there are ten times as many; reads ask none."""
    function = Words()
    store = make_store(dense=function)
    store.add(records(range(31)))
    assert function.queries == []
    assert health(store)["dense"] is None
    for record in records(range(31, 34)):
        store.add([record])
    assert len(function.queries) == 32
    store.add(records(range(34, 70)))
    assert len(function.queries) == 32 + 64
    assert all(len(query.split()) == 12 for query in function.queries)
    store.add(records(range(70, 300)), batch_size=50)
    store.add(records(range(100)))  # overwritten rows are no growth
    store.search(text(3), vector=function.encode_documents([text(3)])[0])
    assert len(function.queries) == 96
    store.close()
    with MilvusStore(str(store.address), dense=Words()) as again:
        assert health(again)["dense"] > 0.9  # kept


def test_it_is_measured_when_awaited(make_store: MakeStore) -> None:
    """In the caller's event loop, as everything is encoded there."""
    function = AsyncWords()
    store = make_store(dense=function)
    asyncio.run(store.aadd(records(range(64))))
    assert len(function.queries) == 64
    assert asyncio.run(store.adescribe())["fields"]["dense"]["health"] > 0.9


def test_what_an_api_bills_is_measured_on_request_only(make_store: MakeStore) -> None:
    """`health=True` does; `health=False` measures nothing."""
    asked = {None: 0, True: 64, False: 0}
    for number, (value, queries) in enumerate(asked.items()):
        function = Billed()
        store = make_store(dense=function, health=value, collection_name=f"billed_{number}")
        store.add(records(range(64)))
        assert len(function.queries) == queries
    with pytest.raises(InvalidInputError, match="health"):
        make_store(health="yes")


def test_an_api_is_told_by_what_an_embedding_holds() -> None:
    """Ours say it; of a framework's, a key or an address tells."""

    class OfFramework:
        def __init__(self, **fields: str) -> None:
            self.__dict__.update(fields)

    class Wrapped:
        def __init__(self, embedding: object) -> None:
            self.embedding = embedding

    assert is_billed(OpenAIEmbeddingFunction("text-embedding-3-small", "key"))
    assert is_billed(Wrapped(OfFramework(openai_api_key="x", model="y")))
    assert not is_billed(Wrapped(OfFramework(model_name="y", cache_folder="z")))
    assert not is_billed(Words())


def test_a_model_that_fails_does_not_fail_the_write(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows are there, and the log says what was not measured."""

    class Failing(Words):
        def encode_queries(self, queries: Sequence[str]) -> NDArray[np.float32]:
            raise RuntimeError("secret")

    store = make_store(dense=Failing())
    assert len(store.add(records(range(40)))) == 40
    assert store.count() == 40
    assert "could not be measured (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


def test_a_health_of_a_damaged_companion_is_measured_again() -> None:
    """What is no health is none."""
    good = Health(0.5, 64, 100)
    assert Health.parse(good._asdict()) == good
    wrong: list[Any] = [{}, {"found": "x"}, {**good._asdict(), "found": 1.5}]
    assert [Health.parse(value) for value in wrong] == [None, None, None]
    assert Health.parse({**good._asdict(), "found": float("nan")}) is None


def test_the_gate() -> None:
    """Closed up to .3, open from .6 on."""
    healths = [0.1, 0.3, 0.45, 0.6, 0.94]
    trusts = [Health(found, 64, 64).trust for found in healths]
    assert trusts == pytest.approx([0, 0, 0.5, 1, 1])


def test_the_middle_of_a_text() -> None:
    """Twelve words, or as many pairs of characters where nothing parts words."""
    words = [str(n) for n in range(30)]
    assert stretch(" ".join(words)) == " ".join(words[9:21])
    assert stretch("three short words") == "three short words"
    assert stretch("") == ""
    chinese = "".join(chr(0x4E00 + n) for n in range(100))
    assert stretch(chinese) == chinese[38:62]
    assert evenly(list(range(640))) == list(range(0, 640, 10))
    assert evenly([1, 2]) == [1, 2]
    assert evenly(range(599), 300)[-1] == 597


def test_the_mean_reciprocal_rank() -> None:
    """Of 1 for what is found first; equal scores go before it."""
    found = mean_reciprocal_rank([1, 2], [1, 2], lambda query, vector: float(query == vector))
    assert found == 1
    assert mean_reciprocal_rank([1, 2], [1, 2], lambda query, vector: 0.0) == 0.5


def test_nothing_is_measured_of_tenants(make_store: MakeStore) -> None:
    """The documents of one would change the scores of another."""
    words = Words()
    store = make_store(dense=words, partition_key="owner", health=True)
    store.add(replace(record, metadata={"owner": "a"}) for record in records(range(80)))
    store.check()
    assert store.describe()["fields"]["dense"]["health"] is None
    assert not words.queries
