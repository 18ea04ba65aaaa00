"""The rows of a collection in a file that other programs read, and `migrate` reads back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tqdm.auto import tqdm

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import FilterLike, MilvusStore, batched
from hybridge.whole_file import whole_file

_PAGE = 1000

Row = Mapping[str, Any]
Writer = Callable[[BinaryIO, Iterable[Row]], int]


def writer_of(suffix: str) -> Writer:
    """Return what writes files of a suffix.

    Raises:
        InvalidInputError: If nothing does.
    """
    writers: dict[str, Writer] = {".jsonl": _write_jsonl, ".parquet": _write_parquet}
    if suffix.lower() not in writers:
        msg = f"files of the suffix {suffix!r} are not written: take .jsonl or .parquet"
        raise InvalidInputError(msg)
    return writers[suffix.lower()]


def export_records(
    store: MilvusStore,
    target: Path | BinaryIO,
    write: Writer,
    *,
    filter: FilterLike = None,
    with_vectors: bool = False,
    progress: bool = False,
) -> int:
    """Write the rows of a store: id, text, metadata, and what else they have.

    Args:
        store: Whose rows.
        target: The file, which is there once it is whole; or an open one.
        write: What writes it, by `writer_of`.
        filter: Which rows.
        with_vectors: Whether vectors are written, each in a column of its field's name.
        progress: Whether to show a progress bar.

    Returns:
        How many rows were written.

    Raises:
        InvalidInputError: If there is no folder for the file, or the filter makes no sense.
    """
    records = store.scroll(filter, with_vectors=with_vectors)
    shown = tqdm(records, disable=not progress, desc="export", unit="row")
    rows = (_row(record) for record in shown)
    if not isinstance(target, Path):
        return write(target, rows)
    if not target.parent.is_dir():
        msg = f"there is no folder {str(target.parent)!r}: make it first"
        raise InvalidInputError(msg)
    with whole_file(target) as part, part.open("xb") as file:
        return write(file, rows)


def _row(record: Record) -> Row:
    return {
        "id": record.id,
        "text": record.text,
        "metadata": dict(record.metadata),
        "document_id": record.document_id,
        "context": record.context,
        "extra": record.extra,
        **{name: _plain(vector) for name, vector in record.vectors.items()},
    }


def _plain(vector: Any) -> Any:
    if is_mapping(vector):
        return {
            "indices": [int(one) for one in vector],
            "values": list(map(float, vector.values())),
        }
    return [float(one) for one in vector]


def _write_jsonl(file: BinaryIO, rows: Iterable[Row]) -> int:
    number = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        number += 1
    return number


def _write_parquet(file: BinaryIO, rows: Iterable[Row]) -> int:
    """Write a page at a time; metadata and extra are JSON, whose keys differ from row to row."""
    pyarrow = import_extra("pyarrow", "writing Parquet files")
    parquet = import_extra("pyarrow.parquet", "writing Parquet files", package="pyarrow")
    writer: Any = None
    number = 0
    for page in batched(map(_flat, rows), _PAGE):
        table = pyarrow.Table.from_pylist(page, schema=_schema(pyarrow, page[0]))
        if writer is None:
            writer = parquet.ParquetWriter(file, table.schema)
        writer.write_table(table)
        number += len(page)
    if writer is None:
        empty = {"id": "", "text": "", "metadata": ""}
        writer = parquet.ParquetWriter(file, _schema(pyarrow, empty))
    writer.close()
    return number


def _flat(row: Row) -> Row:
    written = {key: json.dumps(row[key], ensure_ascii=False) for key in ("metadata", "extra")}
    return {**row, **written}


def _schema(pyarrow: Any, row: Row) -> Any:
    numbers = pyarrow.list_(pyarrow.float32())
    pairs = pyarrow.struct([("indices", pyarrow.list_(pyarrow.int64())), ("values", numbers)])
    kinds: Iterator[tuple[str, Any]] = (
        (
            name,
            numbers
            if isinstance(value, list)
            else pairs
            if is_mapping(value)
            else pyarrow.string(),
        )
        for name, value in row.items()
    )
    return pyarrow.schema(list(kinds))
