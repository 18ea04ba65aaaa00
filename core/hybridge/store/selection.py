"""The rows that a filter selects: what the engine is asked for, and what is told from the rows.

What the engine can answer exactly and fast is compiled. For the rest it is asked for a superset,
and `match` decides on the rows that come back; see `hybridge.store.candidates` for searches. Where
every row must be looked at, ids and metadata of the candidates are scanned, in pages.

Of the 0.69 s that a scan takes at 20,000 rows on Milvus Lite, reading takes 0.58 and evaluating
0.1, so that of a whole collection is kept until the next write (650 bytes a row): only where every
write passes through this process, and for up to `MOST_ROWS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hybridge.filters import (
    TEXT,
    Filter,
    compile_filter,
    conjunction,
    ids_expression,
    match_all,
    row_keys,
)
from hybridge.store.batches import batched
from hybridge.store.engine.chosen import Chosen, Residual
from hybridge.store.engine.collection import Collection
from hybridge.store.engine.shared import Candidate, Scan
from hybridge.store.engine.transfer import IDS_PER_CALL
from hybridge.store.layout import Layout

MOST_ROWS = 50_000
"""Rows up to which a scan is kept."""

FEW = 2_000
"""Rows that are read before it is asked how many there are: on Milvus Lite that costs a search."""

Row = TypeVar("Row", bound=Mapping[str, Any])


class Selection:
    """The rows that a filter and a raw expression select, both or either.

    Args:
        collection: The collection.
        layout: What it holds.
        tree: The filter; None selects all rows.
        expr: A raw Milvus expression that must hold as well.

    Attributes:
        expression: Selects every row wanted, and perhaps others; "" selects all rows.
        is_exact: Whether it selects no others.
    """

    def __init__(
        self, collection: Collection, layout: Layout, tree: Filter | None, expr: str | None = None
    ) -> None:
        engine = collection.dialect.engine
        compiled = compile_filter(
            tree,
            layout.filter_columns,
            layout.row_columns,
            json_paths=engine.json_paths and layout.foreign is None,
            words=collection.words,
        )
        self.expression = conjunction(compiled.expression, expr)
        self.is_exact = compiled.residual is None
        self._collection, self._layout = collection, layout
        self._tree, self._residual = tree, compiled.residual

    def matching(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows whose own values match the filter, in order.

        It is asked of all that the engine returns: a row may have changed since it was selected.
        """
        if self._tree is None:
            return rows
        candidates = [self._candidate(row) for row in rows]
        matching = {one.key for one in match_all(self._tree, candidates)}
        return [row for row in rows if row[self._layout.key] in matching]

    def expressions(self) -> Iterator[str]:
        """Yield expressions that together select just the rows wanted, no row twice.

        That is "" for all rows, nothing for none, else one expression, or one per 10,000 ids.
        """
        if self.is_exact:
            yield self.expression
            return
        for keys in batched(self.keys(), IDS_PER_CALL):
            yield ids_expression(keys, self._layout.key_column)

    def keys(self) -> Iterator[str]:
        """Yield the primary keys of the rows wanted, of which a page is read at once."""
        key, pages = self._layout.key, self._pages_here()
        if pages is None and self.is_exact:
            pages = self._collection.select(self.expression, [])
        if pages is not None:
            found = ([row[key] for row in page] for page in pages)
        else:
            found = ([row.key for row in match_all(self._residual, page)] for page in self._scan())
        for page in found:
            yield from dict.fromkeys(page)  # Lite gives a row as often as `in [...]` names it

    def count(self) -> int:
        """Return how many rows are wanted."""
        found = self._collection.count_here(self._chosen)
        if found is not None:
            return found
        return self.candidates() if self.is_exact else sum(1 for _ in self.keys())

    def candidates(self) -> int:
        """Return how many rows the expression selects."""
        return self._collection.count(self.expression)

    @property
    def residual(self) -> Residual | None:
        """What the engine does not answer; None where the expression is exact."""
        tree = self._residual
        if tree is None:
            return None

        def candidates(rows: Sequence[Mapping[str, Any]]) -> list[Candidate]:
            return [self._candidate(row) for row in rows]

        return self._collection.residual(tree, self._columns_for(tree), candidates)

    @property
    def _chosen(self) -> Chosen:
        return Chosen(self.expression, self.residual)

    def _pages_here(self) -> Iterator[list[dict[str, Any]]] | None:
        """Return the rows wanted, by their keys alone, where this process reads them itself."""
        return self._collection.select_here(self._chosen, [])

    @property
    def is_all(self) -> bool:
        """Whether every row is wanted."""
        return self._tree is None and not self.expression

    @property
    def columns(self) -> list[str]:
        """What is read of a row, beside its key, to tell whether it is wanted."""
        return self._columns_for(self._tree)

    @property
    def is_scanned(self) -> bool:
        """Whether a scan is kept that tells the rows wanted."""
        return not self.is_exact and self._kept() is not None and self._is_kept

    def outdoes_scan(self, rows: int) -> bool:
        """Whether reading so many whole rows costs less than the scan of ids and metadata.

        A scan that can be kept serves later searches as well, so what they have read since the last
        write counts with it.
        """
        state, spent = self._collection.shared, rows
        if self._is_kept:
            state.deeper += rows
            spent = state.deeper
        if spent <= FEW:
            return True
        candidates = self.candidates()
        return 2 * (spent if candidates <= MOST_ROWS else rows) <= candidates

    def _candidate(self, row: Mapping[str, Any]) -> Candidate:
        key = row[self._layout.key]
        return Candidate(key, row["id"], row["document_id"], row["metadata"], row.get("text", ""))

    def _columns_for(self, tree: Filter | None) -> list[str]:
        if tree is None:
            return []
        return self._layout.scanned_columns + (["text"] if TEXT.key in row_keys(tree) else [])

    @property
    def _is_kept(self) -> bool:
        """Whether a scan for this filter is kept."""
        asks_text = TEXT.key in row_keys(self._residual)
        return not (self.expression or self._collection.is_shared or asks_text)

    def _kept(self) -> Scan | None:
        state = self._collection.shared
        kept = state.scanned  # read once: a write in another thread takes it away
        return kept if kept is not None and kept.version == state.version else None

    def _scan(self) -> Iterator[Sequence[Candidate]]:
        """Yield what the filter can ask for, of every candidate, in pages."""
        state, kept = self._collection.shared, self._kept()
        if self._is_kept and kept is not None:
            yield kept.rows
            return
        # A write that ends while this reads makes another version, so nothing stale is kept.
        version = state.version
        columns = self._columns_for(self._residual)
        rows: list[Candidate] = []
        for page in self._collection.select(self.expression, columns):
            candidates = [self._candidate(row) for row in page]
            if self._is_kept and len(rows) <= MOST_ROWS:
                rows += candidates
            yield candidates
        if self._is_kept and len(rows) <= MOST_ROWS:
            state.scanned = Scan(version, rows)
