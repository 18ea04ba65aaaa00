"""Ids by content: what is added twice is there once."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError

MakeStore = Callable[..., MilvusStore]
RECORDS = [Record(text="apple", metadata={"a": 1, "b": 2}), Record(id="own", text="pear")]


async def test_the_same_records_again_are_the_same_rows(make_store: MakeStore) -> None:
    """Ids that are given stay; without `ids` there are more rows each time."""
    store = make_store()
    ids = store.add(RECORDS, ids="content")
    assert ids == [RECORDS[0].content_id, "own"]
    assert await store.aadd(iter(RECORDS), ids="content") == ids
    assert store.count() == 2
    store.add(RECORDS)
    assert store.count() == 3
    with pytest.raises(InvalidInputError, match="ids must be one of 'content'"):
        store.add(RECORDS, ids="hash")  # type: ignore[arg-type]


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers() | st.text("ab")),
    st.text(st.characters(codec="utf-8")),
)
def test_an_id_depends_on_the_content_alone(metadata: dict[str, object], text: str) -> None:
    """Not on the order of keys, nor on a random document id; on all else it does."""
    record = Record(text=text, metadata=metadata)
    backwards = dict(reversed(metadata.items()))
    same = Record(text=text, metadata=backwards, document_id=str(uuid.uuid4()), context="")
    assert record.content_id == same.content_id
    others = [
        Record(text=text + "x", metadata=metadata),
        Record(text=text, metadata={**metadata, "c": None}),
        Record(text=text, metadata=metadata, context="x"),
        Record(text=text, metadata=metadata, document_id="report"),
    ]
    assert len({record.content_id, *(one.content_id for one in others)}) == 5
