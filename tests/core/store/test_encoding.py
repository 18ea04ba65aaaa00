"""Records whose vectors are made by a function that comes with the call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError, PartialWriteError

MakeStore = Callable[..., MilvusStore]


def lengths(texts: list[str]) -> list[list[float]]:
    """A dense vector per text: its length, and 1."""
    return [[float(len(text)), 1.0] for text in texts]


async def alengths(texts: list[str]) -> list[list[float]]:
    """The same, in an event loop."""
    await asyncio.sleep(0)
    return lengths(texts)


def vectors_of(store: MilvusStore, ids: list[str]) -> list[list[float]]:
    """The stored dense vectors."""
    found = store.get(ids, with_vectors=True)
    return [record.dense.tolist() for record in found if record.dense is not None]


def test_encode_makes_the_vectors_that_records_lack(store: MilvusStore) -> None:
    """A record's own vector is kept, and only the other texts are encoded."""
    given = Record(id="b", text="bb", dense=np.array([9, 9], np.float32))
    ids = store.add([Record(id="a", text="a"), given, Record(id="c", text="ccc")], encode=lengths)
    assert vectors_of(store, ids) == [[1, 1], [9, 9], [3, 1]]


async def test_an_async_encode_runs_in_the_callers_loop(store: MilvusStore) -> None:
    """`aadd` awaits it where the caller is, batch by batch, and stores the same rows."""
    seen: list[tuple[int, int]] = []

    async def encode(texts: list[str]) -> list[list[float]]:
        seen.append((len(texts), threading.get_ident()))
        return await alengths(texts)

    records = [Record(id=str(n), text="x" * n) for n in range(1, 6)]
    assert await store.aadd(records, batch_size=2, encode=encode) == ["1", "2", "3", "4", "5"]
    assert seen == [(n, threading.get_ident()) for n in (2, 2, 1)]
    assert vectors_of(store, ["1", "5"]) == [[1, 1], [5, 1]]


async def test_everything_is_checked_before_anything_is_encoded(store: MilvusStore) -> None:
    """A bad record at the end costs no embedding, sync or async."""
    records = [Record(text="good"), Record(text="bad", metadata={"x": {1}})]

    def encode(texts: list[str]) -> list[list[float]]:
        raise AssertionError(texts)

    async def aencode(texts: list[str]) -> list[list[float]]:
        raise AssertionError(texts)

    with pytest.raises(InvalidInputError, match="record 1"):
        store.add(records, batch_size=1, encode=encode)
    with pytest.raises(InvalidInputError, match="record 1"):
        await store.aadd(records, batch_size=1, encode=aencode)


async def test_a_function_that_drops_a_text_is_refused(store: MilvusStore) -> None:
    """Fewer vectors than texts would give rows the vectors of others."""
    records = [Record(text="one"), Record(text="two")]

    async def first(texts: list[str]) -> list[list[float]]:
        return lengths(texts[:1])

    with pytest.raises(InvalidInputError, match="1 vectors of 2 texts"):
        store.add(records, encode=lambda texts: lengths(texts[:1]))
    with pytest.raises(InvalidInputError, match="1 vectors of 2 texts"):
        await store.aadd(records, encode=first)
    assert not store.exists()


async def test_an_encode_that_fails_later_tells_what_landed(store: MilvusStore) -> None:
    """Batches that were written stay, and the error carries their ids."""

    async def encode(texts: list[str]) -> list[list[float]]:
        if "c" in texts:
            msg = "out of credit"
            raise OSError(msg)
        return lengths(texts)

    records = [Record(id=letter, text=letter) for letter in "abcd"]
    with pytest.raises(PartialWriteError, match=r"2 records .*out of credit") as caught:
        await store.aadd(records, batch_size=2, encode=encode)
    assert caught.value.landed == ["a", "b"]
    assert sorted(record.id or "" for record in store.scroll()) == ["a", "b"]


def test_a_collection_without_dense_vectors_refuses_them(store: MilvusStore) -> None:
    """Neither writing nor searching quietly leaves a vector out."""
    store.add([Record(id="a", text="a cat")])
    with pytest.raises(InvalidInputError, match="no dense vectors"):
        store.add([Record(text="b")], encode=lengths)
    with pytest.raises(InvalidInputError, match="a vector was given"):
        store.search("cat", vector=[1.0, 1.0])


async def test_exists_says_whether_the_collection_is_there(store: MilvusStore) -> None:
    """The first write makes it, and drop removes it."""
    assert not store.exists()
    store.add([Record(text="x")])
    assert store.exists()
    store.drop()
    assert not await store.aexists()


@pytest.mark.parametrize(
    ("vectors", "complaint"),
    [
        ([[1.0, 2.0], [1.0]], "'b' has dimension 1"),
        ([[1.0, 2.0], [1.0, float("nan")]], "vector of 'b': .*NaN"),
        ([[1.0, 2.0], None], "vector of 'b'"),
        ([[1.0, 2.0], ["x", "y"]], "vector of 'b': .*numbers"),
        ([[], []], "vector of 'a': .*shape"),
        (np.array([[1, 2], [3, np.inf]]), "vector of 'b': .*infinity"),
        (np.zeros((2, 2, 2)), "vector of 'a': .*shape"),
    ],
)
def test_the_error_names_the_text_whose_vector_is_none(
    store: MilvusStore, vectors: Any, complaint: str
) -> None:
    """Though a batch is checked at once."""
    with pytest.raises(InvalidInputError, match=complaint):
        store.add([Record(id="a", text="a"), Record(id="b", text="b")], encode=lambda _: vectors)
    assert store.count() == 0
