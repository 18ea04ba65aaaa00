"""The command `hybridge`, run in this process."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from hybridge.cli.app import app


def run(*arguments: object, code: int = 0) -> Result:
    """Run the command with some arguments; it has to end with a code."""
    result = CliRunner().invoke(app, [str(one) for one in arguments], prog_name="hybridge")
    assert result.exit_code == code, result.output
    return result


def run_json(*arguments: object, code: int = 0) -> Any:
    """Run the command with `--json`; return what it prints."""
    return json.loads(run(*arguments, "--json", code=code).stdout)
