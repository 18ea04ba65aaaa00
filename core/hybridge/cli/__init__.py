"""The command `hybridge`: one module for each of its commands; see docs/command_line.md."""

from __future__ import annotations

import sys

from hybridge.errors import MissingExtraError
from hybridge.extras import import_extra


def main() -> None:
    """Run the command with the arguments of the process, and end the process."""
    try:
        import_extra("typer", "the command hybridge", "cli")
    except MissingExtraError as error:
        sys.exit(f"hybridge: {error}")
    from hybridge.cli.app import app

    app(prog_name="hybridge")
