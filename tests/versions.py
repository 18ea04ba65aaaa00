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
        "stopwordsiso==0.7.0",
        # Their later versions need NumPy 2.
        "pyarrow==16.*",
        "pandas<2.3",
    ],
}
SUITES = {
    "pymilvus-2.6": ["tests/core/store"],  # nothing else touches it
    "lowest": ["tests/core/store", "tests/langchain", "tests/llama_index"],
}


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
