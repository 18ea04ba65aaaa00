"""Questions with the documents that answer them, from files of the usual kinds."""

from __future__ import annotations

import csv
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from hybridge.arguments import shown
from hybridge.errors import InvalidInputError
from hybridge.records import Record
from hybridge.tools.json_lines import place_of, read_json_lines

Qrels = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Questions:
    """Questions, and what answers them.

    Attributes:
        texts: The questions by id.
        qrels: By the question's id: the ids of the documents that answer it, and how well (a grade
            above 0).
    """

    texts: Mapping[str, str]
    qrels: Qrels

    def __post_init__(self) -> None:
        if not self.texts:
            raise InvalidInputError(
                "there are no questions: give at least one, and what answers it"
            )
        if lacking := [key for key in self.texts if not self.qrels.get(key)]:
            msg = f"the question {lacking[0]!r} has no document that answers it: leave it out"
            raise InvalidInputError(msg)

    def __len__(self) -> int:
        return len(self.texts)


def read_beir(folder: str | os.PathLike[str], split: str = "test") -> Questions:
    """Read the judged questions of a folder in BEIR's layout.

    Args:
        folder: It holds `queries.jsonl` (`_id`, `text`) and `qrels/<split>.tsv` (a heading, then
            question, document, grade).
        split: Which judgements.

    Raises:
        InvalidInputError: If a file is not there, or not of that layout.
    """
    qrels: dict[str, dict[str, int]] = {}
    path = Path(folder) / "qrels" / f"{split}.tsv"
    with _opened(path) as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t"), start=1):
            if number == 1:
                continue  # the heading
            grade = _grade(row[2]) if len(row) >= _COLUMNS else None
            if grade is None:
                msg = f"{path}, line {number}: give question, document and a whole number, by tabs"
                raise InvalidInputError(msg)
            if grade > 0:
                qrels.setdefault(row[0], {})[row[1]] = grade
    rows = _rows(Path(folder) / "queries.jsonl")
    return Questions({row["_id"]: row["text"] for row in rows if row["_id"] in qrels}, qrels)


def read_corpus(folder: str | os.PathLike[str]) -> Iterator[Record]:
    """Yield the documents of a folder in BEIR's layout: `corpus.jsonl` (`_id`, `title`, `text`).

    The text of a record is the title, where there is one, and the text.

    Raises:
        InvalidInputError: If the file is not there, or not of that layout.
    """
    for row in _rows(Path(folder) / "corpus.jsonl"):
        title = row.get("title") or ""
        yield Record(
            id=row["_id"],
            text=f"{title} {row['text']}".strip(),
            metadata={"title": title} if title else {},
        )


def read_questions(path: str | os.PathLike[str]) -> Questions:
    """Read a CSV of questions: columns `question` and `id`, and `grade` where there are grades.

    A question that several documents answer has a line for each.

    Raises:
        InvalidInputError: If the file is not there, or lacks a column or a value.
    """
    with _opened(Path(path)) as file:
        rows = list(csv.DictReader(file))
    qrels: dict[str, dict[str, int]] = {}
    for number, row in enumerate(rows, start=2):
        grade = _grade(row.get("grade") or "1")
        if not row.get("question") or not row.get("id") or grade is None:
            msg = (
                f"{os.fspath(path)}, line {number}: each line needs `question` and `id`, and a "
                "`grade` is a whole number; the first line names the columns"
            )
            raise InvalidInputError(msg)
        if grade > 0:
            qrels.setdefault(row["question"], {})[row["id"]] = grade
    return Questions({question: question for question in qrels}, qrels)


_COLUMNS = 3


def _grade(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


@contextmanager
def _opened(path: Path) -> Generator[TextIO]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read: {error}"
        raise InvalidInputError(msg) from error


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with _opened(path) as file:
        for number, row in read_json_lines(file, str(path)):
            if not all(isinstance(row.get(key), str) for key in ("_id", "text")):
                where = place_of(number, str(path))
                msg = f"{where} has no `_id` and `text` that are strings: {shown(row)}"
                raise InvalidInputError(msg)
            yield row
