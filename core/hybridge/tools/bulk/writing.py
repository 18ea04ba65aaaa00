"""Records in, a folder of rows out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm
from typing_extensions import Unpack

from hybridge.arguments import check_flag
from hybridge.errors import InvalidInputError
from hybridge.protocols import DenseEmbeddingFunction
from hybridge.records import Record
from hybridge.store import RowMaker, StoreArguments, batched, parse_limit
from hybridge.tools.bulk.folder import Folder, Manifest
from hybridge.tools.bulk.making import Making

BLOCK_SIZE = 10_000
"""Records of a block: with vectors of 384 numbers a file of some 20 MB."""


@dataclass(frozen=True)
class Written:
    """What a run has written.

    Attributes:
        folder: The folder.
        rows: How many rows there are.
        files: How many files they are in.
        blocks: How many blocks this run has made; the others were there.
        repeated: How many rows were left out, since a later one has their id.
        average_lengths: What documents are weighed by, in tokens, by BM25 field.
    """

    folder: Path
    rows: int
    files: int
    blocks: int
    repeated: int
    average_lengths: Mapping[str, float]

    @classmethod
    def of(cls, folder: Folder, manifest: Manifest, blocks: int) -> Written:
        """Return what is said of a finished folder."""
        rows, files = manifest.rows, len(manifest.files)
        averages = folder.plan.averages
        return cls(folder.path, rows, files, blocks, manifest.repeated, averages)

    def __str__(self) -> str:
        left_out = f", {self.repeated:,} repeated ids left out" if self.repeated else ""
        return (
            f"{self.rows:,} rows in {self.files:,} files in {self.folder / 'rows'}, "
            f"{self.blocks:,} blocks made{left_out}"
        )


def write(
    records: Iterable[Record],
    folder: str | os.PathLike[str],
    *,
    block_size: int = BLOCK_SIZE,
    progress: bool = False,
    dense: DenseEmbeddingFunction | str | None = None,
    **arguments: Unpack[StoreArguments],
) -> Written:
    """Make rows for Milvus's bulk import, a block at a time.

    The rows are those that `MilvusStore.add(records, ids="content")` would write: the last of
    several with one id counts, and a record without an id gets one of its content. The first 1,000
    documents fix BM25's average length, unless it is given.

    Call it again with the same records after an interruption: blocks that are there are not made
    again, and records that have changed are made anew. Memory holds one block.

    Args:
        records: The records.
        folder: Where the rows go. Its subfolder `rows` holds the Parquet files.
        block_size: How many records are encoded, counted and written at once.
        progress: Whether to show a progress bar.
        dense: See `MilvusStore`.
        **arguments: Those of `MilvusStore` that are about its rows: `sparse`, `fields`, `dim`,
            `metadata_schema`, `partition_key`, `average_length`, `metadata_encoder`.

    Returns:
        What was written; print it.

    Raises:
        InvalidInputError: If an argument makes no sense, or a record cannot be stored; the blocks
            before it are written.
        CollectionMismatchError: If the folder was begun with other arguments.
        MissingExtraError: If pyarrow is not installed.
    """
    check_flag(progress, "progress")
    block_size = parse_limit(block_size, "block_size")
    making, there = Making.parse({"dense": dense, **arguments}), Folder(folder)
    check_not_imported(there)
    maker, parsed = making.begin(there, making.records(records))
    blocks = dict(_blocks(there, maker, parsed, block_size, progress))
    return Written.of(there, there.finish(blocks, maker), sum(blocks.values()))


def _blocks(
    folder: Folder, maker: RowMaker, records: Iterator[Record], size: int, progress: bool
) -> Iterator[tuple[str, bool]]:
    """Yield the name of each block, and whether it was made."""
    with tqdm(disable=not progress, desc="write", unit="record") as bar:
        for block in batched(records, size):
            yield folder.add_block(block, maker)
            bar.update(len(block))


def check_not_imported(folder: Folder) -> None:
    """Refuse to change files that a server has taken.

    Raises:
        InvalidInputError: If an import of them was begun.
    """
    if folder.imports.exists():
        msg = f"an import of {folder.path} was begun: write further records into another folder"
        raise InvalidInputError(msg)
