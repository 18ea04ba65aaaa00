"""Files of rows: JSON lines and CSV, read a row at a time."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from hybridge.errors import InvalidInputError
from hybridge.store import parse_metadata, plain_value
from hybridge.tools.files.decoding import encoding_of, undecodable
from hybridge.tools.files.part import Part, Settings
from hybridge.tools.json_lines import read_json_lines

_LONGEST = 2**31 - 1
"""Characters of a cell of a CSV file; Python's own limit is 131,072."""


def read_jsonl(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield a part for each line that holds something."""
    with _opened(path, settings) as file:
        for number, row in read_json_lines(file):
            yield _part(row, number, settings)


def read_csv(path: Path, settings: Settings) -> Iterator[Part]:
    """Yield a part for each row; the first one names the columns, and all values are strings."""
    csv.field_size_limit(_LONGEST)
    dialect = "excel-tab" if path.suffix.lower() == ".tsv" else "excel"
    with _opened(path, settings) as file:
        rows = csv.DictReader(file, dialect=dialect, strict=True)
        try:
            for row in rows:
                yield _part(_parse_row(row, rows.line_num), rows.line_num, settings)
        except csv.Error as error:
            msg = f"line {rows.line_num} is no CSV ({error}): mend it"
            raise InvalidInputError(msg) from error


@contextmanager
def _opened(path: Path, settings: Settings) -> Generator[TextIO]:
    with path.open("rb") as start:
        encoding = encoding_of(start.read(4), settings.encoding)
    try:
        with path.open(encoding=encoding, newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise undecodable(error) from error


def _parse_row(row: Mapping[str | None, Any], number: int) -> Mapping[str, Any]:
    if None in row:
        msg = f"line {number} has more cells than the first one names: mend it"
        raise InvalidInputError(msg)
    return {str(name): value for name, value in row.items() if value is not None}


def _part(row: Mapping[str, Any], number: int, settings: Settings) -> Part:
    """Return a row as a part: one column is its text, one perhaps its id, the rest metadata."""
    text = _value(row, settings.text_column, number, "--text-column")
    if not isinstance(text, str):
        msg = f"line {number}: {settings.text_column!r} is a {type(text).__name__}, not a text"
        raise InvalidInputError(msg)
    row_id, named = None, {settings.text_column}
    if settings.id_column is not None:
        row_id = str(_value(row, settings.id_column, number, "--id-column"))
        named.add(settings.id_column)
    others = {key: value for key, value in row.items() if key not in named}
    metadata = parse_metadata(others, f"line {number}", plain_value)
    return Part(text, place={"line": number}, metadata=metadata, id=row_id)


def _value(row: Mapping[str, Any], column: str, number: int, option: str) -> Any:
    value = row.get(column)
    if value is None or value == "":
        there = ", ".join(map(repr, row)) or "nothing"
        msg = (
            f"line {number} has nothing in {column!r}, but in {there}: "
            f"name the column with {option}"
        )
        raise InvalidInputError(msg)
    return value
