"""What an evaluation has found: a table, JSON, and the configuration that it proposes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.store import SearchConfig
from hybridge.tools.evaluation.latency import Latency
from hybridge.tools.evaluation.measures import Measured, names_of
from hybridge.tools.evaluation.settings import Setting
from hybridge.tools.evaluation.threshold import FEWEST_QUESTIONS, Threshold


@dataclass(frozen=True)
class Row:
    """One way to search, measured.

    Attributes:
        setting: The way.
        measures: nDCG, recall and MRR with their intervals; empty without questions.
        p: How likely its nDCG differs from that of the default by chance; None for the default.
        latency: Milliseconds of one search.
    """

    setting: Setting
    measures: Mapping[str, Measured]
    p: float | None
    latency: Latency


@dataclass(frozen=True)
class Evaluation:
    """All ways to search a collection, measured; print it.

    Attributes:
        collection: Its name.
        documents: How many rows it has.
        questions: How many questions were asked.
        k: How many hits of each count.
        rows: The ways; the first is the default.
        health: By field: how well its model finds the documents by their own words; see
            `MilvusStore`.
        proposed: The place of the proposed way; None without questions.
        threshold: The least relevance of an answer; None without questions, of too few, or where
            hits have no relevance.
    """

    collection: str
    documents: int
    questions: int
    k: int
    rows: Sequence[Row]
    health: Mapping[str, float]
    proposed: int | None
    threshold: Threshold | None

    @property
    def setting(self) -> Setting:
        """The proposed way to search.

        Raises:
            InvalidInputError: If nothing is proposed, since there were no questions.
        """
        if self.proposed is None:
            msg = "nothing is proposed without questions: evaluate with questions of your users"
            raise InvalidInputError(msg)
        return self.rows[self.proposed].setting

    def config(self) -> SearchConfig:
        """Return what is proposed; an unreliable threshold is left out.

        Raises:
            InvalidInputError: If nothing is.
        """
        one = self.threshold
        return self.setting.config(one.value if one is not None and one.is_reliable else None)

    def write_config(self, path: str | os.PathLike[str]) -> None:
        """Write what is proposed, for `MilvusStore(config=path)` and both frameworks.

        Raises:
            InvalidInputError: If nothing is.
        """
        self.config().write(path, self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "collection": self.collection,
            "documents": self.documents,
            "questions": self.questions,
            "k": self.k,
            "settings": [
                {
                    "name": row.setting.name,
                    "measures": {name: asdict(one) for name, one in row.measures.items()},
                    "p": row.p,
                    "latency_ms": asdict(row.latency),
                }
                for row in self.rows
            ],
            "health": dict(self.health),
            "proposed": None if self.proposed is None else self.setting.name,
            "threshold": None if self.threshold is None else asdict(self.threshold),
        }

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the lines of a table, as strings."""
        names = names_of(self.k) if self.questions else ()
        heading = ["setting", *(f"{name} (95 %)" for name in names)]
        heading += ["against the default", "p50 ms", "p95 ms"]
        return heading, [self._line(row, names) for row in self.rows]

    def _line(self, row: Row, names: Sequence[str]) -> list[str]:
        shown = [row.measures[name] for name in names]
        return [
            row.setting.name,
            *(f"{one.mean:.3f} ({one.low:.3f}-{one.high:.3f})" for one in shown),
            self._against(row, names),
            f"{row.latency.p50:.1f}",
            f"{row.latency.p95:.1f}",
        ]

    def _against(self, row: Row, names: Sequence[str]) -> str:
        if row.p is None or not names:
            return "default" if row is self.rows[0] else ""
        difference = row.measures[names[0]].mean - self.rows[0].measures[names[0]].mean
        return f"{difference:+.3f} (p = {row.p:.3f})"

    def advice(self) -> list[str]:
        """Return what follows from it, a sentence each."""
        if self.proposed is None:
            return [
                "Nothing is proposed: latency and health say nothing of quality. Give questions "
                "of your users, and the ids of the documents that answer them."
            ]
        return [self._advice_on_settings(), *self._advice_on_threshold()]

    def _advice_on_settings(self) -> str:
        if self.proposed:
            return (
                f"Search with {self.setting.name}: its nDCG@{self.k} is higher than the default's, "
                f"and that is hardly chance (p = {self.rows[self.proposed].p:.3f})."
            )
        if len(self.rows) == 1:
            return f"There is one way to search, {self.setting.name}: nothing is compared."
        return (
            f"Keep the default, {self.setting.name}: of {len(self.rows) - 1} other ways none is "
            f"better by more than chance may explain, with {self.questions} questions."
        )

    def _advice_on_threshold(self) -> list[str]:
        one = self.threshold
        if one is None:
            return [
                f"No threshold is proposed: it takes {FEWEST_QUESTIONS} questions, and hits with "
                "a relevance."
            ]
        told = (
            f"A hit of relevance {one.value:.2f} and more is an answer: that tells "
            f"{one.held_out:.0%} right of questions that it was not learned from ("
            f"{one.questions} questions; AUC {one.auc_off_topic:.3f} against questions about "
            f"something else, {one.auc_removed:.3f} where the answer was taken away)."
        )
        if one.is_reliable:
            return [told]
        return [told, "That is too few to rely on, so the configuration leaves it out."]

    def __str__(self) -> str:
        heading, lines = self.table()
        widths = [max(map(len, column)) for column in zip(heading, *lines, strict=True)]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in (heading, *lines)
        ]
        head = f"{self.collection}: {self.documents:,} documents, {self.questions:,} questions"
        health = [
            f"health of {name}: {one:.2f} (how well its model finds documents by their own words)"
            for name, one in self.health.items()
        ]
        return "\n".join([head, "", *table, "", *health, *self.advice()])
