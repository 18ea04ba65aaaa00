"""Filters on a real server: what it selects, and what the store answers, is what `match` says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from hybridge import MilvusStore
from hybridge.filters import Filter, compile_filter, match
from hybridge.records import Record
from support.filter_strategies import PROMOTED, ROW_IDS, json_trees, random_records, trees

TREES = 300 if "HYBRIDGE_TEST_FULL" in os.environ else 100

many = settings(
    max_examples=TREES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def rows() -> list[Record]:
    """Rows of every kind, under hostile ids too."""
    records = random_records(5, len(ROW_IDS))
    return [one.with_vectors({"dense": [n, 1]}) for n, one in enumerate(records)]


@pytest.fixture(scope="module")
def store(real_server: str, rows: list[Record]) -> Iterator[MilvusStore]:
    """A store of the rows, half of them flushed."""
    arguments = {"metadata_schema": PROMOTED, "sparse": None, "overwrite": True}
    with MilvusStore(real_server, collection_name="test_filters", **arguments) as store:
        store.add(rows[::2])
        store.flush()
        store.add(rows[1::2])
        yield store
        store.drop()


@many
@given(tree=trees)
def test_the_answer_is_what_matches(store: MilvusStore, rows: list[Record], tree: Filter) -> None:
    """Counted, scrolled and searched, with columns, the row's own and keys without a column."""
    matching = {row.id for row in rows if match(tree, row)}
    assert {row.id for row in store.scroll(tree)} == matching
    assert store.count(tree) == len(matching)
    assert {hit.id for hit in store.search(vector=[1, 1], k=len(rows), filter=tree)} == matching


@many
@given(tree=json_trees)
def test_json_paths_select_every_matching_row(
    store: MilvusStore, rows: list[Record], tree: Filter
) -> None:
    """What the server selects by a path into the metadata is a superset of what matches."""
    expression = compile_filter(tree, {}, {}, json_paths=True).expression
    selected = {row.id for row in store.scroll(expr=expression or None)}
    assert {row.id for row in rows if match(tree, row)} <= selected
