"""The `$` spelling of a filter: `{"source": "a", "year": {"$gte": 2020}, "$or": [{…}, {…}]}`.

- Entries of a mapping are and-ed. `{}` is no filter.
- `"key": value` means equality with a string, a number or a boolean.
- `"key": {"$gte": 2020, "$lt": 2025}` applies operators; `"$not": {…}` among them negates some.
- `"$and"` and `"$or"` take a list of filters, `"$not"` takes one.
- `"$exists"` and `"$is_empty"` take true or false.
- `"$id"`, `"$document_id"` and `"$text"` stand for the row's own `ROW_ID`, `DOCUMENT_ID`, `TEXT`.

Keys are literal, dots included. What other libraries read in several ways is refused rather than
guessed: a bare list (equality, or one of?), a bare None (equality, or missing?), and a bare mapping
(equality, or a nested path?). The error names the spellings to choose from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.operators import BARE_OPERATORS, OPERATORS, Operator
from hybridge.filters.tree import (
    MAX_DEPTH,
    And,
    Comparison,
    Field,
    Filter,
    Key,
    Not,
    Or,
    RowKey,
)
from hybridge.filters.values import Value
from hybridge.narrowing import MAPPING, is_list, is_mapping, is_tuple

_OPERATORS: Mapping[str, Operator] = {f"${operator}": operator for operator in OPERATORS}
_GROUPS: Mapping[str, type[And | Or]] = {"$and": And, "$or": Or}
_ROW_FIELDS: Mapping[str, Field] = {f"${key.value}": Field(key) for key in RowKey}
_TOO_DEEP = f"the filter is more than {MAX_DEPTH} levels deep; flatten its groups"


def as_filter(value: Filter | Mapping[str, object] | None) -> Filter | None:
    """Return a filter in either spelling as a tree; None if it is no filter.

    Raises:
        FilterError: It is something else, or a mapping that cannot be understood.
    """
    return _as_filter(value, 0)


def from_dictionary(mapping: Mapping[str, object]) -> Filter | None:
    """Return the tree that `mapping` spells; None if it restricts nothing.

    Raises:
        FilterError: It cannot be understood, or is deeper than `MAX_DEPTH`.
    """
    if not is_mapping(mapping):
        msg = f"{shown(mapping)} is not a mapping such as {{'year': {{'$gte': 2020}}}}"
        raise FilterError(msg)
    return _entries(mapping, 0)


def _as_filter(value: Any, depth: int) -> Filter | None:
    if isinstance(value, MAPPING):
        return _entries(value, depth)
    if value is None or isinstance(value, Filter):
        return None if value is None or value.empty else value
    msg = (
        f"{shown(value)} is not a filter: give a mapping such as {{'year': {{'$gte': 2020}}}} or a "
        "tree such as F('year') >= 2020; a raw Milvus expression goes into expr="
    )
    raise FilterError(msg)


def _entries(mapping: Mapping[str, object], depth: int) -> Filter | None:
    if depth > MAX_DEPTH:
        raise FilterError(_TOO_DEEP)
    return _all_of(_entry(key, value, depth + 1) for key, value in mapping.items())


def _all_of(filters: Iterable[Filter | None]) -> Filter | None:
    members = [one for one in filters if one is not None]
    return And(members) if len(members) > 1 else next(iter(members), None)


def _entry(key: object, value: object, depth: int) -> Filter | None:
    if not isinstance(key, str):
        msg = f"the key {shown(key)} is not a string, as metadata keys are"
        raise FilterError(msg)
    if key in _GROUPS:
        group = _GROUPS[key](_as_filter(member, depth) for member in _members(key, value))
        return None if group.empty else group
    if key == "$not":
        return _negated(_as_filter(value, depth))
    if key in _ROW_FIELDS:
        return _conditions(_ROW_FIELDS[key].key, key, value, depth)
    if key.startswith("$"):
        known = ", ".join([*_GROUPS, "$not", *_ROW_FIELDS])
        msg = f"unknown {shown(key)} beside the keys; there are {known}, and {{'key': {{…}}}}"
        raise FilterError(msg)
    return _conditions((key,), key, value, depth)


def _members(key: str, value: object) -> list[object] | tuple[object, ...]:
    if is_list(value) or is_tuple(value):
        return value
    msg = f"{key} takes a list of filters, got {shown(value)}"
    raise FilterError(msg)


def _negated(tree: Filter | None) -> Filter | None:
    return None if tree is None else Not(tree)


def _conditions(path: Key, key: str, value: Any, depth: int) -> Filter | None:
    """Read what stands under a metadata key or one of the row's own."""
    if not isinstance(value, MAPPING):
        return _equality(path, key, value)
    if not value or not all(_is_operator(name) for name in value):
        msg = (
            f"what does {shown(key)}: {shown(value)} mean? Write operators such as "
            f"{{'$gte': 2020}} under {shown(key)}, or F({shown(key)}, 'inner key') == value for a "
            "value inside a nested mapping"
        )
        raise FilterError(msg)
    if depth > MAX_DEPTH:
        raise FilterError(_TOO_DEEP)
    return _all_of(_condition(path, key, name, one, depth) for name, one in value.items())


def _is_operator(name: object) -> bool:
    return isinstance(name, str) and name.startswith("$")


def _equality(path: Key, key: str, value: object) -> Filter:
    if value is None:
        msg = f"does {shown(key)}: None mean missing? Write {{'$exists': False}} or {{'$eq': None}}"
        raise FilterError(msg)
    if isinstance(value, (list, tuple, set, frozenset)):
        msg = (
            f"does {shown(key)}: {shown(value)} mean one of these? Write {{'$in': […]}} or "
            "{'$eq': […]}"
        )
        raise FilterError(msg)
    return Comparison(path, "eq", cast("Value", value))


def _condition(path: Key, key: str, name: str, operand: object, depth: int) -> Filter | None:
    if name == "$not":
        return _negated(_conditions(path, key, operand, depth + 1))
    operator = _OPERATORS.get(name)
    if operator is None:
        msg = (
            f"unknown operator {shown(name)} under {shown(key)}; there are $not, "
            f"{', '.join(_OPERATORS)}"
        )
        raise FilterError(msg)
    if operator in BARE_OPERATORS:
        return _flag(Comparison(path, operator), name, operand)
    return Comparison(path, operator, cast("Value", operand))


def _flag(test: Filter, name: str, wanted: object) -> Filter:
    if not isinstance(wanted, bool):
        msg = f"{name} takes True or False, got {shown(wanted)}"
        raise FilterError(msg)
    return test if wanted else Not(test)
