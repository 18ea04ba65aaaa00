"""From a filter to expressions that the engine answers exactly.

What the engine can answer exactly and fast is compiled. For the rest the store reads ids and
metadata of the candidates, evaluates the meaning in Python, and selects by key.

Of the 0.69 s that such a filter takes at 20,000 rows on Milvus Lite, reading takes 0.58 and
evaluating 0.1, so a scan of a whole collection is kept until the next write (650 bytes a row): only
where every write passes through this process, and for up to `MOST_ROWS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hybridge.arguments import shown
from hybridge.errors import FilterError, InvalidInputError
from hybridge.filters import (
    TEXT,
    Column,
    Comparison,
    Compiled,
    Filter,
    Not,
    compile_filter,
    ids_expression,
    match_all,
)
from hybridge.records import Record
from hybridge.store.engine.collection import IDS_PER_CALL, Collection
from hybridge.store.engine.shared import Scan
from hybridge.store.layout import Layout
from hybridge.store.rows import column, scanned_columns

FilterLike = Filter | Mapping[str, Any] | None

MOST_ROWS = 50_000
"""Rows up to which a scan is kept."""


def check_expression(expr: object) -> None:
    """Refuse what cannot be a raw Milvus expression, before anything is sent.

    Raises:
        InvalidInputError: If it is none.
    """
    if expr is not None and not isinstance(expr, str):
        msg = f"expr is a {type(expr).__name__}: give a Milvus expression as a string"
        raise InvalidInputError(msg)
    if not _is_closed(expr or ""):
        msg = f"expr={shown(expr)}: its quotes or parentheses do not match"
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
    collection: Collection, layout: Layout, tree: Filter | None, expr: str | None = None
) -> list[str]:
    """Return expressions that together select just the rows wanted, no row twice.

    Args:
        collection: The collection.
        layout: What it holds.
        tree: The filter.
        expr: A raw Milvus expression that must hold as well.

    Returns:
        `[""]` for all rows, `[]` for none, else one expression, or one per 10,000 ids.
    """
    compiled = _compiled(layout, tree, expr)
    if compiled.residual is None:
        return [compiled.expression]
    keys = _evaluate(collection, layout, compiled)
    return [
        ids_expression(keys[start : start + IDS_PER_CALL], collection.key)
        for start in range(0, len(keys), IDS_PER_CALL)
    ]


def select_keys(
    collection: Collection, layout: Layout, tree: Filter | None, expr: str | None = None
) -> list[str]:
    """Return the primary keys of the rows wanted; see `select`."""
    return _evaluate(collection, layout, _compiled(layout, tree, expr))


def conjunction(*expressions: str | None) -> str:
    """Return the expressions and-ed, leaving out those that say nothing."""
    parts = [part for part in expressions if part and part.strip()]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)


def _compiled(layout: Layout, tree: Filter | None, expr: str | None) -> Compiled:
    columns = {key: Column(column(key), kind) for key, kind in layout.columns.items()}
    compiled = compile_filter(tree, columns)
    return replace(compiled, expression=conjunction(compiled.expression, expr))


def _evaluate(collection: Collection, layout: Layout, compiled: Compiled) -> list[str]:
    key, residual = collection.key, compiled.residual
    if residual is None:
        return [row[key] for rows in collection.select(compiled.expression, []) for row in rows]
    scan = _scan(collection, scanned_columns(layout, _asks_text([residual])), compiled.expression)
    keys = {id(record): key for key, record in zip(scan.keys, scan.records, strict=True)}
    return [keys[id(record)] for record in match_all(residual, scan.records)]


def _scan(collection: Collection, columns: Sequence[str], expression: str) -> Scan:
    """Return what a filter can ask for, of every row that an expression selects."""
    state, key = collection.shared, collection.key
    keep = not expression and collection.dialect.exclusive and "text" not in columns
    kept = state.scanned  # read once: a write in another thread takes it away
    if keep and kept is not None and kept.version == state.version:
        return kept
    # A write that ends while this reads makes another version, so nothing stale is kept.
    version = state.version
    rows = [row for page in collection.select(expression, columns) for row in page]
    records = [Record(**{name: row[name] for name in ("id", *columns)}) for row in rows]
    scan = Scan(version, [row[key] for row in rows], records)
    if keep and len(records) <= MOST_ROWS:
        state.scanned = scan
    return scan


def _asks_text(trees: Iterable[Filter]) -> bool:
    """Whether some comparison is with the text of the row."""
    for tree in trees:
        if isinstance(tree, Comparison):
            if tree.key == TEXT.key:
                return True
        elif _asks_text([tree.filter] if isinstance(tree, Not) else tree.filters):
            return True
    return False
