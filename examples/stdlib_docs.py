"""Some thousand real documents that every Python has: the docstrings of its standard library."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import inspect
import io
import sys
import warnings
from types import ModuleType
from typing import Any

# Importing these opens a window or a browser, prints a text, or takes long; or they are the
# platform's own name for what `os` has.
SKIPPED = {"antigravity", "this", "idlelib", "lib2to3", "test", "turtle", "turtledemo", "tkinter"}
PLATFORM = {"posix", "nt"}


def collect_docstrings() -> dict[str, str]:
    """Return qualified name to docstring of the public classes, functions and methods.

    A docstring that several have, as where a method is inherited, stands under its shortest name.
    """
    docstrings: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modules and of names that are deprecated
        for name in sorted(sys.stdlib_module_names - SKIPPED - PLATFORM):
            module = None if name.startswith("_") else _imported(name)
            if module is not None:
                _collect(module, name, docstrings)
    by_length = sorted(docstrings, key=lambda name: (len(name), name), reverse=True)
    names = {docstrings[name]: name for name in by_length}
    return {name: docstring for docstring, name in names.items()}


def _imported(name: str) -> ModuleType | None:
    """Import a module, or return None where the interpreter was built without it."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


def _collect(owner: Any, path: str, docstrings: dict[str, str]) -> None:
    """Add the docstrings of what a module or class defines itself."""
    for name, value in vars(owner).items():
        if name.startswith("_") or inspect.ismodule(value):
            continue
        value = getattr(owner, name, value)
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if inspect.ismodule(owner) and not _belongs(value, path):
            continue
        if doc := inspect.getdoc(value):
            docstrings.setdefault(f"{path}.{name}", doc)
        if inspect.isclass(value) and inspect.ismodule(owner):
            _collect(value, f"{path}.{name}", docstrings)


def _belongs(value: Any, module: str) -> bool:
    """Whether a module defines a value, or re-exports it from its own private C module."""
    if getattr(builtins, getattr(value, "__name__", ""), None) is value:
        return module == "builtins"  # and not `uuid.int_`
    home = getattr(value, "__module__", None) or module
    if home in PLATFORM:
        return module == "os"
    return home.lstrip("_").partition(".")[0] == module.partition(".")[0] or home == "builtins"
