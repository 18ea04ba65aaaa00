"""What a command that fails says, and what it exits with."""

from __future__ import annotations

import errno
from typing import Any

import typer
from typer.core import TyperGroup

from hybridge.errors import HybridgeError, StoreLockedError

FAILED = 1
FAULTS = 3
"""What `check` exits with where it found something: 1 says that it could not look."""
_INTERRUPTED = 130


class Commands(TyperGroup):
    """The commands, whose errors are told in one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run one; an error of ours, or of a file, ends it with its message."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except HybridgeError as error:
            fail(f"{error}{_advice(error)}")
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever reads has read enough; Typer knows what to do
            fail(str(error))


def fail(message: str) -> Any:
    """Say on stderr why a command failed, and end it.

    Raises:
        typer.Exit: Always.
    """
    typer.echo(f"hybridge: {message}", err=True)
    raise typer.Exit(FAILED)


def _advice(error: HybridgeError) -> str:
    """Return what the command line can do about an error, beyond what the error says."""
    if isinstance(error, StoreLockedError):
        return " (`hybridge serve-lite PATH` is such a server, and keeps it fast)"
    return ""
