"""What importing costs, and what core must never import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hybridge

CORE = Path(hybridge.__file__).parent
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "pymilvus",
    "milvus_lite",
    "langchain_core",
    "llama_index",
    "openai",
    "onnxruntime",
    "chromadb",
    "faiss",
    "lancedb",
    "psycopg",
    "pyarrow",
    "qdrant_client",
    "rich",
    "typer",
}


def loaded_after(program: str) -> set[str]:
    """The top-level modules that are loaded after a program."""
    result = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize(
    "program",
    [
        "import hybridge",
        "from hybridge import MilvusStore, Record, F, AUTO; MilvusStore('x.db')",
        "from hybridge.tools import migrate, origins; origins.FromChroma('./chroma', 'docs')",
        "from hybridge import BM25EmbeddingFunction; BM25EmbeddingFunction('en', ['a word'])",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_used(program: str) -> None:
    """Neither models nor pymilvus nor a framework, up to the first call that needs one."""
    assert not loaded_after(program) & HEAVY


def test_core_imports_no_framework() -> None:
    """Dependencies point one way: adapters know core, core knows neither framework."""
    for file in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert not name.startswith(("langchain", "llama_index", "core", "adapters")), file


def test_dir_shows_what_is_public() -> None:
    """An interactive session completes the lazy names before they are loaded."""
    assert set(dir(hybridge)) == {*hybridge.__all__, "__version__"}


def test_the_package_stands_for_pymilvus_model() -> None:
    """Code that reads `model.dense.X`, `model.sparse.X` and so on runs after the import alone."""
    program = """
import hybridge as model
model.dense.SentenceTransformerEmbeddingFunction, model.dense.VoyageEmbeddingFunction
model.sparse.BM25EmbeddingFunction, model.hybrid.BGEM3EmbeddingFunction
model.reranker.BGERerankFunction, model.reranker.CohereRerankFunction
model.DefaultEmbeddingFunction
from hybridge.sparse.bm25 import BM25EmbeddingFunction
from hybridge.sparse.bm25.tokenizers import build_default_analyzer
build_default_analyzer(language="en")
"""
    loaded_after(program)
