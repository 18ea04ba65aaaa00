"""What became of rows that were moved."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from hybridge.cli.failures import FAILED
from hybridge.cli.output import show

if TYPE_CHECKING:
    from hybridge.tools import Report


def end_with(report: Report, *, as_json: bool) -> None:
    """Show a report, and end the command as it says.

    Raises:
        typer.Exit: If something is not right.
    """
    told = {name: value for name, value in asdict(report).items() if name != "differing"}
    data = {"ok": report.ok, **told, "differing": list(report.differing)}
    show({**data, "agreement": dict(report.agreement)}, str(report).splitlines(), as_json=as_json)
    if not report.ok:
        raise typer.Exit(FAILED)
