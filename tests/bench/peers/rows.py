"""The rows that every contestant holds, and what it is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

K = 10
FIRST_YEAR = 2015


class Rows(NamedTuple):
    """Texts with their vectors, and questions with theirs."""

    texts: list[str]
    vectors: np.ndarray
    questions: list[str]
    question_vectors: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> Rows:
        texts, questions = (
            json.loads((folder / name).read_text("utf-8"))
            for name in ("texts.json", "questions.json")
        )
        vectors, question_vectors = (
            np.load(folder / name) for name in ("vectors.npy", "question_vectors.npy")
        )
        return cls(texts, vectors, questions, question_vectors)

    def metadata(self, number: int) -> dict[str, Any]:
        """Return a year, of which there is a column; a number below 100; and what 21 rows have."""
        rare = number % (len(self.texts) // 21 or 1) == 0
        return {"year": 2000 + number % 25, "number": float(number % 100), "rare": float(rare)}


class Question(NamedTuple):
    """A text with its vector, and the number and the key that its filter compares.

    Attributes:
        text: The text.
        vector: Its vector.
        key: The metadata key of a key filter.
        least: What it must be greater than; another one each time where no filter is to be kept.
    """

    text: str
    vector: np.ndarray
    key: str
    least: float

    @classmethod
    def of(cls, rows: Rows, question: int, kind: str) -> Question:
        key, least = ("rare", 0.5) if "21 rows" in kind else ("number", 72.5)
        if "new" in kind:
            least += question / 1000
        return cls(rows.questions[question], rows.question_vectors[question], key, least)
