"""What a store promises about rows: writing, reading, overwriting, deleting, reopening."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridge import F, MilvusStore, Record
from hybridge.errors import InvalidInputError, StoreClosedError

MakeStore = Callable[..., MilvusStore]

ANIMALS = [
    Record(id="cat", text="The cat sleeps on the sofa", metadata={"legs": 4}, document_id="pets"),
    Record(id="dog", text="The dog runs in the park", metadata={"legs": 4}, document_id="pets"),
    Record(id="bird", text="The bird sings in the morning", metadata={"legs": 2}),
]


def test_get_needs_a_selector(store: MilvusStore) -> None:
    """Neither ids nor a filter is an error that names `scroll()`; an empty list is a selector."""
    store.add([Record(id="a", text="word", metadata={"n": 1}), Record(id="b", text="word")])
    for nothing in (None, {}):
        with pytest.raises(InvalidInputError, match="scroll"):
            store.get(filter=nothing)
    assert store.get([]) == []
    assert [record.id for record in store.get(filter={"n": 1})] == ["a"]
    assert [record.id for record in store.get(["b", "a"], filter={"n": {"$ne": 1}})] == ["b"]


def test_reads_before_the_first_write_return_nothing(store: MilvusStore) -> None:
    """A collection that does not exist yet reads as an empty one."""
    assert store.search("cat") == []
    assert store.search_many(["cat", "dog"]) == [[], []]
    assert store.get(["cat"]) == []
    assert store.count() == 0
    assert list(store.scroll()) == []
    assert store.delete(ids=["cat"]) == 0


def test_records_come_back_as_they_went_in(store: MilvusStore) -> None:
    """`get` returns records in the order asked for and leaves out those that are missing."""
    assert store.add(ANIMALS) == ["cat", "dog", "bird"]
    assert store.get(["bird", "nobody", "cat"]) == [ANIMALS[2], ANIMALS[0]]


def test_an_id_is_made_where_none_is_given(store: MilvusStore) -> None:
    """One id comes back per record, in order, and finds its record."""
    ids = store.add([Record(text="first"), Record(id="mine", text="second"), Record(text="third")])
    assert ids[1] == "mine"
    assert [record.text for record in store.get(ids)] == ["first", "second", "third"]


def test_the_last_of_equal_ids_wins(store: MilvusStore) -> None:
    """An id given twice in one call keeps its last record."""
    assert store.add([Record(id="a", text="old"), Record(id="a", text="new")]) == ["a", "a"]
    assert [record.text for record in store.scroll()] == ["new"]


def test_overwriting_keeps_what_the_record_does_not_say(store: MilvusStore) -> None:
    """An overwrite without document_id and extra keeps them; offsets go when the text changes."""
    extra = {"relations": {"next": "b"}, "offsets": [0, 3]}
    store.add([Record(id="a", text="old", document_id="doc", extra=extra)])
    store.add([Record(id="a", text="old", metadata={"seen": True})])
    assert store.get(["a"])[0].extra == extra
    store.add([Record(id="a", text="new")])
    [record] = store.get(["a"])
    assert (record.document_id, record.extra) == ("doc", {"relations": {"next": "b"}})


def test_delete_counts_the_rows_that_were_there(store: MilvusStore) -> None:
    """Missing ids are fine and are not counted."""
    store.add(ANIMALS)
    assert store.delete(ids=["cat", "nobody", "cat"]) == 1
    assert store.delete(document_id="pets") == 1
    assert store.delete(filter=F("legs") == 2) == 1
    assert store.count() == 0


def test_selectors_of_delete_narrow_each_other(store: MilvusStore) -> None:
    """A row goes only if every selector given selects it."""
    store.add(ANIMALS)
    assert store.delete(ids=["cat", "bird"], document_id="pets", filter={"legs": 4}) == 1
    assert {record.id for record in store.scroll()} == {"dog", "bird"}


def test_scroll_yields_every_row_once(store: MilvusStore) -> None:
    """More rows than one batch holds come back complete, filtered or not."""
    store.add(
        Record(id=str(i), text=f"row {i}", metadata={"even": i % 2 == 0}) for i in range(2500)
    )
    assert sorted(int(r.id or "") for r in store.scroll()) == list(range(2500))
    assert sum(1 for _ in store.scroll({"even": True})) == 1250


def test_a_reopened_store_has_everything(make_store: MakeStore) -> None:
    """Rows, settings and statistics survive closing."""
    with make_store(sparse="bm25:de") as store:
        store.add([Record(id="haus", text="Die Häuser am Fluss"), Record(text="ein Baum")])
    reopened = make_store()
    assert [hit.id for hit in reopened.search("Haus")] == ["haus"]
    assert reopened.count() == 2


def test_drop_removes_everything_and_the_store_goes_on(store: MilvusStore) -> None:
    """After drop the store is as new, and a filter still works."""
    store.add(ANIMALS)
    store.drop()
    assert store.count() == 0
    store.add(ANIMALS[:1])
    assert [hit.id for hit in store.search("cat dog bird")] == ["cat"]


def test_overwrite_replaces_an_existing_collection(make_store: MakeStore) -> None:
    """overwrite=True starts anew, with other settings if they differ."""
    make_store(sparse="bm25:de").add(ANIMALS)
    store = make_store(sparse="bm25:en", overwrite=True)
    assert store.count() == 0
    store.add(ANIMALS[:1])
    assert store.count() == 1


def test_a_closed_store_says_so(store: MilvusStore) -> None:
    """Closing twice is fine; every later call raises."""
    store.add(ANIMALS)
    store.close()
    store.close()
    for call in (store.count, store.drop, store.flush):
        with pytest.raises(StoreClosedError, match="closed"):
            call()
    with pytest.raises(StoreClosedError):
        store.search("cat")
    with pytest.raises(StoreClosedError):
        next(store.scroll())


async def test_every_async_twin_does_what_its_method_does(store: MilvusStore) -> None:
    """The twins take and return the same things."""
    assert await store.aadd(ANIMALS) == ["cat", "dog", "bird"]
    assert await store.acount({"legs": 4}) == 2
    assert await store.aget(["dog"]) == [ANIMALS[1]]
    assert [hit.id for hit in await store.asearch("bird")] == ["bird"]
    assert [len(hits) for hits in await store.asearch_many(["bird", "cat"], k=1)] == [1, 1]
    assert {record.id async for record in store.ascroll()} == {"cat", "dog", "bird"}
    await store.aflush()
    assert await store.adelete(ids=["dog"]) == 1
    await store.adrop()
    await store.aclose()
    with pytest.raises(StoreClosedError):
        await store.acount()
