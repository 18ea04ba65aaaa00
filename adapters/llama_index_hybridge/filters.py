"""LlamaIndex's `MetadataFilters` as Hybridge's filter tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

from hybridge.arguments import parse_items, shown
from hybridge.errors import FilterError
from hybridge.filters import (
    DOCUMENT_ID,
    ROW_ID,
    And,
    Filter,
    Not,
    Operator,
    Or,
    compare_named,
    fit_value,
)
from hybridge.texts import parse_texts

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

_OPERATORS: dict[FilterOperator, Operator] = {
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
    FilterOperator.CONTAINS: "contains",
    FilterOperator.TEXT_MATCH: "text_match",
    FilterOperator.TEXT_MATCH_INSENSITIVE: "text_match_insensitive",
    FilterOperator.IS_EMPTY: "is_empty",
}

_CONDITIONS: dict[FilterCondition, Callable[[Sequence[Filter]], Filter]] = {
    FilterCondition.AND: And,
    FilterCondition.OR: Or,
    FilterCondition.NOT: lambda members: Not(Or(members)),
}


def make_filter(
    filters: MetadataFilters | None = None,
    node_ids: Sequence[str] | None = None,
    doc_ids: Sequence[str] | None = None,
    columns: Mapping[str, type] | None = None,
) -> Filter | None:
    """Return the tree that selects what all three arguments select; None if nothing is left out.

    Keys are metadata keys, taken literally: `MetadataFilter(key="doc_id", ...)` is the metadata key
    "doc_id". What starts with `$` is something else, such as the path `$.author.name`; see
    `hybridge.filters.names`. NOT selects what matches none of its members.

    Args:
        filters: What the metadata must match.
        node_ids: The nodes that may be found; None for all.
        doc_ids: The source documents whose nodes may be found; likewise.
        columns: The metadata keys that are typed columns: a language model writes "2000" for 2000,
            and one value where a list is due.

    Raises:
        FilterError: If `filters` are none, or a value does not suit its operator.
        InvalidInputError: If an id is no string.
    """
    tree = And(
        [
            None if filters is None else _group(filters, columns or {}),
            None if node_ids is None else ROW_ID.isin(parse_texts(node_ids, "node_ids")),
            None if doc_ids is None else DOCUMENT_ID.isin(parse_texts(doc_ids, "doc_ids")),
        ]
    )
    return None if tree.empty else tree


def _group(filters: object, columns: Mapping[str, type]) -> Filter:
    if not isinstance(filters, MetadataFilters):
        msg = f"filters is {shown(filters)}: give MetadataFilters"
        raise FilterError(msg)
    join = _meant(filters.condition or FilterCondition.AND, _CONDITIONS, "condition")
    members: list[object] = parse_items(filters.filters, object, "filters")
    return join(
        [
            _group(one, columns) if isinstance(one, MetadataFilters) else _comparison(one, columns)
            for one in members
        ]
    )


def _comparison(one: object, columns: Mapping[str, type]) -> Filter:
    if not isinstance(one, MetadataFilter):
        msg = f"{shown(one)} is among the filters: give MetadataFilter or MetadataFilters"
        raise FilterError(msg)
    operator = _meant(one.operator, _OPERATORS, "operator")
    # What pydantic has not checked may lack anything.
    key, value = getattr(one, "key", None), getattr(one, "value", None)
    if operator == "is_empty":
        value = None
    elif isinstance(key, str) and key in columns:
        value = fit_value(value, operator, columns[key], key)
    return compare_named(key, operator, value)


def _meant(given: object, table: Mapping[E, T], what: str) -> T:
    """Return what a member of an enumeration, or its value, stands for here.

    Raises:
        FilterError: If it stands for nothing.
    """
    for member, meaning in table.items():
        if isinstance(given, str) and given == member.value:
            return meaning
    msg = f"{what}={shown(given)}: choose one of {', '.join(member.value for member in table)}"
    raise FilterError(msg)
