"""One collection and its companion: what the store asks of the engine, in the store's terms."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from time import monotonic, sleep
from typing import Any, TypeVar

from hybridge.errors import EngineError, StoreAbsentError, StoreError, StorePermissionError
from hybridge.filters import Column, Filter, conjunction, ids_expression
from hybridge.filters.words import Words
from hybridge.retrieval.health import Health
from hybridge.store.engine import shared
from hybridge.store.engine.chosen import Chosen, Residual
from hybridge.store.engine.companion import AVERAGE_LENGTH, HEALTH, LAYOUT, Companion
from hybridge.store.engine.connection import Connection
from hybridge.store.engine.pymilvus_import import pymilvus
from hybridge.store.engine.row import cells_here
from hybridge.store.engine.schema import (
    check_new_field,
    create_collection,
    create_column,
    create_field,
    finish_collection,
)
from hybridge.store.engine.transfer import read_rows, upsert_rows
from hybridge.store.fields import VectorField
from hybridge.store.foreign import Naming
from hybridge.store.indexes import deep_enough
from hybridge.store.layout import ADOPTED, VERSION, Layout

logger = logging.getLogger("hybridge")

LOOK_AGAIN = 2.0
"""Seconds after which what other processes have written is looked at again."""

MADE_WITHIN = 20.0
"""Seconds within which another process that makes a collection is done."""

_LACKING = "lacking"
_MARK = Column("write", str)
_NAME = "collection_name"

Row = TypeVar("Row", bound=Mapping[str, Any])


@dataclass(frozen=True)
class FieldSearch:
    """What one vector field is asked.

    Attributes:
        field: The field.
        vectors: The vectors of the queries.
        depth: How many rows each gets.
        expression: Which rows may be found.
        residual: Which of them match, where the search is made in this process.
        params: What the field's index is searched with.
    """

    field: VectorField
    vectors: Sequence[Any]
    depth: int
    expression: str
    params: Mapping[str, Any] = dataclass_field(default_factory=dict[str, Any])
    residual: Residual | None = None

    @property
    def chosen(self) -> Chosen:
        """The rows that are searched in this process."""
        return Chosen(self.expression, self.residual)


class Collection:
    """A collection with its companion, on one connection.

    Args:
        connection: The connection.
        name: The name of the collection.
        naming: Which columns hold what, if another library made it.

    Attributes:
        dialect: How it is talked to.
        is_shared: Whether other processes may write to it.
    """

    def __init__(self, connection: Connection, name: str, naming: Naming) -> None:
        self.connection = connection
        self._naming = naming
        self.dialect = connection.dialect
        self.is_shared = not self.dialect.exclusive
        self._asked = name
        self.shared = shared.acquire(connection.address, name)

    @property
    def name(self) -> str:
        """The collection's own name: an alias is resolved at each look."""
        return self.shared.target or self._asked

    @property
    def companion(self) -> Companion:
        """Its companion."""
        layout = self.shared.layout  # read once: another thread may drop the collection
        return Companion(self.connection, self.name, VERSION if layout is None else layout.version)

    # --- life ----------------------------------------------------------------------------------

    def layout(self) -> Layout | None:
        """Return what the collection holds, or None while there is none."""
        if self.shared.layout is None:
            with self.shared.lock:
                if self.shared.layout is None and self._exists():
                    self._read_layout()
        return self.shared.layout

    @property
    def known(self) -> Layout:
        """What the collection holds, for calls that have found it.

        Raises:
            StoreAbsentError: If another thread has dropped it meanwhile.
        """
        layout = self.shared.layout
        if layout is None:
            msg = f"the collection {self.name!r} was dropped: call again"
            raise StoreAbsentError(msg)
        return layout

    def is_other(self, layout: Layout | None, refusal: EngineError) -> bool:
        """Whether a refusal was that of a collection that is gone, or of another in its place.

        Args:
            layout: What it held when the call began.
            refusal: What the engine said.
        """
        if isinstance(refusal, StoreAbsentError):
            with self.shared.lock:  # which whoever makes it anew holds
                if self.shared.layout is layout:
                    self.shared.forget()
            return True
        self.look(after=0.0)
        return self.shared.layout is not layout

    def look(self, after: float) -> None:
        """Look again at what other processes have written, where any can.

        Args:
            after: Seconds since the last look that must have passed; one thread looks at a time.
        """
        state = self.shared
        if self.is_shared and state.layout is not None:
            state.look.again(after, self._look)

    def _look(self) -> list[dict[str, Any]] | None:
        state, layout = self.shared, self.shared.layout
        if layout is None:
            return None
        try:
            is_target = self._is_target()
            listing = self.companion.listing() if is_target and layout.has_companion else []
        except StoreAbsentError:
            is_target, listing = False, []
        if not is_target or stored_layout(listing) != state.stored:
            state.forget()  # it was dropped, made anew, or another has its alias
            return None
        if layout.has_companion:
            self._note(listing)
        return listing

    def _note(self, listing: Sequence[Mapping[str, Any]]) -> None:
        """Note what the companion says of the fields."""
        self.shared.lacking |= _lacking(listing)
        self.shared.note_health(_health(listing))

    def _is_target(self) -> bool:
        """Whether the name that was asked for is still that of the same collection."""
        described = self.shared.described
        if described is not None:
            return self._described() == described
        return not self.dialect.engine.aliases or self._described()[_NAME] == self.name

    def _described(self) -> dict[str, Any]:
        """Return what Milvus says of the collection, an alias resolved."""
        described: dict[str, Any] = self.connection.call("describe_collection", self._asked)
        return described

    def _exists(self) -> bool:
        if not self.connection.has(self._asked):
            return False
        if self.dialect.engine.aliases:
            self.shared.target = self._described()[_NAME]
        return True

    def _read_layout(self) -> None:
        state, stored = self.shared, self.companion.read_layout()
        layout = self._parse(stored)
        if layout.foreign is None and self.is_shared:
            self._finish(layout)
        listing: list[dict[str, Any]] = []
        if layout.has_companion:
            listing = Companion(self.connection, self.name, layout.version).listing()
        self._note(listing)
        state.look.note(listing)
        state.layout, state.stored = layout, stored if layout.has_companion else None

    def _parse(self, stored: Mapping[str, Any] | None) -> Layout:
        """Return what the collection holds, of what its companion says, where it has one."""
        if stored is None or ADOPTED in stored:
            return self._recognised(stored)
        return Layout.from_json(stored, self.name)

    def _recognised(self, stored: Mapping[str, Any] | None) -> Layout:
        """Return what a collection holds that another library made; nothing is written."""
        schema = self._described()
        layout = Layout.recognise(schema, self._indexes(), self._naming, self.name, stored)
        served = [one for one in layout.fields.values() if one.is_served]
        if served and not self.dialect.engine.functions:
            left = {name: one for name, one in layout.fields.items() if one not in served}
            layout = replace(layout, fields=left)
            logger.warning(
                "%r has a BM25 function of the engine in %r, which is left out: %s",
                self.name,
                served[0].stored_in,
                self.dialect.engine.no_functions,
            )
        self.shared.described = schema
        return layout

    def _indexes(self) -> dict[str, Any]:
        """Return what Milvus says of the indexes, by column."""
        ask, name = self.connection.call, self.name
        indexes = [ask("describe_index", name, index_name=one) for one in ask("list_indexes", name)]
        return {one["field_name"]: one for one in indexes if one}

    def _finish(self, layout: Layout) -> None:
        """Finish a collection whose maker died before it had all indexes: it cannot be read."""
        try:
            indexes = self.connection.call("list_indexes", self.name)
        except StorePermissionError:
            return  # who may not know may still read it
        if len(indexes) < len(layout.fields):
            finish_collection(self.connection, self.name, layout)

    def create(self, layout: Layout) -> None:
        """Make the collection; the companion comes first, so that none is ever without.

        Where other processes may be making it too, whoever comes second waits for the first.
        """
        layout = replace(layout, version=VERSION, filling=frozenset())
        stored = {**layout.to_json(), "made": uuid.uuid4().hex}
        with self.shared.lock:
            if self.is_shared and self._is_being_made():
                return
            try:
                self._make(layout, stored)
            except EngineError:
                if self._is_ours(stored):
                    self._unmake()
                    raise
                if not (self.is_shared and self._is_being_made()):
                    raise

    def _make(self, layout: Layout, stored: dict[str, Any]) -> None:
        self.companion.create()
        self.companion.write_value(LAYOUT, stored)
        create_collection(self.connection, self.name, layout)
        self.shared.forget()
        self.shared.made, self.shared.layout, self.shared.stored = True, layout, stored

    def _is_ours(self, stored: dict[str, Any]) -> bool:
        """Whether it is this process that makes the collection, and no other in its place."""
        with suppress(EngineError):
            return self.companion.read_value(LAYOUT) == stored
        return False

    def _unmake(self) -> None:
        """Take back what was made before the creation failed, for reasons that stay."""
        with suppress(StoreError):
            self.drop()

    def _is_being_made(self) -> bool:
        """Wait for another process that is making the collection; False where none is.

        A companion without a collection is what it leaves for a moment, or for good if it dies.
        """
        until = monotonic() + MADE_WITHIN
        while self.companion.exists():
            if self._exists() and self._loads():
                return True
            if monotonic() > until:
                return False
            sleep(0.2)
        return False

    def _loads(self) -> bool:
        """Whether the collection can be loaded: it has its indexes."""
        try:
            self.connection.load(self.name)
        except EngineError:
            return False
        return True

    def drop(self) -> None:
        """Remove the collection and its companion."""
        with self.shared.lock:
            companion = self.companion
            if self._exists():
                self.connection.drop(self.name)
            if not self.is_foreign or companion.read_layout() is not None:
                companion.drop()
            self.shared.forget()

    def add_bm25(self, field: VectorField) -> None:
        """Give a collection that another library made a companion, and a field for BM25 of ours.

        The companion comes first: what it says counts once the field is there.

        Raises:
            CollectionMismatchError: If a column has the name of the field, or of the companion.
            EngineError: If the server refuses.
        """
        with self.shared.lock:
            check_new_field(self.connection, self.name, field, self.known)
            stored = {**self.known.with_field(field).to_json(), "made": uuid.uuid4().hex}
            self.companion.create()
            self.companion.write_value(LAYOUT, stored)
            try:
                create_field(self.connection, self.name, field)
            except EngineError:
                self.companion.drop()
                raise
            finally:
                self.shared.forget()

    def add_column(self, key: str, kind: type, layout: Layout) -> None:
        """Add the column of a metadata key, which is then to be filled.

        Raises:
            EngineError: If the server refuses.
        """
        with self.shared.lock:
            create_column(self.connection, self.name, key, kind, layout)
            self.change_layout(lambda stored: stored.with_column(key, kind))

    def note_filled(self, key: str) -> None:
        """Note that a column holds the values of all rows: filters go by it from now on."""
        with self.shared.lock:
            self.change_layout(lambda stored: stored.with_filled(key))

    def change_layout(self, change: Callable[[Layout], Layout]) -> None:
        """Change what the companion says, which other processes see when they look again."""
        with self.shared.lock:
            stored = self.companion.read_value(LAYOUT) or {}
            layout = change(self._parse(stored))
            stored = {**stored, **layout.to_json()}
            self.companion.write_value(LAYOUT, stored)
            self.shared.layout, self.shared.stored = layout, stored

    def lacks(self, field: VectorField) -> bool:
        """Whether some row may lack a field: what another process wrote is not known here."""
        if not field.optional:
            return False
        return self.is_shared or field.name in self.shared.lacking

    def note_lacking(self, names: set[str]) -> None:
        """Note, before they are written, that some rows lack these fields."""
        for name in sorted(names - self.shared.lacking):
            self.companion.write_value(f"{_LACKING}/{name}", {})
            self.shared.lacking.add(name)

    def clear(self, layout: Layout) -> None:
        """Remove all rows, by making the collection anew.

        Where others write, too, the average length stays: the next writer may be any of them.

        Args:
            layout: What it then holds.
        """
        with self.shared.lock:
            if self.layout() is None:
                return
            kept = self.companion.listing(None) if self.is_shared else []
            self.drop()
            self.create(layout)
            for row in kept:
                if row["kind"] == AVERAGE_LENGTH:
                    self.companion.write_value(row["id"], row["value"], row["tenant"])

    def close(self, *, flush: bool = True) -> None:
        """Flush what no other process would flush, and close the connection.

        Args:
            flush: False leaves that to the next opening: every row is in the log.
        """
        broken = self.shared.broken is not None
        # One that another library made is left as it is where nothing was written.
        due = self.shared.layout is not None and not (self.is_foreign and not self.shared.waiting)
        try:
            if flush and due and not (self.is_shared or broken):
                self.flush()
        finally:
            shared.release(self.connection.address, self._asked)
            # Releasing the engine flushes once more, which after a failed flush loses rows.
            self.connection.close(release=self.shared.broken is None)

    # --- rows ----------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """The name of the primary key."""
        return self.known.key

    @property
    def is_foreign(self) -> bool:
        """Whether another library made it."""
        return self.shared.layout is not None and self.shared.layout.foreign is not None

    def _output(self, columns: Sequence[str]) -> list[str]:
        """Return what is to be read for some columns, the key included."""
        foreign = self.known.foreign
        return (
            list(dict.fromkeys([self.key, *columns]))
            if foreign is None
            else foreign.output(columns)
        )

    def _made(self, rows: Sequence[Row]) -> list[Row | dict[str, Any]]:
        """Return rows as those of our own collections are."""
        foreign = self.known.foreign
        return [*rows] if foreign is None else [foreign.read(row) for row in rows]

    def read(
        self, keys: Sequence[str], columns: Sequence[str], expression: str = ""
    ) -> dict[str, dict[str, Any]]:
        """Return the rows of these keys that an expression selects, by key."""
        column, names = self.known.key_column, self._output(columns)
        pages = self._read_here(keys, names, expression)
        if pages is None:
            pages = read_rows(self.connection, self.name, column, keys, names, expression)
        return {row[column.name]: row for page in pages for row in self._made(page)}

    def read_of(
        self, found: Mapping[str, Mapping[str, Any]], columns: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Return the cells of rows that a search has found, by key, as `read` does."""
        here = cells_here(found, columns)
        others = sorted(found.keys() - here.keys())
        return {**here, **self.read(others, columns)} if others else here

    def _read_here(
        self, keys: Sequence[str], names: Sequence[str], expression: str
    ) -> Iterable[list[dict[str, Any]]] | None:
        """Return the rows that `read` asks for, found in this process; None where it cannot."""
        if self.known.key_column.decimal:  # the engine has integers
            return None
        chosen, view = Chosen(expression), self.shared.view
        rows = self.connection.read_here(
            lambda reader: reader.rows(self.name, keys, chosen, names, view)
        )
        return None if rows is None else [rows]

    @property
    def has_marks(self) -> bool:
        """Whether rows carry the mark of the write that they came with."""
        return self.known.has_context

    @property
    def shows_marks(self) -> bool:
        """Whether other processes go by the marks of rows, and this one by theirs."""
        return self.has_marks and self.is_shared

    def select(self, expression: str, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows that an expression selects, in pages; "" selects all."""
        found = self.select_here(Chosen(expression), columns)
        if found is not None:
            yield from found
            return
        self._flush_for_engine()
        names, key = self._output(columns), self.known.key_column
        engine = self.dialect.engine
        for page in engine.select(self.connection, self.name, expression, names, key):
            yield self._made(page)

    def keys(self, expression: str, after: str) -> Iterator[str]:
        """Yield in order the keys of the rows that an expression selects, those after one.

        Args:
            expression: Which rows; "" for all.
            after: The key; "" for the first.
        """
        ordered = self.dialect.engine.in_order
        if ordered and after:
            expression = conjunction(expression, self.known.key_column.after(after))
        pages = self.select(expression, [])
        keys = (row[self.key] for page in pages for row in page)
        yield from keys if ordered else (key for key in sorted(keys) if key > after)

    def select_here(
        self, chosen: Chosen, columns: Sequence[str]
    ) -> Iterator[list[dict[str, Any]]] | None:
        """Yield rows as `select` does, but read in this process; None where the engine has to."""
        names, view = self._output(columns), self.shared.view
        pages = self.connection.read_here(
            lambda reader: reader.select(self.name, chosen, names, view)
        )
        return None if pages is None else map(self._made, pages)

    def residual(
        self,
        tree: Filter,
        columns: Sequence[str],
        candidates: Callable[[Sequence[Mapping[str, Any]]], Sequence[Any]],
    ) -> Residual:
        """Return what of a filter the engine does not answer.

        Args:
            tree: The filter.
            columns: What is read of a row for it, beside its key.
            candidates: Makes what it is evaluated over of rows.
        """
        return Residual(tree, self._output(columns), lambda rows: candidates(self._made(rows)))

    def count_here(self, chosen: Chosen) -> int | None:
        """Return how many rows are chosen, or None where the engine has to say it."""
        view = self.shared.view
        return self.connection.read_here(lambda reader: reader.count(self.name, chosen, view))

    def first_rows(self, columns: Sequence[str], limit: int) -> list[dict[str, Any]]:
        """Return some rows, as many as there are up to a limit."""
        every, names = self.known.key_column.any, self._output(columns)
        rows = self.connection.call(
            "query", self.name, filter=every, output_fields=names, limit=limit
        )
        return self._made(rows)

    @property
    def words(self) -> Words | None:
        """Where the words of texts are looked up; None right after a write, whose rows lack there.

        What another process wrote in the last moment may be missed, whatever the consistency.
        """
        layout, since = self.shared.layout, monotonic() - self.shared.wrote
        return layout.words if layout and since > self.dialect.engine.words_seen_after else None

    def count(self, expression: str) -> int:
        """Return how many rows an expression selects; "" selects all."""
        found = self.count_here(Chosen(expression))
        if found is not None:
            return found
        rows = self.connection.call(
            "query", self.name, filter=expression, output_fields=["count(*)"]
        )
        return int(rows[0]["count(*)"])

    def search(self, asked: FieldSearch, columns: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Search one field with several vectors in one call; return the rows of each, best first.

        A row has its columns, and its "distance".
        """

        def ask(names: Sequence[str]) -> Any:
            return self.connection.call(
                "search",
                self.name,
                data=list(asked.vectors),
                anns_field=asked.field.stored_in,
                limit=asked.depth,
                filter=asked.expression,
                output_fields=list(names),
                search_params=self._params(asked),
                consistency_level=self.connection.options.consistency_level,
            )

        return self._found(ask, columns)

    def search_here(
        self, asked: FieldSearch, columns: Sequence[str]
    ) -> Sequence[Sequence[dict[str, Any]]] | None:
        """Search as `search` does, but in this process; None where the engine has to.

        All rows match what is asked, and the columns of one come with `whole`.
        """
        names, view = self._output(columns), self.shared.view
        found = self.connection.read_here(
            lambda reader: reader.search(self.name, asked, names, view)
        )
        if found is None or self.known.foreign is None:
            return found
        return [self._made([row.whole() for row in rows]) for rows in found]

    def search_fused(
        self, asked: Sequence[FieldSearch], fusion: str, limit: int, columns: Sequence[str]
    ) -> list[list[dict[str, Any]]]:
        """Search several fields in one call and let Milvus fuse them by a ranker of its own.

        `hybrid_search(filter=...)` is silently ignored, so each field carries the expression.
        """
        requests = [
            pymilvus().AnnSearchRequest(
                data=list(one.vectors),
                anns_field=one.field.stored_in,
                param=self._params(one),
                limit=one.depth,
                expr=one.expression,
            )
            for one in asked
        ]

        def ask(names: Sequence[str]) -> Any:
            return self.connection.call(
                "hybrid_search",
                self.name,
                reqs=requests,
                ranker=_ranker(fusion, len(asked)),
                limit=limit,
                output_fields=list(names),
                consistency_level=self.connection.options.consistency_level,
            )

        return self._found(ask, columns)

    def _found(
        self, ask: Callable[[Sequence[str]], Any], columns: Sequence[str]
    ) -> list[list[dict[str, Any]]]:
        """Return what a search finds; the columns that no message holds are read by key."""
        self._flush_for_engine()
        key = self.key
        try:
            return [self._made(rows) for rows in _rows(ask(self._output(columns)), key)]
        except EngineError as error:
            if not error.too_large:
                raise
        found = [self._made(rows) for rows in _rows(ask([key]), key)]
        rows = self.read(list({row[key] for some in found for row in some}), columns)
        return [[{**row, **rows[row[key]]} for row in some if row[key] in rows] for some in found]

    def _params(self, asked: FieldSearch) -> dict[str, Any]:
        """Return how a field is searched; an exact index has no parameters."""
        exact = self.dialect.engine.exact_indexes
        params = {} if exact else deep_enough(asked.params, asked.depth)
        metric = {"metric_type": asked.field.metric}
        return {**metric, "params": params} if params else metric

    def upsert(self, rows: list[dict[str, Any]]) -> None:
        """Write rows."""
        with self.shared.changing(len(rows)):
            upsert_rows(self.connection, self.name, rows)

    def insert(self, rows: list[dict[str, Any]]) -> list[str]:
        """Write rows that Milvus numbers; return their keys."""
        with self.shared.changing(len(rows)):
            return self.connection.insert(self.name, rows)

    def update(
        self, changes: Mapping[str, Mapping[str, Any]], marks: Mapping[str, Any]
    ) -> list[str]:
        """Change some columns of rows that are there, and leave their others alone.

        Args:
            changes: The columns that a row gets, by key.
            marks: The marks that the rows had when they were read, where others go by them.

        Returns:
            The keys of rows that another process has changed since: the change may not fit them.
        """
        whole = not self.dialect.engine.partial_upserts
        rows = {key: self._keyed(key) for key in changes}
        if whole or self.shows_marks:
            rows = self.read(list(changes), ["*"] if whole else ["write"])
        if self.shows_marks:
            rows = {key: row for key, row in rows.items() if row["write"] == marks[key]}
        # Not the mark that was read: another process may write its own before this arrives.
        kept = rows if whole else {key: self._keyed(key) for key in rows}
        changed = [{**row, **changes[key]} for key, row in kept.items()]
        with self.shared.changing(len(changed)):
            upsert_rows(self.connection, self.name, changed, partial_update=not whole)
        if self.shows_marks:  # some may have been written after their marks were read
            after = self.read(list(rows), ["write"])
            rows = {key: row for key, row in after.items() if row["write"] == marks[key]}
        return list(changes.keys() - rows.keys())

    def _keyed(self, key: str) -> dict[str, Any]:
        """Return a row of nothing but its primary key."""
        column = self.known.key_column
        return {column.name: int(key) if column.decimal else key}

    def delete(self, keys: Sequence[str], marks: Sequence[str] = ()) -> None:
        """Delete rows by key, which is always escaped: pymilvus's own `ids=` is not.

        Args:
            keys: The rows.
            marks: Those that they still must have; none where that does not matter.
        """
        expression, arguments = ids_expression(keys, self.known.key_column), {}
        if marks:
            expression = conjunction(expression, ids_expression(marks, _MARK))
            # The engine looks for the rows first, and by default may miss what was just written.
            arguments["consistency_level"] = "Strong"
        with self.shared.changing(len(keys)):
            self.connection.call("delete", self.name, filter=expression, **arguments)

    def flush_waiting(self) -> None:
        """Flush before a read if enough rows wait, where this process is the only writer.

        A `milvus-lite server` takes no lock between a flush and the writes of others, so a writer
        cannot flush there without a risk to theirs: with threads that switch every microsecond,
        each of two runs of three writers and a flusher lost a batch (20 of 7,060 rows, 100 of
        36,700), and a third ended in an engine that refuses to flush; with the usual 5 ms none of
        150,000 rows was lost. Nobody can tell from here that no other is writing.

        What is read in this process waits for the next write, see `shared.FLUSH_THRESHOLD_HERE`.
        """
        state = self.shared
        if self._many_wait:
            state.put_off = state.put_off or self.connection.reads_here
            if not state.put_off or state.waiting >= shared.FLUSH_THRESHOLD_HERE:
                self.flush()

    def _flush_for_engine(self) -> None:
        """Flush as `flush_waiting` does before a read that the engine makes."""
        if self._many_wait:
            self.flush()

    @property
    def _many_wait(self) -> bool:
        return not self.is_shared and self.shared.waiting >= shared.FLUSH_THRESHOLD

    def check_writable(self) -> None:
        """Refuse to write where that could lose rows, under the shared lock.

        A write that failed on a path, by a full disk for instance, may have left a torn record in
        the log, and what follows it there would not be recovered after a crash: what is there is
        flushed first. So are rows whose flush a read has put off.

        Raises:
            StoreBrokenError: If a flush has failed, now or before.
        """
        self.shared.check_not_broken()
        torn = self.connection.torn & {self.name, self.companion.name}
        if not self.is_shared and (torn or self.shared.put_off):
            self.flush()

    def flush(self) -> None:
        """Make what was written durable and fast to search.

        Raises:
            StoreBrokenError: If it fails on a path, now or before: writing on would lose rows.
            StoreError: If a server refuses, which loses nothing.
        """
        with self.shared.lock:
            self.shared.check_not_broken()
            try:
                self.connection.call("flush", self.name)
                layout = self.shared.layout
                if layout is None or layout.has_companion:
                    self.companion.flush()
            except StoreError as error:
                if self.is_shared:
                    raise
                self.shared.broken = str(error)
                raise self.shared.broken_error() from error
            self.shared.waiting, self.shared.put_off = 0, False


def stored_layout(listing: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the layout among the rows of a companion, or None if there is none."""
    return next((row["value"] for row in listing if row["id"] == LAYOUT), None)


def _lacking(listing: Sequence[Mapping[str, Any]]) -> set[str]:
    return {row["id"].partition("/")[2] for row in listing if row["kind"] == _LACKING}


def _health(listing: Sequence[Mapping[str, Any]]) -> dict[str, Health]:
    rows = {row["id"].partition("/")[2]: row["value"] for row in listing if row["kind"] == HEALTH}
    known = {name: Health.parse(value) for name, value in rows.items()}
    return {name: health for name, health in known.items() if health is not None}


def _rows(answer: Any, key: str) -> list[list[dict[str, Any]]]:
    """Return the engine's hits as rows with a "distance"."""
    return [
        [{key: hit[key], "distance": float(hit["distance"]), **hit["entity"]} for hit in hits]
        for hits in answer
    ]


def _ranker(fusion: str, fields: int) -> Any:
    """Return one of Milvus's rankers, made anew: pymilvus changes the one that it is given."""
    makers: Mapping[str, Any] = {
        "milvus-rrf": lambda: pymilvus().RRFRanker(),
        "milvus-weighted": lambda: pymilvus().WeightedRanker(*[1 / fields] * fields),
    }
    return makers[fusion]()
