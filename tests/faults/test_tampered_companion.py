"""A companion that was changed by hand is refused by an error of ours that names it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from faults.test_tampered_files import fuzzed, tampered
from hybridge import MilvusStore, Record
from hybridge.errors import CollectionMismatchError, StoreError
from hybridge.store.layout import Layout, LayoutRequest

REQUEST = LayoutRequest.parse(
    dense=None, sparse="bm25", fields=None, dim=3, metadata_schema={"n": int}, partition_key="owner"
)
GOOD = json.loads(json.dumps(REQUEST.layout(REQUEST.expected, {}, {}).to_json()))


@fuzzed
@given(value=tampered(GOOD))
def test_a_changed_layout(value: Any) -> None:
    """It is read, or the error names the collection."""
    try:
        layout = Layout.from_json(copy.deepcopy(value), "mine")
    except CollectionMismatchError as error:
        assert "'mine'" in str(error)  # noqa: PT017  # many are read
        return
    json.dumps(layout.to_json(), skipkeys=True)
    assert layout.columns is not None


@pytest.mark.parametrize(
    "average",
    [{}, {"tokens": None, "documents": 1}, {"tokens": "3", "documents": 1}]
    + [{"tokens": tokens, "documents": 1} for tokens in (0, -1.5, 1e308)],
)
def test_a_changed_average_length(average: dict[str, Any], store: MilvusStore) -> None:
    """It would weigh every document alike."""
    store.add([Record(id="a", text="word")])
    collection = store._session.collection()
    collection.companion.write_value("average_length/sparse", average)
    collection.shared.forget()
    with pytest.raises(StoreError, match=r"hybridge__hybridge.*reencode_sparse"):
        store.search("word")


COUNTS: dict[str, dict[str, Any]] = {
    "more documents": {"documents": 5},
    "fewer documents": {"documents": 1},
    "documents below none": {"documents": -7},
    "more tokens": {"tokens": 10**12},
    "another sign": {"sign": -1},
    "no sign": {"sign": 0},
    "other frequencies": {"frequencies": {1: 2.5, 4_000_000_000: 1e30}},
    "no value": {"value": {}},
    "a value of other types": {"value": {"at": "now", "state": 3, "erased": [1], "parts": None}},
    "a state of no write": {"value": {"state": "open", "erased": "all"}},
    "a sum of too few parts": {"id": "path/sum/1/sparse/0", "value": {"parts": 2, "writes": 1}},
    "a sum without its parts": {"id": "path/sum/1/sparse/0"},
    "a sum of nothing": {"id": "path/sum/1/sparse/0", "value": {"parts": "x", "writes": [1]}},
    "an id of no write": {"id": "path/first/sparse/+"},
    "an id of too little": {"id": "path/1"},
    "an id of another field": {"id": "path/1/title/+"},
    "an id of another writer": {"id": "elsewhere/1/sparse/+"},
}


@pytest.mark.parametrize("what", COUNTS)
def test_changed_counts(what: str, store: MilvusStore) -> None:
    """They are refused by an error of ours, or `check` says what differs, or all is right."""
    store.add([Record(id=one, text=f"word {one}") for one in ("red", "blue", "green")])
    collection = store._session.collection()
    companion = collection.companion
    [row_id] = [row["id"] for row in companion.listing() if row["kind"] == "counts"]
    [row] = companion.read([row_id])
    companion.delete([row_id])
    companion.upsert([{**row, "kind": "counts", **COUNTS[what]}])
    collection.shared.forget()
    said: list[str] = []
    for call in (lambda: store.search("word red", mode="sparse"), store.check):
        try:
            said += [one for one in call() if isinstance(one, str)]
        except StoreError as error:
            said.append(str(error))
    if not said:
        assert [hit.id for hit in store.search("red", mode="sparse")] == ["red"]
    else:
        assert any(word in said[0] for word in ("rebuild_statistics", "hybridge__hybridge"))
