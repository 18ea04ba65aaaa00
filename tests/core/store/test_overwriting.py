"""What an overwrite keeps, what `clear` leaves, and how deep each field is read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hybridge import MilvusStore, Record, Weighted
from hybridge.errors import InvalidInputError

MakeStore = Callable[..., MilvusStore]


def test_an_empty_document_id_says_that_there_is_none(store: MilvusStore) -> None:
    """None keeps the row's document, "" takes it away."""
    store.add([Record(id="a", document_id="doc")])
    store.add([Record(id="a", text="t")])
    assert store.get(["a"])[0].document_id == "doc"
    store.add([Record(id="a", document_id="")])
    assert store.get(["a"])[0].document_id is None
    assert store.delete(document_id="doc") == 0


def test_extra_may_refer_to_the_metadata(store: MilvusStore) -> None:
    """`extra` that says metadata: null gets the former metadata when they are overwritten."""
    store.add([Record(id="a", metadata={"v": 1}, extra={"metadata": None, "more": 2})])
    store.add([Record(id="a", text="new", metadata={"v": 1})])
    assert store.get(["a"])[0].extra == {"metadata": None, "more": 2}
    for version in (2, 3, 1):
        store.add([Record(id="a", metadata={"v": version})])
        assert store.get(["a"])[0].extra == {"metadata": {"v": 1}, "more": 2}


def test_an_overwrite_with_extra_of_its_own(store: MilvusStore) -> None:
    """A record that brings `extra`, be it empty, replaces the former one."""
    store.add([Record(id="a", extra={"offsets": [0, 1]})])
    store.add([Record(id="a", extra={})])
    assert store.get(["a"])[0].extra == {}


def test_clear_keeps_the_collection(make_store: MakeStore) -> None:
    """After `clear` there are no rows, and the collection is as it was made; BM25 counts anew."""
    store = make_store(sparse="bm25:ru", metadata_schema={"year": int})
    store.clear()
    store.add([Record(id="a", text="кошки спят", dense=np.ones(3, dtype=np.float32))])
    store.clear()
    assert (store.exists(), store.count(), store.search("кошка", mode="sparse")) == (True, 0, [])
    with pytest.raises(InvalidInputError, match="dimension"):
        store.add([Record(text="b", dense=np.ones(4, dtype=np.float32))])
    adopted = make_store()
    adopted.add([Record(id="b", text="кошки бегут", dense=np.ones(3, dtype=np.float32))])
    alone = make_store(collection_name="other", sparse="bm25:ru")
    alone.add([Record(id="b", text="кошки бегут", dense=np.ones(3, dtype=np.float32))])
    for one in (store, adopted):
        assert one.search("кошка", mode="sparse") == alone.search("кошка", mode="sparse") != []


def test_a_depth_for_each_field(store: MilvusStore) -> None:
    """`fetch_k` as a mapping names fields; what it leaves out is as deep as ever."""
    axes = np.eye(3, dtype=np.float32)
    texts = ["apple apple apple", "apple apple pear", "apple plum pear"]
    store.add([Record(text=t, dense=v) for t, v in zip(texts, axes, strict=True)])

    def found(fetch_k: object) -> list[list[str]]:
        hits = store.search("apple", vector=axes[0], k=3, fusion=Weighted(), fetch_k=fetch_k)  # type: ignore[arg-type]
        return sorted(sorted(hit.scores) for hit in hits)

    both = ["dense", "sparse"]
    assert found(None) == found({}) == found({"dense": None}) == [both] * 3
    assert found({"sparse": 1}) == sorted([both, ["dense"], ["dense"]])
    assert found({"sparse": 2, "dense": 1}) == sorted([both, ["sparse"]])
    with pytest.raises(InvalidInputError, match=r"fetch_k\['sparse'\]"):
        found({"sparse": 0})


def test_mmr_chooses_from_more_than_it_returns(store: MilvusStore) -> None:
    """Without `fetch_k`, MMR for k = 30 still has more than 30 rows to choose from."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    store.add([Record(text="t", dense=vector) for vector in vectors])
    hits = store.search_mmr(vector=vectors[0], k=30, balance=0.0)
    nearest = {hit.id for hit in store.search(vector=vectors[0], k=30)}
    assert len(hits) == 30
    assert {hit.id for hit in hits} != nearest
