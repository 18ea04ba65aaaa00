r"""What a filter means: `match` decides for one row, in plain Python.

Every engine, framework and spelling has to select exactly the rows that `match` selects. Where
LlamaIndex's `SimpleVectorStore` gives an answer, this is the same answer; the table says what
happens elsewhere. `found` is the row's value, `value` the comparison's.

| operator | meaning | where `SimpleVectorStore` raises or has no such operator |
| --- | --- | --- |
| any | missing key and None: only ne, nin, is_empty and not-exists hold | |
| eq ne | `found == value` | |
| gt gte lt lte | Python's order of numbers, of strings, of lists | unordered types: false |
| in nin | `found in value` | a `value` that is not a list is refused |
| contains | `value in found`: an element of a list, a part of a string, a key of a mapping | found is something else: false |
| any all | contains, for some or every one of the values (for none: false, true) | as contains, each for itself |
| text_match | `value in found`, for strings | found is not a string: false |
| text_match_insensitive | the same, both in `str.lower` | found is not a string: false |
| is_empty | missing, None, "" or [] (not {}) | |
| exists | neither missing nor None | its own |
| like | the whole string fits: `%` any text, `_` one character, newlines included; `\` makes the next character literal | its own; found is not a string: false |
| ilike | the same, both in `str.lower` | as like |
| has_element | some element of the list is a mapping, and its values satisfy the filter | its own |
| and or not | plain; `not` is the exact complement, there is no third truth value | nested groups |

Equality is Python's, so `True == 1 == 1.0` and `"1" != 1`; booleans are ordered as 0 and 1. `eq None`
holds nowhere and `ne None` everywhere: ask with `exists`.
"""  # noqa: E501

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from hybridge.filters.like import fits
from hybridge.filters.operators import Operator
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
from hybridge.narrowing import MAPPING, is_list, is_mapping
from hybridge.records import Record


class Row(Protocol):
    """What `match` reads of a row; `hybridge.records.Record` and `Hit` have it."""

    @property
    def id(self) -> str | None:
        """The primary key."""
        ...

    @property
    def document_id(self) -> str | None:
        """The id of the source document."""
        ...

    @property
    def text(self) -> str:
        """The row's own text."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata, as JSON holds it: lists, not tuples."""
        ...


_RowType = TypeVar("_RowType", bound=Row)


def match(tree: Filter | None, row: Row) -> bool:
    """Say whether `tree` selects `row`; None and empty groups select every row.

    Raises:
        FilterError: `tree` is not a filter.
    """
    tree = parse_filter(tree)
    return tree is None or _selects(tree, row)


def match_all(tree: Filter | None, rows: Iterable[_RowType]) -> list[_RowType]:
    """Return the rows that `tree` selects, in order; None and empty groups select every row.

    Raises:
        FilterError: `tree` is not a filter.
    """
    if not isinstance(tree, Comparison):
        tree = parse_filter(tree)
    if tree is None:
        return list(rows)
    return [row for row in rows if _selects(tree, row)]


def _selects(tree: Filter, row: Row) -> bool:
    """Evaluate a tree that is not empty, and so has no empty group in it either."""
    if isinstance(tree, Comparison):
        return _holds(tree, _find(tree.key, row))
    if isinstance(tree, Not):
        return not _selects(tree.filter, row)
    if isinstance(tree, HasElement):
        return _has(_find(tree.key, row), tree.filter)
    if isinstance(tree, And):
        return all(_selects(member, row) for member in tree.filters)
    return any(_selects(member, row) for member in tree.filters)


def _has(found: Any, tree: Filter) -> bool:
    elements = [Record(metadata=one) for one in found if is_mapping(one)] if is_list(found) else []
    return bool(match_all(tree, elements))


def _find(key: Key, row: Row) -> Any:
    """Return the value under `key`, or None where there is none."""
    if isinstance(key, RowKey):
        return _ROW_VALUES[key](row)
    found: Any = row.metadata
    for part in key:
        if not isinstance(found, MAPPING):
            return None
        found = found.get(part)
    return found


_ROW_VALUES: Mapping[RowKey, Callable[[Row], str | None]] = {
    RowKey.ID: operator.attrgetter("id"),
    RowKey.DOCUMENT_ID: operator.attrgetter("document_id"),
    RowKey.TEXT: operator.attrgetter("text"),
}


HOLDS_FOR_MISSING: frozenset[Operator] = frozenset({"ne", "nin", "is_empty"})


def _holds(comparison: Comparison, found: Any) -> bool:
    if found is None:
        return comparison.operator in HOLDS_FOR_MISSING
    return _TESTS[comparison.operator](found, comparison)


_Test = Callable[[Any, Comparison], bool]


def _value(comparison: Comparison) -> Any:
    """Return the value as JSON has it: a tuple equals no list."""
    return list(comparison.value) if isinstance(comparison.value, tuple) else comparison.value


def _equal(found: Any, comparison: Comparison) -> bool:
    return bool(found == _value(comparison))


def _ordered(by: Callable[[Any, Any], bool]) -> _Test:
    def test(found: Any, comparison: Comparison) -> bool:
        try:
            return by(found, _value(comparison))
        except TypeError:  # Python has no order between these types
            return False

    return test


def _is_member(found: Any, comparison: Comparison) -> bool:
    try:
        return found in comparison.members
    except TypeError:  # a list or a mapping, which equals no scalar
        return False


def _contains(found: Any, value: Any) -> bool:
    try:
        return value in found
    except TypeError:  # `found` holds nothing, or nothing of this type
        return False


def _like(found: Any, comparison: Comparison) -> bool:
    return isinstance(found, str) and fits(found, str(comparison.value))


def _ilike(found: Any, comparison: Comparison) -> bool:
    return isinstance(found, str) and fits(found.lower(), str(comparison.value).lower())


def _text_match(found: Any, comparison: Comparison) -> bool:
    return isinstance(found, str) and str(comparison.value) in found


def _text_match_insensitive(found: Any, comparison: Comparison) -> bool:
    return isinstance(found, str) and str(comparison.value).lower() in found.lower()


_TESTS: Mapping[Operator, _Test] = {
    "eq": _equal,
    "ne": lambda found, comparison: not _equal(found, comparison),
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "in": _is_member,
    "nin": lambda found, comparison: not _is_member(found, comparison),
    "contains": lambda found, comparison: _contains(found, _value(comparison)),
    "any": lambda found, comparison: any(_contains(found, one) for one in _value(comparison)),
    "all": lambda found, comparison: all(_contains(found, one) for one in _value(comparison)),
    "like": _like,
    "ilike": _ilike,
    "text_match": _text_match,
    "text_match_insensitive": _text_match_insensitive,
    "is_empty": lambda found, _: found in ("", []),
    "exists": lambda found, _: True,
}
