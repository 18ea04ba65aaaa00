"""Context belongs to a chunk without being part of it: indexed in front of the text, and returned.

The dense function keeps its calls, so that what was embedded can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hybridge import TEXT, DenseField, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.store.fields import PROBE
from support.letters import AsyncLetters, Letters

MakeStore = Callable[..., MilvusStore]
DERIVED = {"context": "derived"}


@pytest.fixture
def function() -> Letters:
    """The function of "dense"."""
    return Letters(26)


@pytest.fixture
def store(make_store: MakeStore, function: Letters) -> MilvusStore:
    """A store with one row that has a context, and one that has none."""
    store = make_store(dense=function)
    store.add(
        [
            Record(id="a", text="the body", context="Heading", metadata={"n": 1}),
            Record(id="b", text="another one"),
        ]
    )
    return store


def row(store: MilvusStore, row_id: str = "a") -> Record:
    """One row, with its vectors."""
    [found] = store.get([row_id], with_vectors=True)
    return found


def assert_indexed(store: MilvusStore, text: str, row_id: str = "a") -> None:
    """Every field of the row is of this text, and all counts are right."""
    dense = row(store, row_id).dense
    assert dense is not None
    assert dense == pytest.approx(Letters(26).vector(text))
    assert store.check() == []


def test_context_is_indexed_and_returned(store: MilvusStore, function: Letters) -> None:
    """BM25 finds it, dense vectors are of both, and the text stays the text."""
    assert function.calls == [["Heading\nthe body", "another one", PROBE]]
    [hit] = store.search("heading", mode="sparse")
    assert (hit.id, hit.text, hit.context) == ("a", "the body", "Heading")
    assert set(store.explain("heading body", "a")) == {"head", "bodi"}
    assert [(r.text, r.context) for r in store.scroll()] == [
        ("the body", "Heading"),
        ("another one", None),
    ]
    assert store.search(vector=function.vector("x"), k=9)[0].context in ("Heading", None)
    assert_indexed(store, "Heading\nthe body")
    assert_indexed(store, "another one", "b")


def test_no_context_keeps_what_is_stored(store: MilvusStore, function: Letters) -> None:
    """The vector is made anew with it, for that row alone."""
    function.calls.clear()
    store.add([Record(id="a", text="new body"), Record(id="b", text="new one")])
    assert row(store).context == "Heading"
    assert_indexed(store, "Heading\nnew body")
    assert_indexed(store, "new one", "b")
    assert sorted(text for texts in function.calls for text in texts) == [
        "Heading\nnew body",
        "new body",
        "new one",
    ]
    assert [hit.text for hit in store.search("heading", mode="sparse")] == ["new body"]


def test_an_empty_context_takes_it_away(store: MilvusStore) -> None:
    """As for the document's id."""
    store.add([Record(id="a", text="the body", context="")])
    assert row(store).context is None
    assert store.search("heading", mode="sparse") == []
    assert_indexed(store, "the body")


def test_a_given_context_replaces_the_one_before(store: MilvusStore) -> None:
    """Also where there was none."""
    store.add([Record(id=i, text="the body", context="Title") for i in "ab"])
    assert store.search("heading", mode="sparse") == []
    assert sorted(hit.id for hit in store.search("title", mode="sparse")) == ["a", "b"]
    for row_id in "ab":
        assert row(store, row_id).context == "Title"
        assert_indexed(store, "Title\nthe body", row_id)


async def test_the_same_holds_async(make_store: MakeStore) -> None:
    """An async function is awaited again for the rows whose context is kept."""
    function = AsyncLetters(26)
    store = make_store(dense=function)
    await store.aadd([Record(id="a", text="the body", context="Heading")])
    await store.aadd([Record(id="a", text="new"), Record(id="b", text="b")], batch_size=1)
    assert row(store).context == "Heading"
    assert_indexed(store, "Heading\nnew")


def test_a_vector_that_is_given_stays(store: MilvusStore, function: Letters) -> None:
    """Whoever brings it knows what it is of."""
    function.calls.clear()
    store.add([Record(id="a", text="new", dense=np.ones(26, np.float32))])
    assert function.calls == []
    stored = row(store)
    assert (stored.context, stored.dense.tolist()) == ("Heading", [1] * 26)  # type: ignore[union-attr]
    assert store.check() == []


def test_a_vector_from_outside_is_asked_for_anew(make_store: MakeStore) -> None:
    """Where nobody here can encode a new context, an error says so, and the row stays."""
    store = make_store(fields={"outer": DenseField(dim=2)})
    outer: Any = {"outer": [1.0, 2.0]}
    store.add([Record(id="a", text="body", context="Heading", vectors=outer)])
    store.add([Record(id="a", text="body", metadata={"n": 1})])
    assert row(store).vectors["outer"].tolist() == [1, 2]  # type: ignore[union-attr]
    for context in ("Another", ""):
        with pytest.raises(InvalidInputError, match="'outer' has no function"):
            store.add([Record(id="a", text="body", context=context)])
    assert row(store).context == "Heading"
    store.add([Record(id="a", text="body", context="Another", vectors=outer)])
    assert row(store).context == "Another"
    assert store.check() == []


def test_fields_of_the_text_alone_do_not_see_it(make_store: MakeStore) -> None:
    """Nor are they encoded again for its sake."""
    alone = Letters(8)
    store = make_store(fields={"alone": DenseField(alone, source=TEXT)})
    store.add([Record(id="a", text="body", context="Heading")])
    alone.calls.clear()
    store.add([Record(id="a", text="new")])
    assert alone.calls == [["new"]]
    assert row(store).context == "Heading"
    assert row(store).vectors["alone"] == pytest.approx(alone.vector("new"))


def test_whatever_counts_counts_it(store: MilvusStore) -> None:
    """Deleting, recounting, weighing anew, changing metadata, clearing, reopening."""
    assert store.update(["a"], metadata={"n": 2}) == 1
    assert (row(store).context, row(store).metadata) == ("Heading", {"n": 2})
    assert store.check() == []
    store.rebuild_statistics()
    store.reencode_sparse()
    assert_indexed(store, "Heading\nthe body")
    store.delete(["a"])
    assert store.check() == []
    assert store.search("heading", mode="sparse") == []


def test_the_context_is_checked(store: MilvusStore) -> None:
    """It is a text that Milvus can hold."""
    for context, complaint in (
        (3, "not a string"),
        ("\ud800", "surrogate"),
        ("я" * 33_000, "66,0"),
    ):
        with pytest.raises(InvalidInputError, match=f"the context.*{complaint}"):
            store.add([Record(text="x", context=context)])  # type: ignore[arg-type]


# --- derived of the metadata ---------------------------------------------------------------------


@pytest.fixture
def derived(make_store: MakeStore) -> MilvusStore:
    """A store whose row has a context that a framework made of its metadata."""
    store = make_store(dense=Letters(26))
    store.add(
        [Record(id="a", text="body", context="n: 1", metadata={"n": 1}, extra={**DERIVED, "x": 1})]
    )
    return store


def test_a_derived_context_lives_as_long_as_its_metadata(derived: MilvusStore) -> None:
    """Whoever knows nothing of it keeps it with the metadata, and drops it with them."""
    derived.add([Record(id="a", text="new", metadata={"n": 1})])
    assert (row(derived).context, row(derived).extra) == ("n: 1", {**DERIVED, "x": 1})
    assert_indexed(derived, "n: 1\nnew")
    derived.add([Record(id="a", text="new", metadata={"n": 2})])
    assert (row(derived).context, row(derived).extra) == (None, {"x": 1})
    assert_indexed(derived, "new")


def test_a_derived_context_is_made_anew_by_its_framework(derived: MilvusStore) -> None:
    """Or dropped, where it derives none."""
    derived.add([Record(id="a", text="new", context="n: 2", metadata={"n": 2}, extra=DERIVED)])
    assert (row(derived).context, row(derived).extra) == ("n: 2", DERIVED)
    assert_indexed(derived, "n: 2\nnew")
    derived.add([Record(id="a", text="new", metadata={"n": 2}, extra={})])
    assert (row(derived).context, row(derived).extra) == (None, {})
    assert_indexed(derived, "new")


def test_a_given_context_replaces_a_derived_one(derived: MilvusStore) -> None:
    """From then on it is a given one: new metadata leave it alone."""
    derived.add([Record(id="a", text="body", context="Given", metadata={"n": 1})])
    assert (row(derived).context, row(derived).extra) == ("Given", {"x": 1})
    derived.add([Record(id="a", text="body", metadata={"n": 3})])
    assert row(derived).context == "Given"
    assert_indexed(derived, "Given\nbody")


def test_a_derived_context_never_replaces_a_given_one(store: MilvusStore) -> None:
    """A framework that writes the row again does not lose what somebody has written."""
    store.add([Record(id="a", text="new", context="n: 1", metadata={"n": 1}, extra=DERIVED)])
    assert (row(store).context, row(store).extra) == ("Heading", {})
    assert_indexed(store, "Heading\nnew")
    store.add([Record(id="b", text="new", context="n: 1", metadata={"n": 1}, extra=DERIVED)])
    assert (row(store, "b").context, row(store, "b").extra) == ("n: 1", DERIVED)


def test_an_update_drops_or_remakes_a_derived_context(derived: MilvusStore) -> None:
    """Whoever changes the metadata that it was made of says how; a given one stays."""
    assert derived.update(["a"], metadata={"n": 7}, derive=lambda row: f"n {row.metadata['n']}")
    [row] = derived.get(["a"])
    assert (row.context, dict(row.extra or {})["context"]) == ("n 7", "derived")
    assert [hit.id for hit in derived.search("7", mode="sparse")] == ["a"]
    derived.update(["a"], metadata={"n": 8})
    [row] = derived.get(["a"])
    assert (row.context, "context" in (row.extra or {})) == (None, False)
    assert derived.search("7", mode="sparse") == []
    assert derived.check() == []
    derived.add([Record(id="a", text="zebra", context="stripes")])
    derived.update(["a"], metadata={"n": 9})
    assert derived.get(["a"])[0].context == "stripes"
