"""Lines of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping
from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.origins.columns import Columns
from hybridge.tools.origins.origin import Origin


@dataclass(frozen=True)
class FromJSONL(Origin):
    """The lines of a file, a JSON object each.

    Attributes:
        path: The file.
        columns: Which key holds what.
        metric: How the vectors are compared.
    """

    path: str | os.PathLike[str]
    columns: Columns = field(default_factory=Columns)
    metric: Metric = "COSINE"

    def count(self) -> int:
        """Return how many lines hold something."""
        with open(self.path, encoding="utf-8") as lines:
            return sum(1 for line in lines if line.strip())

    def records(self) -> Iterator[Record]:
        """Yield the record of each line."""
        with open(self.path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    where = f"line {number} of {os.fspath(self.path)}"
                    row = _parse_line(line, where)
                    self.columns.check(row, where)
                    yield self.columns.record(row)


def _parse_line(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        msg = f"{where} is no JSON ({error}): mend it and go on"
        raise InvalidInputError(msg) from error
    if not is_mapping(row):
        msg = f"{where} is a {type(row).__name__}, not a JSON object: mend it and go on"
        raise InvalidInputError(msg)
    return dict(row)
