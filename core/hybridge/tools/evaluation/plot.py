"""Quality against latency, as a picture."""

from __future__ import annotations

import os
from io import StringIO
from typing import Any

from hybridge.errors import InvalidInputError
from hybridge.extras import import_extra
from hybridge.tools.evaluation.evaluation import Evaluation
from hybridge.tools.evaluation.measures import names_of

_SIZE = (9.0, 5.5)
_DPI = 120


def plot(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write the picture; its kind is told by the ending (`.png`, `.svg`, `.pdf`).

    Args:
        evaluation: What is drawn.
        path: Where to.

    Raises:
        InvalidInputError: If it was made without questions.
        MissingExtraError: If matplotlib is not installed.
    """
    _figure(evaluation).savefig(path, dpi=_DPI, metadata=_undated(os.fspath(path)))


def svg(evaluation: Evaluation) -> str:
    """Return the picture as SVG, for a page; see `plot`."""
    text = StringIO()
    _figure(evaluation).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _undated(path: str) -> dict[str, Any]:
    return {"Date": None} if path.endswith(".svg") else {}


def _figure(evaluation: Evaluation) -> Any:
    if evaluation.proposed is None:
        msg = "there is no quality to draw without questions: evaluate with questions"
        raise InvalidInputError(msg)
    # Without pyplot: no window, no state that a program would share.
    figure = import_extra("matplotlib.figure", "plot", "eval", "matplotlib").Figure(
        figsize=_SIZE, layout="constrained"
    )
    axes, name = figure.add_subplot(), names_of(evaluation.k)[0]
    for place, row in enumerate(evaluation.rows):
        one = row.measures[name]
        axes.errorbar(
            row.latency.p50,
            one.mean,
            yerr=[[one.mean - one.low], [one.high - one.mean]],
            fmt="*" if place == evaluation.proposed else "o",
            markersize=14 if place == evaluation.proposed else 7,
            capsize=3,
            label=row.setting.name + (" (proposed)" if place == evaluation.proposed else ""),
        )
    axes.set_xscale("log")
    axes.set_xlabel("median milliseconds of one search")
    axes.set_ylabel(f"{name}, with its 95 % interval")
    axes.set_title(f"{evaluation.collection}: {evaluation.questions:,} questions")
    axes.grid(visible=True, which="both", alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    return figure
