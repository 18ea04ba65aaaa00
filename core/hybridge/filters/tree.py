"""The filter tree: comparisons joined by and, or, not; and the short spelling that builds it.

    F("year") >= 2020
    F("tags").contains("x") & ~F("author", "name").exists()
    ROW_ID.isin(["a", "b"]) | (DOCUMENT_ID == "report")

What a tree means is defined by `hybridge.filters.match`.

Keys are literal: `F("a.b")` is the metadata key "a.b", and only `F("a", "b")` goes into a nested
mapping. `F("id")` is the metadata key "id"; the row's own columns are `ROW_ID`, `DOCUMENT_ID` and
`TEXT`.

**Empty groups are no filter.** `And([])`, `Or([])` and `Not` of either select every row, and inside
another group they, like None, are dropped: `Or([And([]), F("a") == 1])` is `Or([F("a") == 1])`.

Trees are immutable, hashable, picklable, and equal when they are written alike. A tree has no truth
value: `F("a") == 1 and F("b") == 2` would quietly be its second half, so it raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NoReturn, TypeAlias, cast

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.operators import Operator, parse_operand
from hybridge.filters.values import Scalar, Value, parse_text
from hybridge.narrowing import TUPLE

MAX_DEPTH = 100
"""Levels of one tree. Milvus Lite's parser answers 120 nested groups and overflows at 140."""


class RowKey(Enum):
    """A column that every row has, whatever its metadata."""

    ID = "id"
    DOCUMENT_ID = "document_id"
    TEXT = "text"


Key: TypeAlias = "tuple[str, ...] | RowKey"
"""The path to a metadata value, or a column of the row itself."""


def _parse_key(key: object) -> Key:
    if isinstance(key, RowKey):
        return key
    parts: Any = key
    if not isinstance(parts, TUPLE) or not parts or not all(isinstance(x, str) for x in parts):
        msg = (
            f"{shown(key)} is not a key: write F('year'), F('author', 'name'), or one of the "
            "row's own, ROW_ID, DOCUMENT_ID and TEXT"
        )
        raise FilterError(msg)
    return tuple(parse_text(part, "the key") for part in parts)


class _Tree:
    """The operators `&`, `|`, `~` that every node has."""

    depth: int

    def __and__(self, other: Filter) -> And:
        return And(_operands(And, self, other))

    def __or__(self, other: Filter) -> Or:
        return Or(_operands(Or, self, other))

    # For what is not a filter on the left, so that it is refused as on the right.
    def __rand__(self, other: Filter) -> And:
        return And(_operands(And, other, self))

    def __ror__(self, other: Filter) -> Or:
        return Or(_operands(Or, other, self))

    def __invert__(self) -> Not:
        return Not(cast("Filter", self))

    def __bool__(self) -> NoReturn:
        msg = (
            "a filter is neither true nor false: join filters with & | ~ instead of and, or, not, "
            "with parentheses around each comparison, and write a < x < b as two of them"
        )
        raise FilterError(msg)


@dataclass(frozen=True)
class Comparison(_Tree):
    """One test of one value of a row; `F("year") >= 2020` is the short way to write it.

    Attributes:
        key: `F(…).key`: the path to a metadata value, or a column of the row.
        operator: One of `hybridge.filters.operators.OPERATORS`.
        value: What is compared with: a list for `in`, `nin`, `any`, `all`; a string for `like`,
            `ilike` and `text_match…`; nothing for `is_empty` and `exists`; else a JSON scalar or a
            list of them. Lists are kept as tuples.

    Raises:
        FilterError: The key, the operator or the value is none of these.
    """

    key: Key
    operator: Operator
    value: Value = None
    depth: int = field(default=1, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _parse_key(self.key))
        object.__setattr__(self, "value", parse_operand(self.operator, self.value))

    @property
    def empty(self) -> bool:
        """False: a comparison always says something."""
        return False

    @cached_property
    def members(self) -> frozenset[Scalar]:
        """The values of a list operator, for a lookup that does not grow with their number."""
        return frozenset(self.value if isinstance(self.value, tuple) else ())


@dataclass(frozen=True, init=False)
class _Group(_Tree):
    filters: tuple[Filter, ...]
    depth: int = field(repr=False, compare=False)

    def __init__(self, filters: Iterable[Filter | None]) -> None:
        try:
            given = list(filters)
        except TypeError:
            msg = f"a group takes a list of filters, not {shown(filters)}"
            raise FilterError(msg) from None
        members = tuple(member for member in map(parse_filter, given) if member is not None)
        object.__setattr__(self, "filters", members)
        object.__setattr__(self, "depth", _depth_above(*members))

    @property
    def empty(self) -> bool:
        """Whether the group has no members and so is no filter."""
        return not self.filters


class And(_Group):
    """Selects the rows that every member selects; without members, every row.

    Args:
        filters: The members. None and empty groups are dropped.

    Raises:
        FilterError: A member is not a filter, or the tree is deeper than `MAX_DEPTH`.
    """


class Or(_Group):
    """Selects the rows that some member selects; without members, every row.

    Args:
        filters: The members. None and empty groups are dropped.

    Raises:
        FilterError: A member is not a filter, or the tree is deeper than `MAX_DEPTH`.
    """


@dataclass(frozen=True)
class Not(_Tree):
    """Selects the rows that `filter` does not; every row if `filter` is an empty group.

    Raises:
        FilterError: `filter` is not a filter, or the tree is deeper than `MAX_DEPTH`.
    """

    filter: Filter
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", _depth_above(_checked(self.filter)))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to negate, so that this is no filter."""
        return self.filter.empty


@dataclass(frozen=True)
class HasElement(_Tree):
    """Selects the rows whose list has a mapping that `filter` selects; `F(…).has` is short for it.

    Attributes:
        key: The path to the list.
        filter: Selects mappings as it selects the metadata of rows; without a restriction, any.

    Raises:
        FilterError: The key is none of the metadata, `filter` is no filter or asks for the row's
            own columns, or the tree is deeper than `MAX_DEPTH`.
    """

    key: tuple[str, ...]
    filter: Filter
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(_parse_key(self.key), RowKey) or row_keys(self.filter):
            msg = "the elements of a list have keys of their own, and none of the row's columns"
            raise FilterError(msg)
        object.__setattr__(self, "depth", _depth_above(_checked(self.filter)))

    @property
    def empty(self) -> bool:
        """False: the list must have a mapping in it at least."""
        return False


Filter: TypeAlias = Comparison | And | Or | Not | HasElement


class Field:
    """A value of a row that can be compared. `F` makes one from a metadata key."""

    def __init__(self, key: Key) -> None:
        self.key = _parse_key(key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"

    def compare(self, operator: Operator, value: object = None) -> Comparison:
        """Return the comparison of this field with `value`, for callers with a table of operators.

        Raises:
            FilterError: The operator is unknown, or the value does not suit it.
        """
        return Comparison(self.key, operator, cast("Value", value))

    def __eq__(self, value: object) -> Comparison:  # type: ignore[override]
        return self.compare("eq", value)

    def __ne__(self, value: object) -> Comparison:  # type: ignore[override]
        return self.compare("ne", value)

    def __gt__(self, value: Scalar) -> Comparison:
        return self.compare("gt", value)

    def __ge__(self, value: Scalar) -> Comparison:
        return self.compare("gte", value)

    def __lt__(self, value: Scalar) -> Comparison:
        return self.compare("lt", value)

    def __le__(self, value: Scalar) -> Comparison:
        return self.compare("lte", value)

    def isin(self, values: Iterable[Scalar]) -> Comparison:
        """The value equals one of `values`."""
        return self.compare("in", values)

    def not_in(self, values: Iterable[Scalar]) -> Comparison:
        """The value equals none of `values`, or is missing."""
        return self.compare("nin", values)

    def contains(self, value: Scalar) -> Comparison:
        """The list has `value` as an element, or the string has it as a part."""
        return self.compare("contains", value)

    def any(self, values: Iterable[Scalar]) -> Comparison:
        """The list or string contains some of `values`."""
        return self.compare("any", values)

    def all(self, values: Iterable[Scalar]) -> Comparison:
        """The list or string contains every one of `values`."""
        return self.compare("all", values)

    def like(self, pattern: str) -> Comparison:
        r"""The whole string fits `pattern`: `%` is any text, `_` one character, `\` escapes."""
        return self.compare("like", pattern)

    def ilike(self, pattern: str) -> Comparison:
        """As `like`, upper and lower case being the same."""
        return self.compare("ilike", pattern)

    def between(self, low: Scalar, high: Scalar) -> And:
        """The value is at least `low` and at most `high`."""
        return (self >= low) & (self <= high)

    def has(self, filter: Filter) -> HasElement:
        """The list has a mapping that `filter` selects: `F("acl").has(F("group") == "g1")`."""
        return HasElement(cast("tuple[str, ...]", self.key), filter)

    def text_match(self, text: str) -> Comparison:
        """The string has `text` as a part."""
        return self.compare("text_match", text)

    def text_match_insensitive(self, text: str) -> Comparison:
        """The string has `text` as a part, upper and lower case being the same."""
        return self.compare("text_match_insensitive", text)

    def is_empty(self) -> Comparison:
        """The value is missing, None, an empty string or an empty list."""
        return self.compare("is_empty")

    def exists(self) -> Comparison:
        """The value is there and not None."""
        return self.compare("exists")


class F(Field):
    """The metadata value under a key; with further keys, the one inside nested mappings.

    Args:
        path: The key, then the keys inside it. They are literal: a dot is a dot.

    Raises:
        FilterError: There is no key, or one is not a string.
    """

    def __init__(self, *path: str) -> None:
        super().__init__(path)


ROW_ID = Field(RowKey.ID)
"""The row's primary key."""

DOCUMENT_ID = Field(RowKey.DOCUMENT_ID)
"""The id of the document that the row was cut from."""

TEXT = Field(RowKey.TEXT)
"""The row's own text."""


def keys_of(tree: Filter | None) -> frozenset[Key]:
    """Return what `tree` reads of a row; of lists, the keys of the lists alone.

    Raises:
        FilterError: It is not a filter.
    """
    tree = parse_filter(tree)
    if tree is None:
        return frozenset()
    if isinstance(tree, (Comparison, HasElement)):
        return frozenset([tree.key])
    members = [tree.filter] if isinstance(tree, Not) else tree.filters
    return frozenset[Key]().union(*map(keys_of, members))


def row_keys(tree: Filter | None) -> frozenset[RowKey]:
    """Return which of the row's own columns `tree` reads.

    Raises:
        FilterError: It is not a filter.
    """
    return frozenset(key for key in keys_of(tree) if isinstance(key, RowKey))


def _operands(kind: type[And | Or], *trees: _Tree | Filter) -> tuple[Filter, ...]:
    """Return `trees` with members of the same kind of group in their place, to keep chains flat."""
    operands: list[Filter] = []
    for tree in trees:
        operands += tree.filters if isinstance(tree, kind) else [cast("Filter", tree)]
    return tuple(operands)


def _depth_above(*members: Filter) -> int:
    depth = 1 + max((member.depth for member in members), default=0)
    if depth > MAX_DEPTH:
        msg = f"the filter is more than {MAX_DEPTH} levels deep; flatten its groups"
        raise FilterError(msg)
    return depth


def parse_filter(tree: object) -> Filter | None:
    """Return `tree`, and None for one that selects every row.

    What is returned has no empty group inside it either.

    Raises:
        FilterError: It is not a filter.
    """
    if tree is None:
        return None
    given = _checked(tree)
    return None if given.empty else given


def _checked(tree: object) -> Filter:
    if not isinstance(tree, Filter):
        msg = f"{shown(tree)} is not a filter; build one such as F('year') >= 2020"
        raise FilterError(msg)
    return tree
