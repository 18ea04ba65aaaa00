r"""A metadata key without a column, as a JSON path that a Milvus server evaluates.

What is written holds for every row that a comparison selects, and perhaps for others: `match`
decides. It is a superset by construction:

- **Missing values.** Only comparisons that no missing value satisfies are written. What servers say
  of a path that is not there, in `!=`, `not in` and `not`, differs between versions, as does what
  `exists` says of an empty list or mapping: none of these is sent.
- **Numbers** are written as floats, which a server compares with any number, rounded. Rounding
  keeps the order but may make one of two numbers: beyond 2⁵³ an order includes its bound.
- **Booleans** are numbers to Python and not to a server, so they are named beside them.
- **Strings and keys** beyond the basic plane are not sent: servers have read Han ones wrongly.
- **Keys** are taken as they are written, without escapes, and compared with the bytes of the stored
  JSON. A key that looks otherwise there, or that `[`, `]`, `/` or `~` would cut, is not sent.
- **`contains`** of a string may mean an element, a part, or the key of a mapping, which no test
  finds where its value is empty: only numbers are sent.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from hybridge.filters.operators import Operator
from hybridge.filters.quoting import quote
from hybridge.filters.tree import Comparison, RowKey
from hybridge.narrowing import is_tuple

COLUMN = "metadata"
"""The JSON column."""

_KEY = re.compile(r"""[^\x00-\x1f"'\\\[\]/~\U00010000-\U0010ffff]+""")
_STRING = re.compile(r"[^\U00010000-\U0010ffff]*")
_PREFIX = re.compile(r"[^%_\\\U00010000-\U0010ffff]*")
_EXACT = 2**53
_LARGEST = sys.float_info.max
_Write = Callable[[str, Any], str]


def superset(comparison: Comparison) -> str:
    """Return what holds for every row with a value that satisfies the operator; "" is all rows.

    `ne`, `nin` and `is_empty` stand for their opposites: a missing value satisfies the plain ones.
    """
    key, write = comparison.key, _WRITERS.get(comparison.operator)
    if write is None or isinstance(key, RowKey) or not all(map(_KEY.fullmatch, key)):
        return ""
    return write(COLUMN + "".join(f"[{quote(part)}]" for part in key), comparison.value)


def _one_of(path: str, values: tuple[Any, ...]) -> str:
    """Return that the value is one of these; a list among them is not sent."""
    strings = [value for value in values if isinstance(value, str)]
    if any(isinstance(value, tuple) for value in values) or not all(
        map(_STRING.fullmatch, strings)
    ):
        return ""
    numbers = [number for value in values for number in _floats(value)]
    tests = [_is_in(path, dict.fromkeys(some)) for some in (map(quote, strings), numbers)]
    return _joined("or", filter(None, [*tests, *(_is(path, one) for one in _booleans(values))]))


def _is_in(path: str, literals: Collection[str]) -> str:
    if len(literals) > 1:
        return f"{path} in [{', '.join(literals)}]"
    return "".join(f"{path} == {literal}" for literal in literals)


def _is(path: str, boolean: bool) -> str:
    return f"{path} == {str(boolean).lower()}"


def _booleans(values: tuple[Any, ...]) -> list[bool]:
    return [one for one in (False, True) if one in values]


def _floats(value: Any) -> list[str]:
    """Return the literals of the floats that equal a value; both zeros do where one does."""
    if value is None or isinstance(value, str) or abs(value) > _LARGEST:
        return []
    return [repr(float(value))] if value else ["0.0", "-0.0"]


def _ordered(sign: str, holds: Callable[[Any, Any], bool]) -> _Write:
    def write(path: str, value: Any) -> str:
        if isinstance(value, str):
            return f"{path} {sign} {quote(value)}" if _STRING.fullmatch(value) else ""
        if value is None or isinstance(value, tuple):
            return ""
        number = float(max(-_LARGEST, min(_LARGEST, value)))
        shown = sign if abs(value) < _EXACT else f"{sign[0]}="
        booleans = [_is(path, one) for one in (False, True) if holds(one, value)]
        return _joined("or", [f"{path} {shown} {number!r}", *booleans])

    return write


def _like(path: str, pattern: str) -> str:
    """Return that the value starts as the pattern does, or is a string at all."""
    prefix = _PREFIX.match(pattern)
    return f"{path} like {quote(prefix[0] + '%')}" if prefix and prefix[0] else _is_string(path)


def _is_string(path: str, _: Any = None) -> str:
    return f'{path} >= ""'


def _contains(path: str, value: Any) -> str:
    literals = [] if is_tuple(value) else _floats(value)
    booleans = [str(one).lower() for one in _booleans((value,))]
    return _joined("or", (f"json_contains({path}, {one})" for one in literals + booleans))


def _contains_any(path: str, values: tuple[Any, ...]) -> str:
    tests = [_contains(path, value) for value in values]
    return _joined("or", tests) if all(tests) else ""


def _contains_all(path: str, values: tuple[Any, ...]) -> str:
    return _joined("and", filter(None, (_contains(path, value) for value in values)))


def _joined(word: str, tests: Iterable[str]) -> str:
    parts = list(tests)
    return f"({f' {word} '.join(parts)})" if len(parts) > 1 else "".join(parts)


def _equal(path: str, value: Any) -> str:
    return _one_of(path, (value,))


_WRITERS: Mapping[Operator, _Write] = {
    "eq": _equal, "ne": _equal, "in": _one_of, "nin": _one_of,
    "gt": _ordered(">", gt), "gte": _ordered(">=", ge),
    "lt": _ordered("<", lt), "lte": _ordered("<=", le),
    "contains": _contains, "any": _contains_any, "all": _contains_all,
    "like": _like, "ilike": _is_string,
    "text_match": _is_string, "text_match_insensitive": _is_string,
}  # fmt: skip
