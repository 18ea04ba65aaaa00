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
