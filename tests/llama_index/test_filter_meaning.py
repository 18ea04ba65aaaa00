"""`match` equals LlamaIndex's `SimpleVectorStore` wherever that gives an answer."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge.filters import And, F, Filter, Or, match
from hybridge.filters.operators import LIST_OPERATORS, TEXT_OPERATORS, Operator
from hybridge.records import Record
from support.filter_strategies import OTHER_KEYS, PROMOTED, patterns, random_records, scalars, texts

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from support.examples import examples

OPERATORS: dict[FilterOperator, Operator] = {
    FilterOperator.EQ: "eq",
    FilterOperator.NE: "ne",
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
    FilterOperator.IN: "in",
    FilterOperator.NIN: "nin",
    FilterOperator.ANY: "any",
    FilterOperator.ALL: "all",
    FilterOperator.TEXT_MATCH: "text_match",
    FilterOperator.TEXT_MATCH_INSENSITIVE: "text_match_insensitive",
    FilterOperator.CONTAINS: "contains",
    FilterOperator.IS_EMPTY: "is_empty",
}

strict_scalars = scalars.filter(lambda value: not isinstance(value, bool))
strict_lists = st.one_of(
    st.lists(texts, max_size=4),
    st.lists(st.integers(-2, 2), max_size=4),
    st.lists(st.sampled_from([0.0, 1.0, 0.5]), max_size=4),
)


@st.composite
def metadata_filters(draw: st.DrawFn) -> MetadataFilter:
    """A filter with a value of a kind that the operator is meant for."""
    operator = draw(st.sampled_from(list(OPERATORS)))
    name = OPERATORS[operator]
    value = strict_scalars | strict_lists
    if name in LIST_OPERATORS:
        value = strict_lists
    elif name in TEXT_OPERATORS:
        value = patterns | texts
    key = draw(st.sampled_from([*PROMOTED, *OTHER_KEYS]))
    return MetadataFilter(key=key, operator=operator, value=draw(value))


def translate(filters: MetadataFilters) -> Filter:
    """Write the same filters as a tree."""
    comparisons = [
        F(one.key).compare(OPERATORS[one.operator], None if name == "is_empty" else one.value)
        for one in filters.filters
        if isinstance(one, MetadataFilter) and (name := OPERATORS[one.operator])
    ]
    if filters.condition is FilterCondition.NOT:
        return ~Or(comparisons)
    return (And if filters.condition is FilterCondition.AND else Or)(comparisons)


def answer(filters: MetadataFilters, row: Record) -> bool | None:
    """Return what `SimpleVectorStore` says, or None where it raises."""
    try:
        return build_metadata_filter_fn(lambda _: row.metadata, filters)("id")
    except TypeError:
        return None


def assert_same_answer(filters: MetadataFilters, seed: int) -> Counter[bool | None]:
    """Compare over random rows; count the answers that were given."""
    tree, answers = translate(filters), Counter[bool | None]()
    for row in random_records(seed, count=20):
        theirs = answer(filters, row)
        answers[theirs] += 1
        assert theirs is None or match(tree, row) is theirs
    return answers


groups = st.builds(
    MetadataFilters,
    filters=st.lists(metadata_filters(), max_size=3),
    condition=st.sampled_from(list(FilterCondition)),
)


@given(filters=groups, seed=st.integers(0, 2**32))
@settings(max_examples=examples(100), deadline=None)
def test_same_answer_as_simple_vector_store(filters: MetadataFilters, seed: int) -> None:
    """Random filters under every condition select the same random rows."""
    assert_same_answer(filters, seed)


@pytest.mark.long
@given(filters=groups, seed=st.integers(0, 2**32))
@settings(max_examples=examples(3000), deadline=None)
def test_same_answer_as_simple_vector_store_long(filters: MetadataFilters, seed: int) -> None:
    """Many more random filters select the same random rows."""
    assert_same_answer(filters, seed)


@pytest.mark.parametrize("condition", FilterCondition)
@pytest.mark.parametrize("operator", FilterOperator)
def test_every_operator_under_every_condition(
    operator: FilterOperator, condition: FilterCondition
) -> None:
    """Each operator is defined for some rows, where both agree, true and false alike."""
    value: str | list[str] = ["a", "b"] if OPERATORS[operator] in LIST_OPERATORS else "a"
    single = MetadataFilter(key="free", operator=operator, value=value)
    missing = MetadataFilter(key="source", operator=FilterOperator.IS_EMPTY, value=None)
    answers: Counter[bool | None] = Counter()
    for seed in range(60):
        for members in ([single], [single, missing]):
            filters = MetadataFilters(filters=[*members], condition=condition)
            answers += assert_same_answer(filters, seed)
    assert answers[True] > 0
    assert answers[False] > 0
