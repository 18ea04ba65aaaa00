"""What Milvus Lite holds of a collection in this process, by names that it keeps to itself.

Milvus Lite 3 is Python: its rows lie in this process as *segments*, tables of Arrow that never
change, beside the *memtable* of what was written since the last flush. Nothing outside this file
knows more of it than a segment's `pks`, `seqs`, `table`, `pk_to_row` and `vector_data`, and nobody
relies on it: what is not as it is known here is left to the engine's own search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_KINDS = frozenset(
    {"BOOL", "INT8", "INT16", "INT32", "INT64", "FLOAT", "DOUBLE", "VARCHAR", "JSON"}
    | {"FLOAT_VECTOR", "SPARSE_FLOAT_VECTOR"}
)
"""The Milvus types of columns whose cells are read; see `hybridge.store.engine.row`."""

_FLAT = ("FLAT", "BRUTE_FORCE")
_ATTEMPTS = 5


class LeftToEngineError(Exception):
    """A search that the engine makes by itself, since here it is not known how."""


@dataclass(frozen=True, eq=False)
class Growing:
    """What was written since the last flush.

    Attributes:
        memtable: Where the engine has it.
        version: How many writes and deletions it holds. Every write is kept there, and a deletion
            that changes nothing is not counted, so that it tells any two states apart.
        segment: The rows, as a flush would make a segment of them.
        deleted: The sequence numbers of deletions, by key.
    """

    memtable: Any
    version: tuple[int, int]
    segment: Any
    deleted: Mapping[Any, int]


class Snapshot(NamedTuple):
    """The rows at one moment, and those among them that are gone.

    Attributes:
        segments: The flushed rows.
        deleted: The sequence numbers of flushed deletions, by key.
        growing: The rows that are not flushed.
    """

    segments: tuple[Any, ...]
    deleted: Mapping[Any, int]
    growing: Growing


class Index(NamedTuple):
    """How the engine searches a vector field: by its Milvus type, index and metric."""

    kind: str
    index_type: str
    metric: str

    @property
    def is_sparse(self) -> bool:
        """Whether the vectors are sparse."""
        return self.kind == "SPARSE_FLOAT_VECTOR"

    @property
    def is_known(self) -> bool:
        """Whether it compares every vector, in a way that is known here."""
        if self.is_sparse:
            return (self.index_type, self.metric) == ("SPARSE_INVERTED_INDEX", "IP")
        return self.index_type in _FLAT and self.metric in ("COSINE", "IP")


class Segments:
    """The segments of one collection, of an engine in this process.

    Args:
        path: The real path of the database.
        name: The collection's own name.

    Attributes:
        key: The column of the primary key.

    Raises:
        LeftToEngineError: If the engine has not opened it. Loaded it need not be: that gives the
            engine's own searches their indexes, which nothing here reads.
    """

    def __init__(self, path: str, name: str) -> None:
        engine = _opened(path).get((_module("db").DEFAULT_DATABASE_NAME, name))
        if engine is None:
            raise LeftToEngineError
        self._engine: Any = engine
        self.key: str = engine.pk_field
        self._fields: Mapping[str, Any] = {one.name: one for one in self._engine.schema.fields}

    def snapshot(self, kept: Growing | None) -> Snapshot:
        """Return the rows as they are now.

        The memtable is read first, and looked at again after the segments: a flush puts another in
        its place before it makes segments of the rows, under the lock that segments are read under.

        Args:
            kept: What was not flushed at an earlier moment.

        Raises:
            LeftToEngineError: If flushes follow each other.
        """
        for _ in range(_ATTEMPTS):
            memtable = self._engine._memtable
            growing = _growing(memtable, self.key, kept)
            segments, deletions = self._engine._read_snapshot()
            if self._engine._memtable is memtable:
                return Snapshot(segments, deletions.snapshot, growing)
        raise LeftToEngineError

    def index(self, field: str) -> Index:
        """Return how the engine searches a field."""
        found = self._engine.get_index_info(field)
        if found is None or self._fields[field].is_function_output:
            raise LeftToEngineError
        return Index(self._kind(field), found["index_type"], found["metric_type"])

    def kinds(self, columns: Iterable[str]) -> dict[str, str]:
        """Return the Milvus type of each column.

        Raises:
            LeftToEngineError: If there is none of that name, or it is not known how it is read.
        """
        return {column: self._kind(column) for column in columns}

    @property
    def every_kind(self) -> dict[str, str]:
        """The Milvus type of each column that is read here."""
        kinds = {name: str(one.dtype.name) for name, one in self._fields.items()}
        return {name: kind for name, kind in kinds.items() if kind in _KINDS}

    def _kind(self, column: str) -> str:
        field = self._fields.get(column)
        if field is None or field.dtype.name not in _KINDS:
            raise LeftToEngineError
        return str(field.dtype.name)

    def selected(self, segment: Any, expression: str) -> Mask:
        """Return which rows of a segment an expression selects, by the engine's own evaluator.

        Raises:
            LeftToEngineError: If the engine refuses the expression, which it says better itself.
        """
        evaluate = _module("search.indexed_filter").evaluate_segment_filter
        try:
            compiled = self._engine._compile_filter(expression)
            plan = self._engine._indexed_filter_plan(compiled)
            selected: Mask = evaluate(segment, compiled, plan)
        except Exception as error:
            raise LeftToEngineError from error
        return selected


def check_shape(path: str) -> None:
    """See that the engine in this process is as it is known here, by rows that it never stores.

    Args:
        path: The real path of a database that it has open.

    Raises:
        Exception: Whatever an engine raises that is another.
        ValueError: If it has other rows than those that were written.
    """
    _opened(path)
    for name in ("_read_snapshot", "_compile_filter", "_indexed_filter_plan", "get_index_info"):
        getattr(_module("engine.collection").Collection, name)
    schema, memtable = _tried_memtable()
    growing = _growing(memtable, "id", None)
    segment = growing.segment
    vectors, present = segment.vector_data("dense")
    [sparse] = segment.table.column("sparse").to_pylist()
    compiled = _module("search.filter").compile_filter('id == "b"', schema)
    evaluate = _module("search.indexed_filter").evaluate_segment_filter
    if evaluate(segment, compiled, None).tolist() != [True]:
        msg = "its filters select other rows"
        raise ValueError(msg)
    seen = (segment.pks, segment.pk_to_row, [*segment.seqs], growing.deleted, growing.version)
    if seen != (["b"], {"b": 0}, [2], {"a": 3}, (2, 1)) or present is not None:
        msg = f"its memtable has {seen}"
        raise ValueError(msg)
    if vectors.tolist() != [[0.0, 2.0]] or sparse != b"\x07\x00\x00\x00\x00\x00\x00@":
        msg = f"its memtable has the vectors {vectors.tolist()} and {sparse}"
        raise ValueError(msg)


def give_back_memory() -> None:
    """Give back what reading files has taken, which Arrow keeps: 350 of 870 MB at 100,000 rows."""
    import_module("pyarrow").default_memory_pool().release_unused()


def _tried_memtable() -> tuple[Any, Any]:
    """Return a schema, and a memtable with two rows, of which one was deleted."""
    types, arrow = _module("schema.types"), _module("schema.arrow_builder")
    batch: Any = import_module("pyarrow").RecordBatch
    fields = [
        types.FieldSchema("id", types.DataType.VARCHAR, is_primary=True, max_length=8),
        types.FieldSchema("dense", types.DataType.FLOAT_VECTOR, dim=2),
        types.FieldSchema("sparse", types.DataType.SPARSE_FLOAT_VECTOR),
    ]
    schema = types.CollectionSchema(fields)
    memtable = _module("storage.memtable").MemTable(schema)
    for key, seq in (("a", 1), ("b", 2)):
        row: dict[str, Any] = {"_seq": [seq], "_partition": ["_default"], "id": [key]}
        row |= {"dense": [[0.0, 2.0]], "sparse": [b"\x07\x00\x00\x00\x00\x00\x00@"]}
        memtable.apply_insert(batch.from_pydict(row, arrow.build_wal_data_schema(schema)))
    gone = {"id": ["a"], "_seq": [3], "_partition": ["_all"]}
    memtable.apply_delete(batch.from_pydict(gone, arrow.build_wal_delta_schema(schema)))
    return schema, memtable


def _opened(path: str) -> Mapping[tuple[str, str], Any]:
    """Return the collections that an engine in this process has open, by database and name."""
    _server, database, _port = _module("server_manager").server_manager_instance._servers[path]
    opened: Mapping[tuple[str, str], Any] = database._collections
    return opened


def _growing(memtable: Any, key: str, kept: Growing | None) -> Growing:
    """Return what a memtable holds, all at one moment."""
    with memtable._lock:
        version = len(memtable._insert_batches), len(memtable._delete_index)
        if kept is not None and kept.memtable is memtable and kept.version == version:
            return kept
        keys, seqs, _, _, table = memtable.to_search_snapshot(None, include_table=True)
        deleted = memtable.delete_index_snapshot()
    segment = _segment(keys, seqs, table, key)
    return Growing(memtable, version, segment, _of_all_partitions(deleted))


def _of_all_partitions(deleted: Mapping[Any, tuple[int, str]]) -> dict[Any, int]:
    every = _module("constants").ALL_PARTITIONS
    if any(partition != every for _, partition in deleted.values()):
        raise LeftToEngineError
    return {key: seq for key, (seq, _) in deleted.items()}


def _segment(keys: Sequence[Any], seqs: Any, table: Any, key: str) -> Any:
    vectors = np.zeros((len(keys), 0), dtype=np.float32)
    return _module("storage.segment").Segment(
        file_path="",
        partition="",
        pk_field=key,
        vector_field="",
        pks=keys,
        seqs=seqs,
        vectors=vectors,
        table=table.combine_chunks(),
    )


def _module(name: str) -> Any:
    """Return a module of the engine, which ships no types."""
    return import_module(f"milvus_lite.{name}")
