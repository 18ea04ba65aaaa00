"""A collection knows which models made its vectors: by name, and by their vector of a probe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridge import BM25EmbeddingFunction, DenseField, MilvusStore, Record, SparseField
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.store.fields import PROBE
from support.letters import AsyncLetters, Backwards, Letters, Noise
from support.tiny_models import tiny_sentence_transformer, tiny_splade

MakeStore = Callable[..., MilvusStore]

RECORDS = [Record(id="a", text="red apple"), Record(id="b", text="green pear")]


class AsyncBackwards(AsyncLetters, Backwards):
    """Another model than `Letters`, with an async half."""


@pytest.mark.parametrize("make", [Backwards, AsyncBackwards])
async def test_another_model_of_the_same_length_is_refused(
    make_store: MakeStore, make: type[Letters]
) -> None:
    """Both are named; nothing is found or written; every time, not only the first."""
    make_store(dense=Letters(26, "letters")).add(RECORDS)
    store = make_store(dense=make(26, "backwards"))
    for _ in range(2):
        for call in (
            lambda: store.search("apple"),
            lambda: store.search_many(["apple"], mode="dense"),
            lambda: store.add([Record(text="new")]),
        ):
            with pytest.raises(CollectionMismatchError, match=r"'letters'.*'backwards'"):
                call()
        for awaited in (
            lambda: store.asearch("apple"),
            lambda: store.aadd([Record(text="new")]),
        ):
            with pytest.raises(CollectionMismatchError, match=r"'letters'.*'backwards'"):
                await awaited()
    assert store.count() == 2
    assert [hit.id for hit in store.search("apple", mode="sparse")] == ["a"]


def test_a_model_without_a_name_is_compared_as_well(make_store: MakeStore) -> None:
    """Its class stands for the name."""
    make_store(dense=Letters(26)).add(RECORDS)
    with pytest.raises(CollectionMismatchError, match=r"'another model'.*'Backwards'"):
        make_store(dense=Backwards(26)).search("apple")
    assert make_store(dense=Letters(26)).search("apple", mode="dense", k=1)[0].id == "a"


@pytest.mark.parametrize("make", [Letters, AsyncLetters])
async def test_another_name_for_the_same_model_is_accepted(
    make_store: MakeStore, make: type[Letters]
) -> None:
    """Another path or backend: it is asked for its probe once, with what is encoded anyway."""
    make_store(dense=Letters(26, "letters")).add(RECORDS)
    function = make(26, "copies/of/letters")
    store = make_store(dense=function)
    assert (await store.asearch("red apple", k=1))[0].id == "a"
    assert store.search("green pear", k=1)[0].id == "b"
    store.add([Record(text="new")])
    assert sorted(map(sorted, function.calls)) == sorted(
        [[PROBE], ["red apple"], ["green pear"], ["new"]]
    )


def test_the_same_name_is_accepted_without_a_call(make_store: MakeStore) -> None:
    """It is the same model."""
    make_store(dense=Letters(26, "letters")).add(RECORDS)
    function = Letters(26, "letters")
    store = make_store(dense=function)
    store.search("red apple")
    store.add([Record(text="new")])
    assert function.calls == [["red apple"], ["new"]]


def test_each_field_has_a_model_of_its_own(make_store: MakeStore) -> None:
    """Dense and sparse, and only those that a request uses are compared."""
    bm25 = BM25EmbeddingFunction("en", ["red apple", "green pear", "a quick brown fox"])
    other = BM25EmbeddingFunction("en", ["a kite", "plains", "the clock at seven", "brown fox"])
    fields = {"title": DenseField(Noise(8, "noise"), source="title")}
    make_store(sparse=bm25, fields=fields).add(RECORDS)
    wrong = {"title": DenseField(Letters(8, "letters"))}
    store = make_store(sparse=bm25, fields=wrong)
    assert store.search("apple", mode="sparse")
    with pytest.raises(CollectionMismatchError, match=r"'title'.*'noise'.*'letters'"):
        store.search("apple", mode="title")
    with pytest.raises(CollectionMismatchError, match=r"'sparse'.*'BM25EmbeddingFunction'"):
        make_store(sparse=other).search("apple")


def test_two_first_writes_of_different_models(make_store: MakeStore) -> None:
    """The second finds the collection that the first has made meanwhile."""
    first, second = make_store(dense=Letters(26, "a")), make_store(dense=Backwards(26, "b"))
    prepared = second._prepare_batch([Record(id="late", text="late")])
    first.add(RECORDS)
    prepared.encoding.run()
    with pytest.raises(CollectionMismatchError, match=r"'a'.*'b'"):
        second._commit(prepared, [])
    assert first.count() == 2


def test_vectors_from_outside_have_no_model(make_store: MakeStore) -> None:
    """Whoever encodes queries later is believed."""
    make_store(dim=26).add([Record(text="x", dense=Letters(26).vector("x"))])
    function = Letters(26, "letters")
    assert make_store(dense=function).search("x", mode="dense")
    assert function.calls == [["x"]]


def test_a_path_is_enough_to_search(tmp_path: Path, path: str) -> None:
    """`open` makes the models that can be made from their names, each field's own."""
    dense, splade = tiny_sentence_transformer(tmp_path / "d"), tiny_splade(tmp_path / "s")
    names: dict[str, Any] = {
        "dense": f"sentence-transformers/{dense}",
        "fields": {
            "terms": SparseField(f"splade/{splade}"),
            "title": DenseField(f"sentence-transformers/{dense}", source="title"),
            "words": SparseField("bm25", source="title"),
        },
    }
    records = [Record(id=r.id, text=r.text, metadata={"title": r.text[::-1]}) for r in RECORDS]
    with MilvusStore(path, **names) as store:
        store.add(records)
        modes = [None, "dense", "terms", "title", "words", ["dense", "terms", "title"]]
        expected = [store.search("red apple", mode=mode) for mode in modes]  # type: ignore[arg-type]
    with MilvusStore.open(path) as store:
        assert [store.search("red apple", mode=mode) for mode in modes] == expected  # type: ignore[arg-type]
        store.add([Record(id="c", text="fruit")])
        assert store.count() == 3


def test_a_model_that_cannot_be_made_is_named(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning; other fields work, and so does a function that is passed."""
    folder = tiny_sentence_transformer(tmp_path / "model")
    with MilvusStore(path, dense=f"sentence-transformers/{folder}") as store:
        store.add(RECORDS)
    moved = shutil.move(folder, tmp_path / "moved")
    with MilvusStore.open(path) as store:
        assert caplog.text.count("cannot be made here") == 1
        assert [hit.id for hit in store.search("apple")] == ["a"]
        with pytest.raises(InvalidInputError, match=f"pass dense=.*{folder}"):
            store.search("apple", mode="dense")
    with MilvusStore.open(path, dense=f"sentence-transformers/{moved}") as store:
        assert store.search("red apple", mode="dense", k=1)[0].id == "a"
    assert caplog.text.count("cannot be made here") == 1


def test_open_needs_a_collection(path: str) -> None:
    """A missing one is an error that names it, and nothing is left open."""
    with pytest.raises(InvalidInputError, match=r"no collection 'rows'"):
        MilvusStore.open(path, collection_name="rows")
    with MilvusStore(path, collection_name="rows") as store:
        store.add(RECORDS)
    with MilvusStore.open(path, collection_name="rows") as store:
        assert store.search("apple")[0].id == "a"
    with pytest.raises(CollectionMismatchError):
        MilvusStore.open(path, collection_name="rows", sparse="bm25:de")


def test_the_settings_of_a_model_are_kept(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`open` makes it with them again, but for those that would send texts elsewhere."""

    def made(settings: dict[str, Any]) -> Any:
        function = Letters(26, "letters")
        function.settings = settings  # type: ignore[attr-defined]
        return function

    monkeypatch.setattr("hybridge.store.fields.function_name", lambda one: "openai/letters")
    monkeypatch.setattr("hybridge.store.fields.dense_function", lambda name, **some: made(some))
    for place, settings in enumerate(({"dimensions": 26}, {"base_url": "http://127.0.0.1:9"})):
        name = f"collection{place}"
        store = make_store(collection_name=name, dense=made(settings))
        store.add(RECORDS)
        opened = MilvusStore.open(store.address.uri, collection_name=name)
        assert getattr(opened.dense, "settings", None) == (settings if place == 0 else None)
