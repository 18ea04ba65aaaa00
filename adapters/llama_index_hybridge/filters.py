"""LlamaIndex's `MetadataFilters` as Hybridge's filter tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters import DOCUMENT_ID, ROW_ID, And, F, Filter, Not, Operator, Or, fit_value

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


def make_filter(
    filters: MetadataFilters | None = None,
    node_ids: Sequence[str] | None = None,
    document_ids: Sequence[str] | None = None,
    columns: Mapping[str, type] | None = None,
) -> Filter | None:
    """Return the tree that selects what all three arguments select; None if nothing is left out.

    Keys are metadata keys, taken literally: `MetadataFilter(key="doc_id", ...)` is the metadata key
    "doc_id". NOT selects what matches none of its members.

    Args:
        filters: What the metadata must match.
        node_ids: The nodes that may be found; None for all.
        document_ids: The source documents whose nodes may be found; likewise.
        columns: The metadata keys that are typed columns: a language model writes "2000" for 2000,
            and one value where a list is due.

    Raises:
        FilterError: If `filters` are none, or a value does not suit its operator.
    """
    tree = And(
        [
            None if filters is None else _group(filters, columns or {}),
            None if node_ids is None else ROW_ID.isin(node_ids),
            None if document_ids is None else DOCUMENT_ID.isin(document_ids),
        ]
    )
    return None if tree.empty else tree


def _group(filters: object, columns: Mapping[str, type]) -> Filter:
    if not isinstance(filters, MetadataFilters):
        msg = f"filters is {shown(filters)}: give MetadataFilters"
        raise FilterError(msg)
    members = [
        _group(one, columns) if isinstance(one, MetadataFilters) else _comparison(one, columns)
        for one in filters.filters
    ]
    if filters.condition is FilterCondition.OR:
        return Or(members)
    return Not(Or(members)) if filters.condition is FilterCondition.NOT else And(members)


def _comparison(one: MetadataFilter, columns: Mapping[str, type]) -> Filter:
    operator = _OPERATORS[one.operator]
    value: object = None if operator == "is_empty" else one.value
    if one.key in columns:
        value = fit_value(value, operator, columns[one.key], one.key)
    return F(one.key).compare(operator, value)
