"""Many processes, on many machines, make the rows of one collection: by Ray Data.

    from hybridge.tools import ray_ingest

    dataset = ray.data.read_parquet("s3://bucket/texts")
    ray_ingest.write(dataset, "/shared/rows", dense="sentence-transformers/all-MiniLM-L6-v2",
                     workers=ray_ingest.Workers(8, gpus=0.5))
    ray_ingest.add(dataset, uri="http://milvus:19530", dense=...)

Workers are actors, which load their models once. A first pass counts the tokens of all texts, block
by block; the average length is known, and the same everywhere, before the first vector is made. So
ids, vectors and counts are those that one process makes by `average_length=` of the report.

`write` makes the files of `hybridge.tools.bulk`: a block is there or not, and is named by its
records, so that a worker that dies, or the whole job, repeats what was not there. `add` asks the
server for each block's rows first, and writes those that are not there. A worker has one block at a
time and waits for the server, which is what holds the others back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tqdm.auto import tqdm
from typing_extensions import Unpack

from hybridge.arguments import check_flag
from hybridge.errors import HybridgeError, InvalidInputError
from hybridge.extras import import_extra
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.records import Record
from hybridge.sparse.statistics import Statistics
from hybridge.store import (
    AUTO,
    MilvusStore,
    Plan,
    RowMaker,
    StoreArguments,
    VectorField,
    batched,
    count_lengths,
    parse_limit,
    planned_bm25,
)
from hybridge.tools.bulk.folder import Folder
from hybridge.tools.bulk.making import Making
from hybridge.tools.bulk.writing import BLOCK_SIZE, Written, check_not_imported
from hybridge.tools.origins import Columns
from hybridge.tools.rows import Rows

_HEAD = 256
"""Records that tell what a new collection holds."""


@dataclass(frozen=True)
class Workers:
    """Who does the work.

    Attributes:
        count: How many actors there are.
        cpus: The CPUs of each. The cluster needs some beside them, to read.
        gpus: The GPUs of each, such as 0.25 where four share one.
    """

    count: int = 2
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        parse_limit(self.count, "Workers: count")


@dataclass(frozen=True)
class Work:
    """How a dataset is worked on.

    Attributes:
        workers: Who does it.
        columns: Which column of the dataset holds what.
        block_size: How many records are encoded, counted and written at once.
        progress: Whether to show progress bars.
    """

    workers: Workers
    columns: Columns
    block_size: int
    progress: bool

    @classmethod
    def parse(
        cls, workers: Workers | None, columns: Columns | None, block_size: int, progress: bool
    ) -> Work:
        """Return the work that is asked for.

        Raises:
            InvalidInputError: If an argument makes no sense.
            MissingExtraError: If Ray is not installed.
        """
        import_extra("ray.data", "ray_ingest", "ray", package="ray")
        check_flag(progress, "progress")
        size = parse_limit(block_size, "block_size")
        return cls(workers or Workers(), columns or Columns(vectors={}), size, progress)

    def rows(self, dataset: Any, worker: type, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Have actors work on the dataset, and yield in order what they say of its blocks."""
        data = import_extra("ray.data", "ray_ingest", "ray", package="ray")
        made = dataset.map_batches(
            worker,
            fn_constructor_kwargs={"work": self, **arguments},
            batch_size=None,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(size=self.workers.count),
            num_cpus=self.workers.cpus,
            num_gpus=self.workers.gpus or None,
        )
        made.context.execution_options.preserve_order = True
        try:
            with tqdm(disable=not self.progress, desc=worker.__name__, unit="record") as bar:
                for row in made.iter_rows():
                    yield row
                    bar.update(row["records"])
        except Exception as error:
            raise _cause(error) from error

    def records(self, table: Any) -> Iterator[Record]:
        """Yield the records of a block of the dataset."""
        self.columns.check(table.column_names, "the dataset")
        yield from map(self.columns.record, table.to_pylist())

    def blocks(self, table: Any, making: Making) -> Iterator[list[Record]]:
        """Yield the records of a block of the dataset, as a store takes them, in our blocks."""
        return batched(making.records(self.records(table)), self.block_size)


def write(
    dataset: Any,
    folder: str | os.PathLike[str],
    *,
    columns: Columns | None = None,
    workers: Workers | None = None,
    block_size: int = BLOCK_SIZE,
    progress: bool = True,
    dense: DenseEmbeddingFunction | str | None = None,
    **arguments: Unpack[StoreArguments],
) -> Written:
    """Make rows for Milvus's bulk import; see `hybridge.tools.bulk.write`.

    Call it again with the same dataset after an interruption: blocks that are there are not made
    again. A dataset that is read in other blocks than before is made anew.

    Args:
        dataset: A `ray.data.Dataset`, of which a column holds the text; it is read twice where the
            average length is not given. Metadata whose keys differ from row to row are a column of
            JSON: Arrow would fill in what rows lack.
        folder: Where the rows go, which all workers must reach.
        columns: Which column holds what; by default "id", "text", and all others are metadata.
        workers: Who does the work; two actors by default.
        block_size: How many records are encoded, counted and written at once, of a block of the
            dataset at most.
        progress: Whether to show progress bars.
        dense: See `MilvusStore`. Give models by name: each worker loads its own.
        **arguments: See `hybridge.tools.bulk.write`.

    Returns:
        What was written; print it.

    Raises:
        InvalidInputError: If an argument makes no sense, or a record cannot be stored.
        CollectionMismatchError: If the folder was begun with other arguments.
        MissingExtraError: If Ray is not installed.
    """
    given: dict[str, Any] = {"dense": dense, **arguments}
    work = Work.parse(workers, columns, block_size, progress)
    making, there = Making.parse(given), Folder(folder)
    check_not_imported(there)
    if there.find_plan() is None:
        there.keep_plan(_plan(dataset, work, making, given))
    maker, _ = making.begin(there, iter(()))
    said = work.rows(dataset, BlockWriter, folder=str(there.path.resolve()), arguments=given)
    blocks = {row["block"]: row["made"] for row in said}
    return Written.of(there, there.finish(blocks, maker), sum(blocks.values()))


@dataclass(frozen=True)
class Added:
    """What a run has added to a collection.

    Attributes:
        records: How many records the dataset has.
        added: How many of them were not there.
        average_lengths: What documents are weighed by, in tokens, by BM25 field; {} where the
            collection was there, and says it itself.
        mended: What was found and mended afterwards: two workers that write one id at one time
            both count it.
    """

    records: int
    added: int
    average_lengths: Mapping[str, float]
    mended: list[str]

    def __str__(self) -> str:
        mended = f"; mended: {'; '.join(self.mended)}" if self.mended else ""
        return f"{self.added:,} of {self.records:,} records added, the others were there{mended}"


def add(
    dataset: Any,
    *,
    columns: Columns | None = None,
    workers: Workers | None = None,
    block_size: int = 1000,
    check: bool = True,
    progress: bool = True,
    dense: DenseEmbeddingFunction | str | None = None,
    **arguments: Unpack[StoreArguments],
) -> Added:
    """Add a dataset to a collection on a server.

    Call it again with the same dataset after an interruption: what is there as it should be is
    neither encoded nor written again. Ids must be distinct, or made of the content.

    Args:
        dataset: See `write`.
        columns: See `write`.
        workers: See `write`.
        block_size: How many records are looked up, encoded and added at once.
        check: Whether the counts are compared with the rows afterwards, which reads all of them,
            and mended.
        progress: See `write`.
        dense: See `write`.
        **arguments: Those of `MilvusStore`. The token of the server is read from MILVUS_TOKEN, here
            and by the workers.

    Returns:
        What was added; print it.

    Raises:
        InvalidInputError: If an argument makes no sense, a record cannot be stored, or the store is
            a path, which one process has at a time.
        CollectionMismatchError: If the collection holds something else.
        MissingExtraError: If Ray is not installed.
    """
    given: dict[str, Any] = {"dense": dense, **arguments}
    check_flag(check, "check")
    work = Work.parse(workers, columns, block_size, progress)
    with MilvusStore(**given) as store:
        _check_shared(store, given)
        averages = _make_collection(dataset, work, store, given)
        said = list(work.rows(dataset, Adder, arguments=given))
        mended = store.check() if check else []
        if mended:
            store.rebuild_statistics()
    records, added = (sum(row[name] for row in said) for name in ("records", "added"))
    return Added(records, added, averages, mended)


def _check_shared(store: MilvusStore, given: Mapping[str, Any]) -> None:
    """Refuse what many processes cannot do with a store."""
    if given.get("overwrite") or given.get("token") is not None:
        msg = (
            "overwrite= would drop what other workers write, and token= would be sent in clear: "
            "drop the collection before, and set MILVUS_TOKEN for the workers"
        )
        raise InvalidInputError(msg)
    if store.address.is_path:
        msg = (
            f"{store.address} is a path, which one process has at a time: write() a folder and "
            "bulk.load() it, or serve the path with `hybridge serve-lite`"
        )
        raise InvalidInputError(msg)


def _make_collection(
    dataset: Any, work: Work, store: MilvusStore, given: Mapping[str, Any]
) -> Mapping[str, float]:
    """Make the collection, if it is not there; return the average lengths that it then has."""
    if store.exists():
        return {}
    making = Making.parse(_about_rows(given))
    plan = _plan(dataset, work, making, given)
    store.prepare_import(plan)
    return plan.averages


def _about_rows(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in Making.names()}


# --- the counting pass ---------------------------------------------------------------------------


def _plan(dataset: Any, work: Work, making: Making, given: Mapping[str, Any]) -> Plan:
    """Return the plan of a new collection; the average length is that of all records."""
    rows = dataset.take_batch(_HEAD, batch_format="pyarrow")
    head = list(making.records(work.records(rows)))
    averages = making.average_length
    if averages is None:
        averages = _averages(dataset, work, making, given)
    return Plan.of(head, making.request, averages)


def _averages(
    dataset: Any, work: Work, making: Making, given: Mapping[str, Any]
) -> dict[str, float]:
    """Return the average length of all texts, by BM25 field."""
    names = [name for name, one in making.request.expected.items() if one.is_counted]
    if not names:
        return {}
    asked: Mapping[str, VectorField] = given.get("fields") or {}
    fields = {name: one for name, one in asked.items() if name in names}
    sparse = given.get("sparse", AUTO) if "sparse" in {*names} - {*fields} else None
    arguments = {"sparse": sparse, "fields": fields, "dim": None}
    counting = replace(work, workers=replace(work.workers, gpus=0.0))
    total = {name: Statistics() for name in names}
    for row in counting.rows(dataset, Counter, arguments=arguments):
        total[row["field"]].add(Statistics(row["documents"], row["tokens"]))
    return {name: one.average_length or 1.0 for name, one in total.items()}


# --- what a worker does --------------------------------------------------------------------------


class Counter:
    """Counts the tokens of the texts of a block; no model is loaded."""

    def __init__(self, work: Work, arguments: Mapping[str, Any]) -> None:
        self._work, self._making = work, Making.parse(arguments)
        fields = self._making.request.expected
        self._bm25 = planned_bm25(
            self._making.request, [one.new(name) for name, one in fields.items()]
        )

    def __call__(self, table: Any) -> dict[str, list[Any]]:
        """Return how many documents and tokens a block has, by field."""
        rows: dict[str, list[Any]] = {}
        for records in self._work.blocks(table, self._making):
            for name, one in count_lengths(records, self._bm25).items():
                _say(
                    rows,
                    field=name,
                    documents=one.documents,
                    tokens=one.tokens,
                    records=one.documents,
                )
        return rows


class BlockWriter:
    """Makes rows of the records of a block, and writes them into the folder."""

    def __init__(self, work: Work, folder: str, arguments: Mapping[str, Any]) -> None:
        self._work, self._making = work, Making.parse(arguments)
        self._folder = Folder(folder)
        self._maker = RowMaker(self._folder.plan, self._making.request)

    def __call__(self, table: Any) -> dict[str, list[Any]]:
        """Return the names of the blocks, and which were made."""
        rows: dict[str, list[Any]] = {}
        for records in self._work.blocks(table, self._making):
            name, made = self._folder.add_block(records, self._maker)
            _say(rows, block=name, made=made, records=len(records))
        return rows


class Adder:
    """Adds the records of a block that the collection has not."""

    def __init__(self, work: Work, arguments: Mapping[str, Any]) -> None:
        self._work, self._making = work, Making.parse(_about_rows(arguments))
        self._store = MilvusStore(**arguments)
        self._rows = Rows(self._store)

    def __call__(self, table: Any) -> dict[str, list[Any]]:
        """Return how many records there were, and how many were added."""
        rows: dict[str, list[Any]] = {}
        for records in self._work.blocks(table, self._making):
            owner = self._making.request.partition_key or ""
            last = {(one.id, one.metadata.get(owner)): one for one in records}
            differing = self._rows.differing(list(last.values()))
            self._store.add(differing)
            _say(rows, records=len(records), added=len(differing))
        return rows


def _say(rows: dict[str, list[Any]], **said: Any) -> None:
    for name, value in said.items():
        rows.setdefault(name, []).append(value)


def _cause(error: BaseException) -> BaseException:
    """Return our own error that a worker has raised, which Ray wraps in its own, or that."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, HybridgeError):
        found = getattr(found, "cause", None) or found.__cause__
    return found or error
