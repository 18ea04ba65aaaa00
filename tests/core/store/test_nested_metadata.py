"""Nested metadata: paths, lists of mappings, and keys that may have been meant as paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import TEXT, F, MilvusStore, Record
from hybridge.store import FilterLike

ROWS: dict[str, Mapping[str, Any]] = {
    "ann": {"author": {"name": "Ann", "first.name": "A"}, "acl": [{"group": "g1", "w": True}]},
    "bob": {"author": {"name": "Bob"}, "acl": [{"group": "g1"}, {"group": "g2", "w": True}]},
    "dot": {"author.name": "Dot", "acl": [], "year": 2003},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusStore]:
    """Three rows on Milvus Lite."""
    path: Path = tmp_path_factory.mktemp("nested") / "store.db"
    with MilvusStore(path, sparse=None, dim=2) as store:
        vector = np.ones(2, np.float32)
        store.add(
            Record(id=row, text=f"text of {row}", metadata=metadata, dense=vector)
            for row, metadata in ROWS.items()
        )
        yield store


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        ({"$.author.name": "Ann"}, ["ann"]),
        ({"$.author['first.name']": "A"}, ["ann"]),
        ({"author.name": "Dot"}, ["dot"]),
        ({"$.acl[*].group": "g1"}, ["ann", "bob"]),
        ({"acl": {"$elemMatch": {"group": "g1", "w": True}}}, ["ann"]),
        ({"$not": [{"$.acl[*].group": "g2"}, {"author.name": "Dot"}]}, ["ann"]),
        (F("acl").has(F("w") == True), ["ann", "bob"]),  # noqa: E712
        ({"$.author.name": {"$ilike": "a%"}}, ["ann"]),
        ({"year": {"$between": [2000, 2003]}}, ["dot"]),
        ({"$text": {"$contains": "of bob"}}, ["bob"]),
        (TEXT.contains("of bob"), ["bob"]),
    ],
)
def test_what_each_filter_selects(store: MilvusStore, given: FilterLike, rows: list[str]) -> None:
    """The same in a search, a count and a reading."""
    assert sorted(record.id or "" for record in store.get(filter=given)) == rows
    assert store.count(given) == len(rows)
    hits = store.search(vector=np.ones(2, np.float32), filter=given, k=3)
    assert sorted(hit.id for hit in hits) == rows


def test_a_key_with_dots_that_only_a_path_leads_to_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Finding nothing is right for the key as it stands, so it is a warning, and given once."""
    with MilvusStore(tmp_path / "store.db", sparse=None, dim=2) as store:
        vector = np.ones(2, np.float32)
        store.add([Record(id="ann", metadata=ROWS["ann"], dense=vector)])
        assert store.search(vector=vector, filter={"author.name": "Ann"}) == []
        assert store.count({"author.name": "Ann"}) == 0
        [message] = [
            record.getMessage() for record in caplog.records if "author" in record.msg % record.args
        ]
        assert "rows have $.author.name" in message
        assert "F('author', 'name')" in message
        caplog.clear()
        assert store.delete(filter={"author.email": "Ann"}) == 0
        assert store.get(filter={"no.such": 1}) == []
        assert not caplog.records
