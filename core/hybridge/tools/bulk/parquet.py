"""One Parquet file: rows as Milvus's bulk import takes them, and in its footer what BM25 counted.

The counts are part of the file, so that there is no moment at which one is there without the other.

Written with pyarrow, not with `pymilvus.bulk_writer`: that is imported with minio and azure, keeps
rows as Python objects until a chunk is full, and writes the same columns by pandas. Of 60,000 rows
of 384 numbers it took, with chunks of 128 MB, 1,266 MB, with chunks of 16 MB 403 MB; what is below
takes what one block takes. A test compares the files of both.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybridge.extras import import_extra
from hybridge.sparse.statistics import Statistics
from hybridge.store import Counts
from hybridge.whole_file import whole_file

_FOOTER = "hybridge"
_PAGE = 1000
_JSON = frozenset({"JSON", "SPARSE_FLOAT_VECTOR"})
"""Milvus's types that are strings of JSON in a file."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Footer:
    """What a file says of its rows.

    Attributes:
        rows: How many there are.
        counts: What BM25 counts of them.
        lacking: The vector fields that some of them lack.
    """

    rows: int
    counts: Counts
    lacking: frozenset[str]

    def to_json(self) -> dict[str, Any]:
        """Return the footer as JSON."""
        counts = [
            {
                "field": name,
                "tenant": tenant,
                "documents": one.documents,
                "tokens": one.tokens,
                "terms": _packed(one.frequencies),
                "frequencies": _packed(one.frequencies.values()),
            }
            for (name, tenant), one in self.counts.items()
        ]
        return {"rows": self.rows, "counts": counts, "lacking": sorted(self.lacking)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Footer:
        """Return the footer that `to_json` wrote."""
        counts = {
            (one["field"], one["tenant"]): Statistics(
                one["documents"],
                one["tokens"],
                dict(zip(_unpacked(one["terms"]), _unpacked(one["frequencies"]), strict=True)),
            )
            for one in value["counts"]
        }
        return cls(value["rows"], counts, frozenset(value["lacking"]))


def write_rows(path: Path, columns: Mapping[str, str], rows: Sequence[Row], footer: Footer) -> None:
    """Write a file, which is there once it is whole.

    Args:
        path: The file.
        columns: The columns, with Milvus's names of their types.
        rows: The rows.
        footer: What is said of them.
    """
    pyarrow = import_extra("pyarrow", "bulk", "bulk")
    parquet = import_extra("pyarrow.parquet", "bulk", "bulk", package="pyarrow")
    types = _types(pyarrow)
    arrays = {
        name: pyarrow.array([_written(row[name], kind) for row in rows], type=types[kind])
        for name, kind in columns.items()
    }
    table = pyarrow.table(arrays)
    with whole_file(path) as part, parquet.ParquetWriter(part, table.schema) as writer:
        writer.write_table(table, row_group_size=len(rows) or 1)
        writer.add_key_value_metadata({_FOOTER: json.dumps(footer.to_json())})


def read_footer(path: Path) -> Footer:
    """Return what a file says of its rows."""
    parquet = import_extra("pyarrow.parquet", "bulk", "bulk", package="pyarrow")
    return Footer.from_json(json.loads(parquet.read_metadata(path).metadata[_FOOTER.encode()]))


def read_rows(
    path: Path, columns: Mapping[str, str], names: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file as they were given.

    Args:
        path: The file.
        columns: The columns, with Milvus's names of their types.
        names: Which of them are read; None for all.
    """
    parquet = import_extra("pyarrow.parquet", "bulk", "bulk", package="pyarrow")
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_PAGE, columns=None if names is None else list(names)):
            read = {name: _read(batch.column(name), columns[name]) for name in batch.schema.names}
            for place in range(len(batch)):
                yield {name: values[place] for name, values in read.items()}


def _types(pyarrow: Any) -> Mapping[str, Any]:
    text = pyarrow.string()
    return {
        "VARCHAR": text,
        "JSON": text,
        "SPARSE_FLOAT_VECTOR": text,
        "FLOAT_VECTOR": pyarrow.list_(pyarrow.float32()),
        "BOOL": pyarrow.bool_(),
        "INT64": pyarrow.int64(),
        "DOUBLE": pyarrow.float64(),
    }


def _written(value: Any, kind: str) -> Any:
    return json.dumps(value, ensure_ascii=False) if kind in _JSON and value is not None else value


def _read(column: Any, kind: str) -> Sequence[Any]:
    if kind == "FLOAT_VECTOR":
        numbers = column.flatten().to_numpy(zero_copy_only=False)
        return list(np.split(numbers, column.offsets.to_numpy()[1:-1] - column.offsets[0].as_py()))
    values: list[Any] = column.to_pylist()
    if kind not in _JSON:
        return values
    if kind == "JSON":
        return [None if value is None else json.loads(value) for value in values]
    return [{int(index): weight for index, weight in json.loads(one).items()} for one in values]


def _packed(numbers: Iterable[int]) -> str:
    return base64.b64encode(np.fromiter(numbers, dtype="<u4").tobytes()).decode()


def _unpacked(text: str) -> list[int]:
    numbers: list[int] = np.frombuffer(base64.b64decode(text), dtype="<u4").tolist()
    return numbers
