"""What the LlamaIndex adapter shows, and what it never imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import llama_index_hybridge

FOLDER = Path(llama_index_hybridge.__file__).parent
NAMES = {
    "ContentIds",
    "DenseEmbedding",
    "JinaRerank",
    "MilvusRetriever",
    "MilvusVectorStore",
    "Rerank",
    "SparseEmbedding",
}


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in another interpreter."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_all_is_the_public_surface() -> None:
    """Every public name is listed and loads."""
    assert set(llama_index_hybridge.__all__) == NAMES
    for name in NAMES:
        assert getattr(llama_index_hybridge, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        llama_index_hybridge.nonsense  # noqa: B018


def test_neither_models_nor_milvus_are_loaded_before_use() -> None:
    """Making a vector store and a reranker loads neither torch, nor pymilvus, nor LangChain."""
    program = (
        "import sys\n"
        "from llama_index_hybridge import DenseEmbedding, MilvusVectorStore, Rerank\n"
        "MilvusVectorStore(uri='x.db')\n"
        "heavy = {'torch', 'transformers', 'pymilvus', 'milvus_lite', 'langchain_core'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = run(program)
    assert done.returncode == 0, done.stderr


def test_without_llama_index_the_cure_is_named() -> None:
    """A missing llama-index-core is an error that says which extra to install."""
    done = run("import sys; sys.modules['llama_index'] = None; import llama_index_hybridge")
    assert "pip install 'hybridge[llama-index]'" in done.stderr


def test_neither_adapter_imports_the_other() -> None:
    """The LlamaIndex adapter imports core and LlamaIndex, and nothing of LangChain."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.startswith("langchain") for name in names), file
