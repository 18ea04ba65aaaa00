"""The documentation site is whole, and asks no other host; the notebooks run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.pages import DOCS, ROOT, unexplained
from support.site import Page, dead_links, fetched_elsewhere, pages_of

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def test_what_does_not_run_says_why() -> None:
    """Python that no test runs is marked `py`, under a comment with the reason."""
    assert {page.name: unexplained(page) for page in PAGES if unexplained(page)} == {}


def test_an_unexplained_piece_is_found(tmp_path: Path) -> None:
    """The reason stands on the line above."""
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: a server -->\n```py\na\n```\n\n```py\nb\n```\n", "utf-8")
    assert unexplained(page) == ["b\n"]


def test_dead_links_and_other_hosts_are_found(tmp_path: Path) -> None:
    """A file or an anchor that is not there, a script, font, picture or style of another host."""
    tmp_path.joinpath("a.html").write_text(
        '<h1 id="there">A</h1><a href="#there">1</a><a href="#gone">2</a><a href="b.html">3</a>'
        '<a href="https://elsewhere">4</a><img src="https://elsewhere/x.png">'
        '<link href="//elsewhere/x.css"><script src="x.js"></script>',
        "utf-8",
    )
    tmp_path.joinpath("x.css").write_text("@font-face{src:url(https://elsewhere/f)}", "utf-8")
    pages = pages_of(tmp_path)
    assert dead_links(pages) == ["a.html: #gone", "a.html: b.html", "a.html: x.js"]
    assert fetched_elsewhere(tmp_path, pages) == [
        "https://elsewhere/x.png",
        "//elsewhere/x.css",
        str(tmp_path / "x.css"),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a warning is an error."""
    pytest.importorskip("mkdocstrings", reason="needs the extra hybridge[docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.long
def test_the_site_has_no_dead_link_and_asks_no_other_host(site: Path) -> None:
    """Every page, anchor, picture, script and style is its own."""
    pages = pages_of(site)
    assert len(pages) > 25
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert dead_links(pages) == []
    assert fetched_elsewhere(site, pages) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("store", {"hybridge.MilvusStore.search", "hybridge.Record", "hybridge.ServerOptions"}),
        ("tools", {"hybridge.tools.migrate.migrate", "hybridge.errors.StoreError"}),
        ("langchain", {"langchain_hybridge.MilvusVectorStore"}),
        ("llama_index", {"llama_index_hybridge.MilvusVectorStore"}),
    ],
)
def test_the_reference_is_made_of_the_docstrings(site: Path, page: str, names: set[str]) -> None:
    """Classes and methods have an anchor of their name."""
    shown = Page((site / "reference" / f"{page}.html").read_text("utf-8"))
    assert names <= shown.anchors


def test_a_notebook_for_each_framework_is_kept_without_output() -> None:
    """So that a change shows as what was changed."""
    assert [path.stem for path in NOTEBOOKS] == ["langchain", "llama_index"]
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.long
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebooks_run(notebook: Path, tmp_path: Path) -> None:
    """In a kernel, from the first cell to the last, whose assertions hold."""
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    content = nbformat.read(notebook, as_version=4)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    nbclient.NotebookClient(
        content, timeout=300, resources={"metadata": {"path": tmp_path}}
    ).execute(env=environment)
    printed = "".join(
        output.get("text", "") for cell in content.cells for output in cell.get("outputs", ())
    )
    assert "E-4711" in printed
