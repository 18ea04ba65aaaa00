"""The rows that Milvus Lite selects, the residual applied, are the rows that `match` selects."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    And,
    Compiled,
    F,
    Filter,
    Not,
    Or,
    compile_filter,
    match,
)
from hybridge.filters.tree import MAX_DEPTH
from hybridge.filters.values import Scalar
from hybridge.records import Record
from support.examples import examples
from support.filter_collection import COLUMNS, Collection
from support.filter_strategies import COMPILED_OPERATORS, PROMOTED, ROW_IDS, random_records, trees

seeds = st.integers(0, 2**32)
ten_trees = st.lists(trees, min_size=10, max_size=10)
relaxed = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def assert_same_rows(collection: Collection, seed: int, filters: list[Filter]) -> None:
    """Compare engine and meaning for every filter over random rows, half of them flushed."""
    records = random_records(seed, count=len(ROW_IDS))
    collection.replace(records)
    for tree in filters:
        assert collection.select(tree) == {record.id for record in records if match(tree, record)}


@given(seed=seeds, filters=ten_trees)
@settings(relaxed, max_examples=examples(10))
def test_engine_selects_what_match_selects(
    collection: Collection, seed: int, filters: list[Filter]
) -> None:
    """100 random filters over random rows select the same in the engine and in `match`."""
    assert_same_rows(collection, seed, filters)


@pytest.mark.long
@given(seed=seeds, filters=ten_trees)
@settings(relaxed, max_examples=examples(150))
def test_engine_selects_what_match_selects_long(
    collection: Collection, seed: int, filters: list[Filter]
) -> None:
    """1,500 random filters over random rows select the same in the engine and in `match`."""
    assert_same_rows(collection, seed, filters)


@pytest.mark.parametrize("key", PROMOTED)
def test_every_operator_of_every_column_and_its_negation(collection: Collection, key: str) -> None:
    """Each promoted column answers each operator, plain and negated, as `match` does."""
    field = F(key)
    probes: list[Scalar] = ["", "a", 0, 1, -0.0, 5.5, 2020, 2**70, True, False, None]
    lists = [field.isin([]), field.not_in([]), field.isin(probes), field.not_in(probes)]
    plain: list[Filter] = [*lists, field.exists(), field.is_empty(), field == [1]]
    for operator in COMPILED_OPERATORS[:6]:
        plain += [field.compare(operator, probe) for probe in probes]
    assert_same_rows(collection, 7, plain + [Not(tree) for tree in plain])


def test_deepest_tree_is_answered(collection: Collection) -> None:
    """A tree of the greatest depth, all of it compiled, does not overflow the engine's parser."""
    tree: Filter = F("year") != 2020
    for level in range(MAX_DEPTH - 1):
        tree = (Or if level % 2 else And)([tree, F("year") != level])
    assert tree.depth == MAX_DEPTH
    assert compile_filter(tree, COLUMNS).residual is None
    assert_same_rows(collection, 1, [tree])


def test_ten_thousand_values_are_answered(collection: Collection) -> None:
    """Long lists and wide groups are answered."""
    wide = Or([F("year") == value for value in range(1000)])
    assert_same_rows(collection, 2, [F("year").isin(range(10_000)), wide, ~wide])


def test_no_filter_selects_every_row(collection: Collection) -> None:
    """None, empty groups and what holds for every row select all rows."""
    collection.replace(records := random_records(3, count=10))
    for tree in (None, And([]), Not(Or([])), F("year").not_in([]), F("source") != None):  # noqa: E711
        assert compile_filter(tree, COLUMNS) == Compiled("")
        assert collection.select(tree) == {record.id for record in records}


def test_impossible_filters_select_nothing(collection: Collection) -> None:
    """What no row can satisfy is an expression that the engine accepts and that selects nothing."""
    collection.replace(random_records(3, count=10))
    for tree in (ROW_ID.isin([]), ROW_ID == 1, F("year") == "a", F("draft") == 2):
        compiled = compile_filter(tree, COLUMNS)
        assert compiled == Compiled("id in []")
        assert collection.query(compiled.expression) == []


def test_columns_answer_alone(collection: Collection) -> None:
    """Columns, row ids and document ids are answered by the engine, missing values included."""
    collection.replace(
        [Record(id="x", document_id="d", metadata={"year": 3}), Record(id="y"), Record(id="z")]
    )
    tree = (F("year") != 3.0) & ~(DOCUMENT_ID == "d") & ROW_ID.not_in(["z"])
    compiled = compile_filter(tree, COLUMNS)
    assert compiled.residual is None
    assert collection.ids(compiled.expression) == ["y"]
