"""Lines of JSON, an object each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.narrowing import is_mapping


def read_json_lines(lines: Iterable[str], file: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line and its object; blank lines are left out.

    Args:
        lines: The lines.
        file: What they are of, for errors, where the caller does not say it anyway.

    Raises:
        InvalidInputError: If a line is no JSON object.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _parse_line(line, place_of(number, file))


def place_of(number: int, file: str = "") -> str:
    """Return what errors call a line; see `read_json_lines`."""
    return f"line {number} of {file}" if file else f"line {number}"


def _parse_line(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        msg = f"{where} is no JSON ({error}): mend it and go on"
        raise InvalidInputError(msg) from error
    if not is_mapping(row):
        msg = f"{where} is a {type(row).__name__}, not a JSON object: mend it and go on"
        raise InvalidInputError(msg)
    return dict(row)
