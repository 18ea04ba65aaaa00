"""The operators of a comparison, and the values that each takes."""

from __future__ import annotations

from typing import Literal, get_args

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.values import Value, parse_scalars, parse_value

Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "any", "all",
    "like", "ilike", "text_match", "text_match_insensitive", "is_empty", "exists",
]  # fmt: skip
OPERATORS: tuple[Operator, ...] = get_args(Operator)

LIST_OPERATORS = frozenset({"in", "nin", "any", "all"})
TEXT_OPERATORS = frozenset({"like", "ilike", "text_match", "text_match_insensitive"})
BARE_OPERATORS = frozenset({"is_empty", "exists"})


def parse_operand(operator: object, value: Value) -> Value:
    """Return `value` made plain, lists as tuples.

    Raises:
        FilterError: The operator is unknown, or the value does not suit it.
    """
    if not isinstance(operator, str) or operator not in OPERATORS:
        msg = f"unknown operator {shown(operator)}; the operators are {', '.join(OPERATORS)}"
        raise FilterError(msg)
    if operator in LIST_OPERATORS:
        return parse_scalars(value)
    if operator in BARE_OPERATORS and value is not None:
        msg = f"{operator} takes no value, got {shown(value)}; negate it with ~"
        raise FilterError(msg)
    if operator in TEXT_OPERATORS and not isinstance(value, str):
        msg = f"{operator} needs a string, got {shown(value)}"
        raise FilterError(msg)
    return parse_value(value)
