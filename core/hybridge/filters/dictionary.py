"""The `$` spelling of a filter: `{"source": "a", "year": {"$gte": 2020}, "$or": [{…}, {…}]}`.

- Entries of a mapping are and-ed. `{}` is no filter.
- `"key": value` means equality with a string, a number or a boolean.
- `"key": {"$gte": 2020, "$lt": 2025}` applies operators; `"$not": {…}` among them negates some.
- `"$and"` and `"$or"` take a list of filters, `"$not"` takes one, or several of which none holds.
- `"$between": [2020, 2025]` includes both; `"$exists"` and `"$is_empty"` take true or false.
- `"$elemMatch": {…}` takes a filter of the mappings in a list.

Keys are literal, dots included; `"$.author.name"` is a path: see `hybridge.filters.names`.

What other libraries read in several ways is refused rather than guessed: a bare list (equality, or
one of?), a bare None (equality, or missing?), and a bare mapping (equality, or a nested path?). The
error names the spellings to choose from, as it does for other libraries' operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from hybridge.arguments import shown
from hybridge.errors import FilterError
from hybridge.filters.names import ROW_KEYS, in_lists, parse_name, path_name
from hybridge.filters.operators import BARE_OPERATORS, OPERATORS, Operator
from hybridge.filters.tree import MAX_DEPTH, And, Comparison, Field, Filter, Key, Not, Or
from hybridge.filters.values import Value
from hybridge.narrowing import MAPPING, is_list, is_mapping, is_set, is_tuple

_OPERATORS: Mapping[str, Operator] = {f"${operator}": operator for operator in OPERATORS}
_GROUPS: Mapping[str, type[And | Or]] = {"$and": And, "$or": Or}
_ELSEWHERE: Mapping[str, str] = {
    "$regex": "$like, whose % is any text and _ one character",
    "$startswith": "{'$like': 'text%'}",
    "$endswith": "{'$like': '%text'}",
    "$contains_any": "$any",
    "$containsany": "$any",
    "$containsall": "$all",
    "$not_contains": "{'$not': {'$contains': …}}",
    "$not_in": "$nin",
    "$notin": "$nin",
    "$nlike": "{'$not': {'$like': …}}",
    "$match": "$text_match",
    "$null": "{'$exists': False}",
    "$nor": "{'$not': […]}",
    "$elem_match": "$elemMatch",
    "$must": "$and",
    "$should": "$or",
    "$must_not": "$not",
}
"""What is written here for other libraries' operators."""

_GROUPS_ELSEWHERE: Mapping[str, str] = {
    "and": "$and", "must": "$and", "or": "$or", "should": "$or", "not": "$not", "must_not": "$not",
}  # fmt: skip
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
        return _none_of(value, depth)
    if key.startswith("$") and not (key in ROW_KEYS or key.startswith(("$.", "$["))):
        known = ", ".join([*_GROUPS, "$not", *ROW_KEYS])
        msg = f"unknown {shown(key)} beside the keys{_meant(key)}; there are {known}, $.path.to.key"
        raise FilterError(msg)
    _check_group(key, value)
    keys = parse_name(key)
    tree = _conditions(keys[-1], key, value, depth)
    return None if tree is None else in_lists(keys, tree)


def _check_group(key: str, value: object) -> None:
    """Refuse the word of a group without its `$`."""
    meant = _GROUPS_ELSEWHERE.get(key.lower())
    members: list[Any] = value if is_list(value) else [value]
    is_group = members and all(map(is_mapping, members))
    if meant and is_group and (value is members or not any(map(_is_operator, members[0]))):
        msg = f"{shown(key)} is a metadata key here: write {meant!r} for the group"
        raise FilterError(msg)


def _meant(name: str) -> str:
    """Return what to write for an operator of another library or spelling, as far as it is known.

    An operator without its `$` is one of ours.
    """
    operator = f"${name.lower().removeprefix('$')}"
    meant = operator if operator in _OPERATORS else _ELSEWHERE.get(operator)
    return "" if meant is None else f" (write {meant})"


def _members(key: str, value: object) -> list[object] | tuple[object, ...]:
    if is_list(value) or is_tuple(value):
        return value
    msg = f"{key} takes a list of filters, got {shown(value)}"
    raise FilterError(msg)


def _none_of(value: object, depth: int) -> Filter | None:
    if not is_list(value):
        return _negated(_as_filter(value, depth))
    return _negated(Or(_as_filter(member, depth) for member in value))


def _negated(tree: Filter | None) -> Filter | None:
    return None if tree is None or tree.empty else Not(tree)


def _conditions(path: Key, key: str, value: Any, depth: int) -> Filter | None:
    """Read what stands under a metadata key or one of the row's own."""
    if not isinstance(value, MAPPING):
        return _equality(path, key, value)
    if not value or not all(_is_operator(name) for name in value):
        raise FilterError(_unclear(path, key, value))
    if depth > MAX_DEPTH:
        raise FilterError(_TOO_DEEP)
    return _all_of(_condition(path, key, name, one, depth) for name, one in value.items())


def _unclear(path: Key, key: str, value: Mapping[object, object]) -> str:
    names = (name for name in value if isinstance(name, str) and not _is_operator(name))
    inner = next(names, "inner key")
    nested = path_name([*path, inner]) if isinstance(path, tuple) else ""
    return (
        f"what does {shown(key)}: {shown(value)} mean? Write operators such as {{'$gte': 2020}} "
        f"under {shown(key)}{_meant(inner)}, or {{{nested!r}: …}} for a value in a nested mapping"
    )


def _is_operator(name: object) -> bool:
    return isinstance(name, str) and name.startswith("$")


def _equality(path: Key, key: str, value: object) -> Filter:
    if value is None:
        msg = f"does {shown(key)}: None mean missing? Write {{'$exists': False}} or {{'$eq': None}}"
        raise FilterError(msg)
    if is_list(value) or is_tuple(value) or is_set(value):
        msg = (
            f"does {shown(key)}: {shown(value)} mean one of these? Write {{'$in': […]}} or "
            "{'$eq': […]}"
        )
        raise FilterError(msg)
    return Comparison(path, "eq", cast("Value", value))


def _condition(path: Key, key: str, name: str, operand: object, depth: int) -> Filter | None:
    if name == "$not":
        return _negated(_conditions(path, key, operand, depth + 1))
    if name == "$between":
        return _between(Field(path), key, operand)
    if name == "$elemMatch":
        inner = _as_filter(operand, depth)
        return Field(path).has(And([]) if inner is None else inner)
    operator = _OPERATORS.get(name)
    if operator is None:
        msg = (
            f"unknown operator {shown(name)} under {shown(key)}{_meant(name)}; there are $not, "
            f"$between, $elemMatch, {', '.join(_OPERATORS)}"
        )
        raise FilterError(msg)
    if operator in BARE_OPERATORS:
        return _flag(Comparison(path, operator), name, operand)
    return Comparison(path, operator, cast("Value", operand))


def _between(field: Field, key: str, bounds: object) -> Filter:
    if not (is_list(bounds) or is_tuple(bounds)) or len(bounds) != 2:
        msg = f"$between under {shown(key)} takes [lowest, highest], got {shown(bounds)}"
        raise FilterError(msg)
    return field.between(bounds[0], bounds[1])


def _flag(test: Filter, name: str, wanted: object) -> Filter:
    if not isinstance(wanted, bool):
        msg = f"{name} takes True or False, got {shown(wanted)}"
        raise FilterError(msg)
    return test if wanted else Not(test)
