"""The command `hybridge`: one module for each of its commands; see docs/command_line.md."""

from __future__ import annotations

import os
import sys

from hybridge.errors import MissingExtraError
from hybridge.extras import import_extra


def main() -> None:
    """Run the command with the arguments of the process, and end the process."""
    try:
        import_extra("typer", "the command hybridge", "cli")
    except MissingExtraError as error:
        sys.exit(f"hybridge: {error}")
    # A model's threads spin while they wait for each other: where other programs run, a question
    # took 0.5 s of that and 0.03 s of work. Torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from hybridge.cli.app import app

    app(prog_name="hybridge")
