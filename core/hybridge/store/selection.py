"""From a filter to expressions that the engine answers exactly.

What the engine can answer exactly and fast is compiled. For the rest the store reads ids and
metadata of the candidates, evaluates the meaning in Python, and selects by key.

Of the 0.69 s that such a filter takes at 20,000 rows on Milvus Lite, reading takes 0.58 and
evaluating 0.1, so a scan of a whole collection is kept until the next write (650 bytes a row): only
where every write passes through this process, and for up to `MOST_ROWS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hybridge.filters import (
    TEXT,
    Comparison,
    Compiled,
    Filter,
    Not,
    compile_filter,
    ids_expression,
    match_all,
)
from hybridge.records import Record
from hybridge.store.engine.collection import Collection
from hybridge.store.engine.shared import Scan
from hybridge.store.engine.transfer import IDS_PER_CALL
from hybridge.store.layout import Layout

MOST_ROWS = 50_000
"""Rows up to which a scan is kept."""


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
        ids_expression(keys[start : start + IDS_PER_CALL], layout.key)
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
    compiled = compile_filter(tree, layout.filter_columns)
    return replace(compiled, expression=conjunction(compiled.expression, expr))


def _evaluate(collection: Collection, layout: Layout, compiled: Compiled) -> list[str]:
    key, residual = layout.key, compiled.residual
    if residual is None:
        return [row[key] for rows in collection.select(compiled.expression, []) for row in rows]
    columns = layout.scanned_columns + (["text"] if _asks_text([residual]) else [])
    scan = _scan(collection, key, columns, compiled.expression)
    keys = {id(record): key for key, record in zip(scan.keys, scan.records, strict=True)}
    return [keys[id(record)] for record in match_all(residual, scan.records)]


def _scan(collection: Collection, key: str, columns: Sequence[str], expression: str) -> Scan:
    """Return what a filter can ask for, of every row that an expression selects."""
    state = collection.shared
    keep = not (expression or collection.is_shared) and "text" not in columns
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
