"""Optional dependencies, imported where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from hybridge.errors import MissingExtraError


def import_extra(module: str, user: str, extra: str = "", package: str | None = None) -> Any:
    """Import a module of an optional dependency.

    Args:
        module: The module.
        user: What needs it, for instance a class name.
        extra: The extra of Hybridge that brings it; "" where none does.
        package: The package that holds it, where its name differs.

    Raises:
        MissingExtraError: It is not installed, or cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        # If it is installed but broken, the original error says what is wrong.
        absent = error.name is not None and module.startswith(error.name)
        raise MissingExtraError(user, package or module, extra) from (None if absent else error)
