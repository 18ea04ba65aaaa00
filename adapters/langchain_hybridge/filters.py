"""LangChain's structured queries as Hybridge's filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from langchain_core.structured_query import (
    Comparator,
    Comparison,
    FilterDirective,
    Operation,
    Operator,
    StructuredQuery,
    Visitor,
)

from hybridge.filters import LIST_OPERATORS, And, Filter, Not, Or, compare_named
from hybridge.filters import Operator as FilterOperator
from hybridge.narrowing import is_mapping
from hybridge.store import FilterLike

LangChainFilter: TypeAlias = FilterLike | FilterDirective | StructuredQuery
"""What `filter=` can be: a tree, its `$` spelling, or a part of a structured query."""

_OPERATORS: Mapping[Comparator, FilterOperator] = {
    Comparator.EQ: "eq",
    Comparator.NE: "ne",
    Comparator.GT: "gt",
    Comparator.GTE: "gte",
    Comparator.LT: "lt",
    Comparator.LTE: "lte",
    Comparator.CONTAIN: "contains",
    Comparator.LIKE: "like",
    Comparator.IN: "in",
    Comparator.NIN: "nin",
}


class MilvusTranslator(Visitor):
    """Translates structured queries for `MilvusVectorStore`, as `SelfQueryRetriever` asks.

    Every comparator and operator is there; `hybridge.filters.match` says what each means. An
    attribute is a metadata key, or a path such as `$.author.name`: `hybridge.filters.names`. `like`
    takes SQL's `%` and `_`. `not` of several arguments holds where none of them does. Dates are
    compared as the ISO strings that they are written in.
    """

    allowed_comparators = tuple(Comparator)
    allowed_operators = tuple(Operator)

    def visit_operation(self, operation: Operation) -> Filter:
        """Return the filter of an `and`, `or` or `not`."""
        arguments: list[Filter] = [argument.accept(self) for argument in operation.arguments]
        if operation.operator is Operator.AND:
            return And(arguments)
        if operation.operator is Operator.OR:
            return Or(arguments)
        return Not(Or(arguments))

    def visit_comparison(self, comparison: Comparison) -> Filter:
        """Return the filter of a comparison.

        Raises:
            FilterError: If the value does not suit the comparator.
        """
        operator, value = _OPERATORS[comparison.comparator], _plain(comparison.value)
        if operator in LIST_OPERATORS and not isinstance(value, (list, tuple, set)):
            value = [value]
        return compare_named(comparison.attribute, operator, value)

    def visit_structured_query(
        self, structured_query: StructuredQuery
    ) -> tuple[str, dict[str, Any]]:
        """Return the text to search for, and the arguments of the search."""
        if structured_query.filter is None:
            return structured_query.query, {}
        return structured_query.query, {"filter": structured_query.filter.accept(self)}


def make_filter(filter: LangChainFilter) -> FilterLike:
    """Return what a Hybridge store takes as a filter."""
    if isinstance(filter, StructuredQuery):
        filter = filter.filter
    if isinstance(filter, FilterDirective):
        tree: Filter = filter.accept(MilvusTranslator())
        return tree
    return filter


def _plain(value: Any) -> Any:
    """Return the string of a date, which LangChain's query parser wraps in a dictionary."""
    if is_mapping(value) and value.get("type") in ("date", "datetime"):
        return value[value["type"]]
    return value
