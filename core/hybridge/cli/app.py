"""All commands, put together."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from hybridge import __version__
from hybridge.cli.check import check
from hybridge.cli.copy import copy
from hybridge.cli.eval import eval
from hybridge.cli.export import export
from hybridge.cli.failures import Commands
from hybridge.cli.index import index
from hybridge.cli.migrate import migrate
from hybridge.cli.plan import plan
from hybridge.cli.reindex import reindex
from hybridge.cli.search import search
from hybridge.cli.serve_lite import serve_lite
from hybridge.cli.stats import stats

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    # Rich's show the variables of each frame, a token among them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (index, search, eval, stats, check, reindex, migrate, copy, export, plan, serve_lite)
for command in _COMMANDS:
    app.command(command.__name__.replace("_", "-"))(command)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hybridge {__version__}")
        raise typer.Exit


@app.callback()
def hybridge(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Index files into Milvus and search them: dense, BM25 and hybrid.

    A server's token is read from MILVUS_TOKEN. What programs read goes to stdout, all else to
    stderr. Exit codes: 0 all is well, 1 something failed, 2 the command makes no sense, 3 `check`
    found faults, 130 interrupted.
    """
    # What Milvus Lite refuses is an error that says so; it logs a traceback of it as well.
    logging.getLogger("milvus_lite.adapter").setLevel(logging.CRITICAL)
