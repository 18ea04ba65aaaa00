"""An existing collection is adopted; a demand that contradicts it is an error that shows both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hybridge import BM25EmbeddingFunction, MilvusStore, Record
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.store.engine.connection import Connection

MakeStore = Callable[..., MilvusStore]

ROW = Record(id="a", text="die Häuser", metadata={"year": 1999}, dense=np.ones(3, np.float32))


def test_what_is_left_out_takes_what_the_collection_has(make_store: MakeStore) -> None:
    """Language, dimension and columns come back without being named again."""
    make_store(sparse="bm25:de", metadata_schema={"year": int}).add([ROW])
    store = make_store()
    store.add([Record(id="b", text="das Haus", metadata={"year": 2000}, dense=np.ones(3))])
    assert {hit.id for hit in store.search("Haus", mode="sparse")} == {"a", "b"}
    with pytest.raises(InvalidInputError, match="year"):
        store.add([Record(text="x", metadata={"year": "late"}, dense=np.ones(3))])


def test_a_collection_without_sparse_vectors_stays_so(make_store: MakeStore) -> None:
    """AUTO means "bm25" only for a new collection."""
    make_store(sparse=None).add([ROW])
    store = make_store()
    store.add([Record(id="b", text="x", dense=np.ones(3, np.float32))])
    with pytest.raises(InvalidInputError, match="no sparse vectors"):
        store.search("x", mode="sparse")


@pytest.mark.parametrize(
    ("arguments", "stored", "asked"),
    [
        ({"dim": 4}, "'dim': 3", "'dim': 4"),
        ({"sparse": None}, "'language': 'de'", "'sparse': None"),
        ({"sparse": "bm25:en"}, "'language': 'de'", "'language': 'en'"),
        ({"sparse": BM25EmbeddingFunction("de", k1=0.9)}, "'k1': 1.5", "'k1': 0.9"),
        ({"sparse": BM25EmbeddingFunction("de", ["ein Haus"])}, "'bm25'", "'sparse'"),
        ({"metadata_schema": {}}, "'year'", "'metadata_schema': {}"),
        ({"metadata_schema": {"year": str}}, "'int'", "'str'"),
    ],
)
def test_a_contradiction_shows_both_sides(
    make_store: MakeStore, arguments: dict[str, Any], stored: str, asked: str
) -> None:
    """Nothing is reinterpreted; reading and writing both refuse."""
    make_store(sparse="bm25:de", metadata_schema={"year": int}).add([ROW])
    store = make_store(**arguments)
    for call in (store.count, lambda: store.add([ROW])):
        with pytest.raises(CollectionMismatchError) as caught:
            call()
        message = str(caught.value)
        assert stored.replace("'int'", "int") in message.replace("<class 'int'>", "int")
        assert asked.replace("'str'", "str") in message.replace("<class 'str'>", "str")


def test_another_analyzer_of_ones_own_is_refused(make_store: MakeStore) -> None:
    """A collection indexed by a function needs that function again, and says which."""
    make_store(sparse=BM25EmbeddingFunction(str.split)).add([Record(text="A b")])
    with pytest.raises(CollectionMismatchError, match=r"str\.split"):
        make_store().count()
    with pytest.raises(CollectionMismatchError, match=r"str\.split"):
        make_store(sparse=BM25EmbeddingFunction(str.splitlines)).count()
    assert make_store(sparse=BM25EmbeddingFunction(str.split)).count() == 1


def test_a_collection_of_somebody_else_is_left_alone(store: MilvusStore) -> None:
    """A collection without a companion was not made by Hybridge; it is neither read nor changed."""
    connection = Connection(store.address)
    connection.call("create_collection", store.collection_name, dimension=4)
    for call in (store.count, lambda: store.add([ROW]), lambda: store.search("x")):
        with pytest.raises(CollectionMismatchError, match="not made by Hybridge"):
            call()
    connection.close()


def test_dense_functions_and_dim_must_agree(make_store: MakeStore) -> None:
    """Two arguments that contradict each other are refused at once."""

    class Three:
        dim = 3

        def encode_documents(self, documents: Any) -> Any:
            return np.ones((len(documents), 3), np.float32)

        encode_queries = encode_documents

    with pytest.raises(InvalidInputError, match="dim=4"):
        make_store(dense=Three(), dim=4)


def test_stores_of_one_process_see_each_other(make_store: MakeStore) -> None:
    """Two stores on one path share rows, statistics, and the end of the collection."""
    first, second = make_store(), make_store()
    first.add([Record(id="a", text="common word")])
    second.add([Record(id="b", text="common term")])
    assert [hit.id for hit in first.search("term")] == ["b"]
    scores = [[hit.score for hit in store.search("common")] for store in (first, second)]
    assert scores[0] == scores[1]
    second.drop()
    assert first.search("common") == []
    first.add([Record(id="c", text="common start")])
    assert [hit.id for hit in second.search("common")] == ["c"]


def test_closing_one_store_leaves_the_others(make_store: MakeStore) -> None:
    """The engine's lock is released with the last user of the path."""
    first, second = make_store(), make_store(collection_name="other")
    first.add([ROW])
    second.add([ROW])
    first.close()
    assert second.count() == 1
    second.close()
    assert make_store().count() == 1
