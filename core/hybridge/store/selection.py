"""From a filter to expressions that the engine answers exactly.

What the engine can answer exactly and fast is compiled. For the rest the store reads ids and
metadata of the candidates, evaluates the meaning in Python, and selects by id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hybridge.errors import FilterError, InvalidInputError
from hybridge.filters import (
    Column,
    Compiled,
    Filter,
    as_filter,
    compile_filter,
    ids_expression,
    match,
)
from hybridge.store.collection import IDS_PER_CALL, Collection
from hybridge.store.layouts import Layout, column
from hybridge.store.scan import scan

FilterLike = Filter | Mapping[str, Any] | None


def check(filter: FilterLike, expr: str | None) -> None:
    """Refuse what cannot be a filter, before anything is sent.

    Raises:
        InvalidInputError: If it is none.
    """
    as_filter(filter)
    if expr is not None and not isinstance(expr, str):
        msg = f"expr is a {type(expr).__name__}: give a Milvus expression as a string"
        raise InvalidInputError(msg)
    if not _is_closed(expr or ""):
        msg = f"expr={expr!r:.200}: its quotes or parentheses do not match"
        raise FilterError(msg)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)


def _is_closed(expression: str) -> bool:
    """Whether an expression stays inside the parentheses that it is put in, beside a filter."""
    depth = 0
    for character in _STRING.sub("", expression):
        if character in "\"'":
            return False
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def select(
    collection: Collection, layout: Layout, filter: FilterLike, expr: str | None = None
) -> list[str]:
    """Return expressions that together select just the rows wanted, no row twice.

    Args:
        collection: The collection.
        layout: What it holds.
        filter: A filter tree, its dictionary spelling, or None.
        expr: A raw Milvus expression that must hold as well.

    Returns:
        `[""]` for all rows, `[]` for none, else one expression, or one per 10,000 ids.
    """
    compiled = _compiled(layout, filter, expr)
    if compiled.residual is None:
        return [compiled.expression]
    ids = _evaluate(collection, compiled)
    return [
        ids_expression(ids[start : start + IDS_PER_CALL])
        for start in range(0, len(ids), IDS_PER_CALL)
    ]


def select_ids(
    collection: Collection, layout: Layout, filter: FilterLike, expr: str | None = None
) -> list[str]:
    """Return the ids of the rows wanted; see `select`."""
    return _evaluate(collection, _compiled(layout, filter, expr))


def _compiled(layout: Layout, filter: FilterLike, expr: str | None) -> Compiled:
    columns = {key: Column(column(key), kind) for key, kind in layout.columns.items()}
    compiled = compile_filter(as_filter(filter), columns)
    return replace(compiled, expression=conjunction(compiled.expression, expr))


def _evaluate(collection: Collection, compiled: Compiled) -> list[str]:
    if compiled.residual is None:
        return [row["id"] for rows in collection.select(compiled.expression, []) for row in rows]
    candidates = scan(collection, compiled.expression)
    return [str(record.id) for record in candidates if match(compiled.residual, record)]


def conjunction(*expressions: str | None) -> str:
    """Return the expressions and-ed, leaving out those that say nothing."""
    parts = [part for part in expressions if part and part.strip()]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)
