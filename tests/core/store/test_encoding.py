"""Vectors that the store's functions make: which texts they are given, how often, and where."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from hybridge import DenseField, MilvusStore, Record
from hybridge.errors import InvalidInputError, PartialWriteError
from hybridge.store.fields import PROBE

MakeStore = Callable[..., MilvusStore]


def lengths(texts: Sequence[str]) -> list[list[float]]:
    """A dense vector per text: its length, and 1."""
    return [[float(len(text)), 1.0] for text in texts]


class Lengths:
    """A dense function that does not know its length before it has made a vector."""

    dim = None

    def __init__(self, make: Callable[[Sequence[str]], Any] = lengths) -> None:
        self.make = make
        self.calls: list[list[str]] = []

    def encode_documents(self, documents: Sequence[str]) -> Any:
        """Return what `make` makes."""
        self.calls.append(list(documents))
        return self.make(documents)

    encode_queries = encode_documents


class AsyncLengths(Lengths):
    """The same with an async half, which notes its threads."""

    def __init__(self, make: Callable[[Sequence[str]], Any] = lengths) -> None:
        super().__init__(make)
        self.threads: set[int] = set()

    async def aencode_documents(self, documents: Sequence[str]) -> Any:
        """Return what `make` makes, in an event loop."""
        await asyncio.sleep(0)
        self.threads.add(threading.get_ident())
        return self.encode_documents(documents)

    aencode_queries = aencode_documents


def vectors_of(store: MilvusStore, ids: list[str]) -> list[list[float]]:
    """The stored dense vectors."""
    found = store.get(ids, with_vectors=True)
    return [record.dense.tolist() for record in found if record.dense is not None]


def test_a_function_makes_the_vectors_that_records_lack(make_store: MakeStore) -> None:
    """A record's own vector is kept, and only the other texts are encoded, with the probe."""
    function = Lengths()
    store = make_store(dense=function)
    given = Record(id="b", text="bb", dense=np.array([9, 9], np.float32))
    ids = store.add([Record(id="a", text="a"), given, Record(id="c", text="ccc")])
    assert vectors_of(store, ids) == [[1, 1], [9, 9], [3, 1]]
    [texts] = function.calls
    assert sorted(texts) == sorted(["a", "ccc", PROBE])


def test_each_text_is_encoded_once(make_store: MakeStore) -> None:
    """Whatever rows and fields share it; the probe is encoded with the first batch only."""
    function = Lengths()
    store = make_store(
        fields={"one": DenseField(function), "two": DenseField(function, source="title")}
    )
    twice = [Record(text="same", metadata={"title": "same"}), Record(text="same")]
    store.add(twice)
    store.add(twice)
    store.search_many(["query", "query"], mode=["one", "two"])
    assert function.calls == [["same", PROBE], ["same"], ["query"]]


def test_a_view_encodes_with_a_function_of_its_own(store: MilvusStore) -> None:
    """`using` gives a field its function for a while, the first write included."""
    function = Lengths()
    store.using(dense=function).add([Record(id="a", text="abc")])
    assert store.dense is None
    assert vectors_of(store, ["a"]) == [[3, 1]]
    assert store.using(dense=function).search("xyz", mode="dense")[0].score == pytest.approx(1)
    with pytest.raises(InvalidInputError, match="dense field cannot use"):
        store.search("xyz", mode="dense")


async def test_an_async_function_runs_in_the_callers_loop(make_store: MakeStore) -> None:
    """`aadd` and `asearch` await it where the caller is, batch by batch."""
    function = AsyncLengths()
    store = make_store(dense=function)
    records = [Record(id=str(n), text="x" * n) for n in range(1, 6)]
    assert await store.aadd(records, batch_size=2) == ["1", "2", "3", "4", "5"]
    assert [len(texts) for texts in function.calls] == [2 + 1, 2, 1]
    [hit] = await store.asearch("xxxxx", k=1, mode="dense")
    assert hit.score == pytest.approx(1)
    assert [len(hits) for hits in await store.asearch_many(["a", "b"], k=2)] == [2, 2]
    assert len(await store.asearch_mmr("x", k=2)) == 2
    assert function.threads == {threading.get_ident()}
    assert vectors_of(store, ["1", "5"]) == [[1, 1], [5, 1]]


async def test_a_function_without_an_async_half_runs_on_a_thread(make_store: MakeStore) -> None:
    """Beside one that has it, and neither holds the loop up."""
    sync, threads = Lengths(), set[int]()

    def noting(texts: Sequence[str]) -> Any:
        threads.add(threading.get_ident())
        return lengths(texts)

    sync.make = noting
    store = make_store(dense=AsyncLengths(), fields={"other": DenseField(sync)})
    await store.aadd([Record(id="a", text="abc")])
    assert len(await store.asearch("abc", mode=["dense", "other"])) == 1
    assert threads
    assert threading.get_ident() not in threads


async def test_everything_is_checked_before_anything_is_encoded(make_store: MakeStore) -> None:
    """A bad record at the end costs no embedding, sync or async."""
    records = [Record(text="good"), Record(text="bad", metadata={"x": {1}})]
    for function in (Lengths(), AsyncLengths()):
        store = make_store(dense=function)
        with pytest.raises(InvalidInputError, match="record 1"):
            store.add(records, batch_size=1)
        with pytest.raises(InvalidInputError, match="record 1"):
            await store.aadd(records, batch_size=1)
        assert function.calls == []


async def test_a_function_that_drops_a_text_is_refused(make_store: MakeStore) -> None:
    """Fewer vectors than texts would give rows the vectors of others."""
    records = [Record(text="one"), Record(text="two")]
    store = make_store(dense=AsyncLengths(lambda texts: lengths(texts[1:])))
    with pytest.raises(InvalidInputError, match="2 vectors of 3 texts"):
        store.add(records)
    with pytest.raises(InvalidInputError, match="2 vectors of 3 texts"):
        await store.aadd(records)
    assert not store.exists()


async def test_a_function_that_fails_later_tells_what_landed(make_store: MakeStore) -> None:
    """Batches that were written stay, and the error carries their ids."""

    def make(texts: Sequence[str]) -> list[list[float]]:
        if "c" in texts:
            msg = "out of credit"
            raise OSError(msg)
        return lengths(texts)

    store = make_store(dense=AsyncLengths(make))
    records = [Record(id=letter, text=letter) for letter in "abcd"]
    for add in (store.aadd, lambda *a, **k: store.threads.run(lambda: store.add(*a, **k))):
        with pytest.raises(PartialWriteError, match=r"2 records .*out of credit") as caught:
            await add(records, batch_size=2)
        assert caught.value.landed == ["a", "b"]
    assert sorted(record.id or "" for record in store.scroll()) == ["a", "b"]


def test_a_collection_without_dense_vectors_refuses_them(store: MilvusStore) -> None:
    """Neither writing nor searching quietly leaves a vector out."""
    store.add([Record(id="a", text="a cat")])
    with pytest.raises(InvalidInputError, match="has no place"):
        store.add([Record(text="b", dense=np.ones(2, np.float32))])
    with pytest.raises(InvalidInputError, match="a vector was given"):
        store.search("cat", vector=[1.0, 1.0])


def test_an_embedding_over_a_collection_without_dense_vectors_is_not_used(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A framework hands its own to every store: one warning, and the fields that are there."""
    make_store().add([Record(id="a", text="a cat")])
    function = Lengths()
    store = make_store(dense=function)
    store.add([Record(id="b", text="a dog")])
    assert [hit.id for hit in store.search("dog")] == ["b"]
    assert caplog.text.count("no dense vectors") == 1
    assert function.calls == []


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
        (None, "NoneType"),
    ],
)
def test_the_error_names_the_text_whose_vector_is_none(
    make_store: MakeStore, vectors: Any, complaint: str
) -> None:
    """Though a batch is checked at once."""
    function = Lengths()
    store = make_store(dense=function)
    store.add([Record(id="c", text="c", dense=[1.0, 2.0])])
    function.make = lambda _: vectors
    with pytest.raises(InvalidInputError, match=complaint):
        store.add([Record(id="a", text="a"), Record(id="b", text="b")])
    assert store.count() == 1
