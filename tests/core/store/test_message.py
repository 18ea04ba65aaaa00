"""The message that writes rows is the one that pymilvus makes, value by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymilvus import DataType
from pymilvus.client.prepare import Prepare

from hybridge import MilvusStore, Record
from hybridge.store.engine.message import upsert_message

COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "type": DataType.VARCHAR, "params": {"max_length": 64}, "is_primary": True},
    {"name": "metadata", "type": DataType.JSON, "params": {}},
    {"name": "extra", "type": DataType.JSON, "params": {}, "nullable": True},
    {"name": "has_dense", "type": DataType.BOOL, "params": {}, "nullable": True},
    {"name": "meta_year", "type": DataType.INT64, "params": {}, "nullable": True},
    {"name": "meta_price", "type": DataType.DOUBLE, "params": {}, "nullable": True},
    {"name": "dense", "type": DataType.FLOAT_VECTOR, "params": {"dim": 3}},
    {"name": "sparse", "type": DataType.SPARSE_FLOAT_VECTOR, "params": {}},
]
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
JSON = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=3), some),
        max_leaves=5,
    ),
    max_size=3,
)
ROW = st.fixed_dictionaries(
    {
        "id": st.text(st.characters(codec="utf-8"), max_size=64),
        "metadata": JSON,
        "dense": st.lists(FINITE, min_size=3, max_size=3).map(np.float32),
        "sparse": st.dictionaries(st.integers(0, 2**32 - 2), FINITE, max_size=5),
    },
    optional={
        "extra": st.none() | JSON,
        "has_dense": st.none() | st.booleans(),
        "meta_year": st.none() | st.integers(-(2**63), 2**63 - 1),
        "meta_price": st.none() | FINITE,
    },
)


def pymilvus_message(rows: list[dict[str, Any]]) -> Any:
    """Return what pymilvus sends."""
    return Prepare.row_upsert_param("rows", rows, "", fields_info=COLUMNS, schema_timestamp=7)


@given(rows=st.lists(ROW, min_size=1, max_size=4))
def test_it_is_the_message_of_pymilvus(rows: list[dict[str, Any]]) -> None:
    """In every byte: each type, what is NULL, what a row leaves out."""
    assert upsert_message("rows", rows, COLUMNS, 7) == pymilvus_message(rows)


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"id": "x" * 65},
        {"metadata": None},
    ],
    ids=["another column", "too long", "not nullable"],
)
def test_what_is_wrong_is_left_to_pymilvus(change: dict[str, Any]) -> None:
    """It says what is wrong with it."""
    row = {"id": "a", "metadata": {}, "dense": np.zeros(3, np.float32), "sparse": {1: 1.0}}
    assert upsert_message("rows", [row], COLUMNS, 7) == pymilvus_message([row])
    assert upsert_message("rows", [row | change], COLUMNS) is None


@pytest.mark.parametrize(
    "column",
    [
        {"name": "other", "type": DataType.FLOAT16_VECTOR, "params": {"dim": 3}},
        {"name": "other", "type": DataType.INT64, "params": {}, "auto_id": True},
        {"name": "other", "type": DataType.VARCHAR, "params": {}, "default_value": "x"},
        {"name": "other", "type": DataType.SPARSE_FLOAT_VECTOR, "is_function_output": True},
    ],
    ids=["of another type", "numbered", "with a default", "made by the engine"],
)
def test_what_no_row_of_ours_has_is_left_to_pymilvus(column: dict[str, Any]) -> None:
    """It knows more types, and what a server fills in."""
    row = {"id": "a", "metadata": {}, "dense": np.zeros(3, np.float32), "sparse": {1: 1.0}}
    assert upsert_message("rows", [row], [*COLUMNS, column]) is None


def test_it_is_what_a_store_sends(store: MilvusStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of a store's rows, and of its companion's, is never made by pymilvus."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Prepare, "row_upsert_param", refuse)
    store.add([Record(id="a", text="a red house", dense=[1.0, 0.0])])
    assert [hit.id for hit in store.search("house", vector=[1.0, 0.0])] == ["a"]
