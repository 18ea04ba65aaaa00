"""Comparing the ways to search a collection on one's own questions, and proposing one."""

from __future__ import annotations

from hybridge.tools.evaluation.evaluate import evaluate
from hybridge.tools.evaluation.evaluation import Evaluation, Row
from hybridge.tools.evaluation.page import write_page
from hybridge.tools.evaluation.plot import plot
from hybridge.tools.evaluation.questions import (
    Questions,
    read_beir,
    read_corpus,
    read_questions,
)
from hybridge.tools.evaluation.threshold import Threshold

__all__ = [
    "Evaluation",
    "Questions",
    "Row",
    "Threshold",
    "evaluate",
    "plot",
    "read_beir",
    "read_corpus",
    "read_questions",
    "write_page",
]
