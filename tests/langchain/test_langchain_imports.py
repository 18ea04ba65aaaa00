"""What the LangChain adapter shows, and what it never imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import langchain_hybridge

FOLDER = Path(langchain_hybridge.__file__).parent
NAMES = {
    "DenseEmbeddings",
    "JinaRerank",
    "MilvusDocumentIndex",
    "MilvusRetriever",
    "MilvusTranslator",
    "MilvusVectorStore",
    "Rerank",
    "SparseEmbeddings",
}


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in another interpreter."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_all_is_the_public_surface() -> None:
    """Every public name is listed and loads."""
    assert set(langchain_hybridge.__all__) == NAMES
    for name in NAMES:
        assert getattr(langchain_hybridge, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        langchain_hybridge.nonsense  # noqa: B018


def test_neither_models_nor_milvus_are_loaded_before_use() -> None:
    """Making a vector store and a reranker loads neither torch, nor pymilvus, nor LlamaIndex."""
    program = (
        "import sys\n"
        "from langchain_hybridge import MilvusRetriever, MilvusVectorStore, Rerank\n"
        "MilvusRetriever(vectorstore=MilvusVectorStore(uri='x.db'))\n"
        "heavy = {'torch', 'transformers', 'pymilvus', 'milvus_lite', 'llama_index'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = run(program)
    assert done.returncode == 0, done.stderr


def test_without_langchain_the_cure_is_named() -> None:
    """A missing langchain-core is an error that says which extra to install."""
    done = run("import sys; sys.modules['langchain_core'] = None; import langchain_hybridge")
    assert "pip install 'hybridge[langchain]'" in done.stderr


def test_the_adapter_imports_core_and_langchain_alone() -> None:
    """And nothing of LlamaIndex."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.startswith("llama_index") for name in names), file
