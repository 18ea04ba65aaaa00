"""Lines of JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from hybridge.records import Record
from hybridge.store import Metric
from hybridge.tools.json_lines import place_of, read_json_lines
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
            file = os.fspath(self.path)
            for number, row in read_json_lines(lines, file):
                self.columns.check(row, place_of(number, file))
                yield self.columns.record(row)
