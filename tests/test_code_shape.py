"""How the source is cut: short functions, and adapters that stand on the face of core alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [path for root in ("core", "adapters") for path in sorted((ROOT / root).rglob("*.py"))]
ADAPTERS = {
    name: sorted((ROOT / "adapters" / name).glob("*.py"))
    for name in ("langchain_hybridge", "llama_index_hybridge")
}
FACE = {
    "hybridge",
    "hybridge.arguments",
    "hybridge.closing",
    "hybridge.copies",
    "hybridge.errors",
    "hybridge.filters",
    "hybridge.function_settings",
    "hybridge.lazy",
    "hybridge.narrowing",
    "hybridge.protocols",
    "hybridge.registry",
    "hybridge.reranker",
    "hybridge.retrieval.reranking",
    "hybridge.spellings",
    "hybridge.store",
    "hybridge.texts",
    "hybridge.wrapped",
}
"""All of core that an adapter may import."""

BOTH = {
    "__init__.py",
    "convert.py",
    "embeddings.py",
    "filters.py",
    "functions.py",
    "options.py",
    "reranker.py",
    "retriever.py",
    "spellings.py",
    "vector_store.py",
}


MOST_LINES = {"langchain_hybridge": 1_270, "llama_index_hybridge": 1_410}
"""Of code in an adapter, docstrings and comments left out: what is more belongs into core."""


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def imported(path: Path) -> set[str]:
    """The modules that a file imports from, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_functions_stay_short() -> None:
    """No function is longer than 50 lines, docstring included; nine of ten have at most 20."""
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": (function.end_lineno or 0)
        - function.lineno
        + 1
        for path in SOURCES
        for function in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > 50} == {}
    assert quantiles(lengths.values(), n=10)[-1] <= 20


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_import_the_face_of_core_alone(adapter: str) -> None:
    """Never what is behind `hybridge.store`, so that core can be changed there."""
    names = {name for path in ADAPTERS[adapter] for name in imported(path)}
    assert {name for name in names if name.partition(".")[0] == "hybridge"} <= FACE


def test_the_face_is_no_larger_than_it_is_used() -> None:
    """What no adapter imports any more is taken off the list."""
    names = {name for paths in ADAPTERS.values() for path in paths for name in imported(path)}
    assert names >= FACE


def test_the_adapters_name_their_pieces_alike() -> None:
    """A piece that both adapters have is in a file of the same name."""
    langchain, llama_index = ({path.name for path in paths} for paths in ADAPTERS.values())
    assert langchain & llama_index == BOTH
    assert langchain - BOTH == {"batching.py", "document_index.py"}
    assert llama_index - BOTH == {"arguments.py"}


def code_lines(path: Path) -> int:
    """How many lines of a file are code: neither blank, nor a comment, nor in a docstring."""
    source = path.read_text("utf-8")
    strings = [
        range(node.lineno, (node.end_lineno or 0) + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    documented = {line for some in strings for line in some}
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in documented
        for number, line in enumerate(source.splitlines(), start=1)
    )


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_stay_translations(adapter: str) -> None:
    """They do not grow by what core could do for both."""
    assert sum(map(code_lines, ADAPTERS[adapter])) <= MOST_LINES[adapter]
