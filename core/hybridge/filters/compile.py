r"""A filter as a Milvus expression, as far as the engine answers it exactly and fast.

`compile_filter` returns an expression that selects a superset of the matching rows and, unless
that is exact, a residual tree for `match` to evaluate over them. On Milvus Lite only columns are
compiled, the row's own and the metadata keys that have one: a JSON path costs 240 ms at 10,000 rows
there and cannot express several operators at all. On a server JSON paths narrow what is selected
(`hybridge.filters.json_paths`), and the words of a text that has an analyzer
(`hybridge.filters.words`).

What the engine would get wrong is decided here:

- **Missing values.** The engine's logic has three truth values, and whether `not in` selects NULL
  differs from one of its evaluators to the other. So negation is pushed down to the comparisons,
  which end as the complementary operator, and a NULL that matches is written out: `or … is null`.
- **Types.** `year == 5.5` matches 5 on Lite, and `flag == 1` is an error. A value is written in the
  column's own type where that is exact and else equals nothing in the column.
- **Values.** They are data: `quote` is the only way a string gets into an expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hybridge.arguments import shown
from hybridge.errors import FilterError, InvalidInputError
from hybridge.filters.json_paths import superset
from hybridge.filters.match import HOLDS_FOR_MISSING
from hybridge.filters.operators import LIST_OPERATORS, Operator
from hybridge.filters.quoting import quote
from hybridge.filters.tree import (
    And,
    Comparison,
    Filter,
    HasElement,
    Key,
    Not,
    RowKey,
    parse_filter,
)
from hybridge.filters.values import Value
from hybridge.filters.words import Words

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

ColumnType: TypeAlias = type[str] | type[int] | type[float] | type[bool]


@dataclass(frozen=True)
class Column:
    """A typed column of the collection.

    Attributes:
        name: The field's name in the collection: ASCII letters, digits and underscores.
        type: `str` (VARCHAR), `int` (INT64), `float` (DOUBLE) or `bool` (BOOL). The column holds
            only values of exactly this type.
        nullable: Whether NULL may be in it, for a missing key or None.
        decimal: Whether filters name its integers as strings, as ids are named.

    Raises:
        FilterError: The name would not stay a name in an expression, or the type is another.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    decimal: bool = False

    @property
    def any(self) -> str:
        """An expression that selects every row, of a column that holds no NULL and no ""."""
        return f"{self.name} >= {_LEAST}" if self.type is int else f'{self.name} != ""'

    def after(self, value: Value) -> str:
        """Return the expression that selects what comes after a value of the column."""
        return f"{self.name} > {self.literal(value)}"

    def literal(self, value: Value) -> str | None:
        """Return what equals a value in an expression; None if nothing in the column does."""
        if self.decimal:
            value = int(value) if isinstance(value, str) and is_decimal(value) else None
        return _literal(self.type, value)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            msg = (
                f"{shown(self.name)} cannot name a column: use ASCII letters, digits and "
                "underscores"
            )
            raise FilterError(msg)
        if not any(self.type is kind for kind in (str, int, float, bool)):
            msg = f"a column holds str, int, float or bool, not {shown(self.type)}"
            raise FilterError(msg)


@dataclass(frozen=True)
class Compiled:
    """What the engine is asked, and what is left to `match`.

    Attributes:
        expression: Selects every matching row, and perhaps others; "" selects all rows.
        residual: The filter still to be evaluated over the selected rows, or None if they are
            exactly the matching ones.
    """

    expression: str
    residual: Filter | None = None


ID_COLUMN = Column("id", str, nullable=False)

ROW_COLUMNS: Mapping[RowKey, Column] = {
    RowKey.ID: ID_COLUMN,
    RowKey.DOCUMENT_ID: Column("document_id", str),
    RowKey.TEXT: Column("text", str, nullable=False),
}
"""The columns of the row's own values in a collection of ours."""


@dataclass(frozen=True)
class _Target:
    """What a filter is compiled for: the columns by key, and what else narrows the selection."""

    columns: Mapping[Key, Column]
    json_paths: bool
    words: Words | None

    def superset(self, comparison: Comparison) -> str:
        """Return what holds for every row that a comparison selects; "" is all rows."""
        if comparison.key is RowKey.TEXT:
            return "" if self.words is None else self.words.superset(comparison)
        return superset(comparison) if self.json_paths else ""


def compile_filter(
    tree: Filter | None,
    columns: Mapping[str, Column],
    row_columns: Mapping[RowKey, Column] = ROW_COLUMNS,
    *,
    json_paths: bool = False,
    words: Words | None = None,
) -> Compiled:
    """Compile `tree` for a collection.

    Args:
        tree: The filter; None and empty groups select every row.
        columns: The metadata keys that have a column, whose values are also in the column.
        row_columns: The row's own values that have a column; the others are left to `match`.
        json_paths: Whether other metadata keys narrow what is selected, as paths into the column
            "metadata"; they are left to `match` all the same.
        words: Where the words of the text are looked up, which narrows what is selected as well.

    Raises:
        FilterError: `tree` is not a filter.
    """
    if not isinstance(tree, Comparison):
        tree = parse_filter(tree)
    if tree is None:
        return Compiled("")
    by_key: dict[Key, Column] = {(key,): column for key, column in columns.items()}
    for key, column in row_columns.items():
        by_key[key] = column
    return _compile(tree, _Target(by_key, json_paths, words), wanted=True)


def ids_expression(ids: Iterable[str], column: Column = ID_COLUMN) -> str:
    """Return the expression that selects the rows with one of `ids`; nothing for no ids.

    Where ids are integers, those that are none select nothing.

    Raises:
        InvalidInputError: `ids` is not a list of strings.
    """
    try:
        listed = None if isinstance(ids, str) else list(ids)
    except TypeError:
        listed = None
    if listed is None:
        msg = f"ids is {shown(ids)}: give a list of strings"
        raise InvalidInputError(msg)
    quoted = quote if column.type is str else column.literal
    literals = dict.fromkeys(literal for one in listed if (literal := quoted(one)) is not None)
    return f"{column.name} in [{', '.join(literals)}]"


def conjunction(*expressions: str | None) -> str:
    """Return the expressions and-ed, leaving out those that say nothing."""
    parts = [part for part in expressions if part and part.strip()]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)


def _compile(tree: Filter, target: _Target, *, wanted: bool) -> Compiled:
    """Compile `tree` or, if it is not `wanted`, its negation, so that no `not` is ever sent."""
    if isinstance(tree, Not):
        return _compile(tree.filter, target, wanted=not wanted)
    if isinstance(tree, HasElement):
        return _left_over("", tree, wanted)
    if isinstance(tree, Comparison):
        expression = _comparison(tree, target.columns, wanted)
        if expression is not None:
            return Compiled(expression)
        missing = (tree.operator in HOLDS_FOR_MISSING) is wanted
        return _left_over("" if missing else target.superset(tree), tree, wanted)
    parts = [_compile(member, target, wanted=wanted) for member in tree.filters]
    if isinstance(tree, And) is wanted:
        return _all_of(parts)
    if any(part == Compiled("") for part in parts):
        return Compiled("")
    expression = _joined(" or ", parts) if all(part.expression for part in parts) else ""
    exact = all(part.residual is None for part in parts)
    return Compiled(expression) if exact else _left_over(expression, tree, wanted)


def _all_of(parts: list[Compiled]) -> Compiled:
    residuals = [part.residual for part in parts if part.residual is not None]
    residual = And(residuals) if len(residuals) > 1 else next(iter(residuals), None)
    return Compiled(_joined(" and ", parts), residual)


def _left_over(expression: str, tree: Filter, wanted: bool) -> Compiled:
    return Compiled(expression, tree if wanted else Not(tree))


def _joined(word: str, parts: list[Compiled]) -> str:
    expressions = [part.expression for part in parts if part.expression]
    return f"({word.join(expressions)})" if len(expressions) > 1 else "".join(expressions)


def _comparison(comparison: Comparison, columns: Mapping[Key, Column], wanted: bool) -> str | None:
    """Return an expression that is exact, NULL included, or None where there is none."""
    column = columns.get(comparison.key)
    test = None if column is None else _test(comparison, column, wanted)
    if column is None or test is None:
        return None
    null = column.nullable and (comparison.operator in HOLDS_FOR_MISSING) is wanted
    if isinstance(test, str):
        return f"({test} or {column.name} is null)" if null else test
    if column.nullable and test is not null:
        return f"{column.name} is null" if null else f"{column.name} is not null"
    return "" if test else ids_expression((), columns.get(RowKey.ID, column))


_EQUALITIES: Mapping[Operator, bool] = {
    "eq": True, "in": True, "is_empty": True, "ne": False, "nin": False,
}  # fmt: skip
_ORDERS: Mapping[Operator, tuple[str, str]] = {
    "gt": (">", "<="), "gte": (">=", "<"), "lt": ("<", ">="), "lte": ("<=", ">"),
}  # fmt: skip


def _test(comparison: Comparison, column: Column, wanted: bool) -> str | bool | None:
    """Return the test of a value that is not NULL: an expression, or what it always says.

    None means that the engine is not asked.
    """
    operator = comparison.operator
    if operator == "exists":
        return wanted
    if operator in _EQUALITIES:
        return _membership(column, _equal_values(comparison), _EQUALITIES[operator] is wanted)
    literal = column.literal(comparison.value)
    if operator not in _ORDERS or column.type is bool or column.decimal or literal is None:
        return None
    holds, fails = _ORDERS[operator]
    return f"{column.name} {holds if wanted else fails} {literal}"


def _equal_values(comparison: Comparison) -> tuple[Value, ...]:
    """Return the values that an equality is about."""
    if comparison.operator == "is_empty":
        return ("",)
    if comparison.operator in LIST_OPERATORS and isinstance(comparison.value, tuple):
        return comparison.value
    return (comparison.value,)


def _membership(column: Column, values: tuple[Value, ...], wanted: bool) -> str | bool | None:
    # Each once: Lite gives a row as often as `in` names its key.
    literals = dict.fromkeys(map(column.literal, values))
    written = [literal for literal in literals if literal is not None]
    if not written:
        return not wanted
    if len(written) > 1 and _LEAST in written:
        return None
    if len(written) == 1:
        return f"{column.name} {'==' if wanted else '!='} {written[0]}"
    if not _ZEROS.isdisjoint(written):
        written += _ZEROS.difference(written)
    return f"{column.name} {'in' if wanted else 'not in'} [{', '.join(written)}]"


_ZEROS = frozenset({"0.0", "-0.0"})
"""Lite's `in` tells them apart, unlike its `==` and Python."""


_LEAST = f"{INT64_MIN + 1} - 1"
"""The least integer: a server reads the digits without their sign, and they are one too many. In a
list Lite takes no difference."""


def is_decimal(value: str) -> bool:
    """Whether a string is an integer as `str` writes it."""
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 20 and str(int(value)) == value


def _literal(column_type: ColumnType, value: Value) -> str | None:
    """Return the literal of the column's type that equals `value`; None if nothing in it does."""
    if isinstance(value, str):
        return quote(value) if column_type is str else None
    if column_type is str or value is None or isinstance(value, tuple):
        return None
    try:
        own = column_type(value)
    except OverflowError:  # an integer beyond every float
        return None
    if own != value or (column_type is int and not INT64_MIN <= value <= INT64_MAX):
        return None
    return _LEAST if column_type is int and own == INT64_MIN else repr(own).lower()
