"""A package lists what it gives in `__all__`, to type checkers, and where it is loaded from."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import hybridge

ROOTS = [Path(hybridge.__file__).parents[1], Path(__file__).parents[1] / "adapters"]
FILES = {
    ".".join(file.relative_to(root).parts[:-1]): file
    for root in ROOTS
    for file in sorted(root.rglob("__init__.py"))
    if "lazy_names(" in file.read_text("utf-8")
}


def listed(tree: ast.Module) -> list[str]:
    """What a source file writes as its `__all__`: a list of strings, which an editor can read."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def shown_to_type_checkers(tree: ast.Module) -> set[str]:
    """The names that a source file imports under TYPE_CHECKING."""
    return {
        alias.asname or alias.name
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def loaded_lazily(tree: ast.Module) -> set[str]:
    """The keys of a source file's lazy table."""
    return {
        ast.literal_eval(key)
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if key
    }


def test_the_three_packages_are_among_them() -> None:
    """The packages are found by themselves; these at least must be."""
    assert {"hybridge", "langchain_hybridge", "llama_index_hybridge"} <= set(FILES)


@pytest.mark.parametrize("package", FILES)
def test_all_is_what_is_loaded_lazily_and_what_type_checkers_see(package: str) -> None:
    """The three lists of a package are one."""
    tree = ast.parse(FILES[package].read_text("utf-8"))
    names = listed(tree)
    assert names == import_module(package).__all__
    assert len(names) == len(set(names))
    assert set(names) == loaded_lazily(tree) == shown_to_type_checkers(tree)


@pytest.mark.parametrize("package", FILES)
def test_every_listed_name_resolves(package: str) -> None:
    """And a name that is not listed is an AttributeError."""
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        module.nonsense  # noqa: B018
