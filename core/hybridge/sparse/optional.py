"""Imports of packages that an extra brings."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from hybridge.errors import MissingExtraError


def import_extra(module: str, *, user: str, package: str, extra: str) -> ModuleType:
    """Import a module.

    Args:
        module: The module.
        user: What needs it, for the error.
        package: The distribution that holds it.
        extra: The extra of Hybridge that brings the distribution.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(user, package, extra) from None
