"""Runs the suites against other versions of what Hybridge builds on.

Each set of versions gets a small environment that lies over the running one: it holds
only the packages that differ, and finds the rest there.

    python tests/versions.py [name ...]
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]

VERSIONS = {
    "pymilvus-2.6": ["pymilvus==2.6.*"],
    "lowest": [
        "pymilvus==2.6.7",
        "milvus-lite==3.2.2",
        "langchain-core==1.4.7",
        "llama-index-core==0.14.23",
        "numpy==1.24.*",
        "scipy==1.11.*",
        "requests==2.31.*",
        "tenacity==8.3.*",
        "tqdm==4.66.*",
        "xxhash==3.4.*",
        # Their later versions need NumPy 2.
        "pyarrow==16.*",
        "pandas<2.3",
    ],
}
CALLS = [
    "tests/core/store/test_adoption.py",
    "tests/core/store/test_aliases.py",
    "tests/core/store/test_columns.py",
    "tests/core/store/test_connection.py",
    "tests/core/store/test_milvus_bm25.py",
    "tests/core/store/test_milvus_bm25_requests.py",
    "tests/core/store/test_relay.py",
    "tests/core/store/test_scan.py",
    "tests/core/store/test_search.py",
    "tests/core/store/test_server_dialect.py",
    "tests/core/store/test_server_errors.py",
    "tests/core/store/test_server_options.py",
    "tests/core/store/test_store.py",
    "tests/core/store/test_tls.py",
]
"""The suites that make every call of pymilvus."""

CONVERSIONS = [
    "tests/core/sparse/test_bm25.py",
    "tests/core/store/test_encoding.py",
    "tests/core/store/test_fields.py",
    "tests/core/store/test_layout_1.py",
    "tests/core/store/test_live_bm25.py",
    "tests/core/store/test_tenants.py",
    "tests/langchain/test_langchain_async.py",
    "tests/langchain/test_langchain_embeddings.py",
    "tests/langchain/test_langchain_fields.py",
    "tests/langchain/test_langchain_filters.py",
    "tests/langchain/test_langchain_indexing.py",
    "tests/langchain/test_langchain_reranker.py",
    "tests/langchain/test_langchain_retriever.py",
    "tests/langchain/test_langchain_search.py",
    "tests/langchain/test_langchain_standard.py",
    "tests/langchain/test_langchain_vector_store.py",
    "tests/llama_index/test_llama_convert.py",
    "tests/llama_index/test_llama_embeddings.py",
    "tests/llama_index/test_llama_fields.py",
    "tests/llama_index/test_llama_filters.py",
    "tests/llama_index/test_llama_flows.py",
    "tests/llama_index/test_llama_life.py",
    "tests/llama_index/test_llama_reranker.py",
    "tests/llama_index/test_llama_retriever.py",
    "tests/llama_index/test_llama_vector_store.py",
]
"""Those that turn values into NumPy's, SciPy's and the frameworks' own, and back."""

SUITES = {"pymilvus-2.6": CALLS, "lowest": [*CALLS, *CONVERSIONS]}
"""What no version can change is left out: pure functions, odd values, faults, whole programs."""


def main(names: list[str]) -> int:
    """Run the named sets, or all; return how many failed."""
    failed = [name for name in names or VERSIONS if not passes(name)]
    print("failed:" if failed else "all passed", *failed)
    return len(failed)


def passes(name: str) -> bool:
    """Run the suites on one set of versions."""
    python = overlay(ROOT / f".venv-{name}")
    requirements = VERSIONS[name]
    print(f"== {name}: {', '.join(requirements)}", flush=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements], check=True)
    command = [python, "-m", "pytest", "-n", "2", "--dist", "loadscope", *SUITES[name]]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def overlay(folder: Path) -> str:
    """Make an environment over the running one, and return its Python."""
    if not folder.exists():
        venv.create(folder, with_pip=True)
        [packages] = folder.glob("**/site-packages")
        (packages / "zz_below.pth").write_text(
            f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", "utf-8"
        )
    return str(next(folder.glob("[bS]*/python*")))  # bin, or Scripts on Windows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
