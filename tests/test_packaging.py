"""The wheel and the sdist work in a clean environment, and the README's examples run."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import hybridge

ROOT = Path(__file__).parents[1]
PROGRAM = """
import hybridge, langchain_hybridge, llama_index_hybridge
from importlib.metadata import version
from importlib.resources import files
assert version("hybridge") == hybridge.__version__
for package in (hybridge, langchain_hybridge, llama_index_hybridge):
    assert (files(package) / "py.typed").is_file(), package
with hybridge.MilvusStore("packaged.db") as store:
    store.add([hybridge.Record(id="a", text="a red house")])
    print([hit.id for hit in store.search("houses")])
"""


def test_the_changelog_tells_of_this_version() -> None:
    """The version is written in `hybridge/__init__.py` alone; the changelog has a part on it."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## [{hybridge.__version__}] - " in changelog
    assert "\n## [Unreleased]\n" in changelog
    assert "\nversion =" not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_links_of_the_readme_work_on_the_index() -> None:
    """Once the project has a public home, none is relative, and pictures are fetched as bytes."""
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install hatchling")
    home, tag = "https://host/owner/hybridge", f"v{hybridge.__version__}"
    links = runpy.run_path(str(ROOT / "hatch_build.py"))
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = links["absolute"](readme, home, tag)
    found = re.findall(r"\]\(([^)]+)\)", shown)
    assert len(found) == len(re.findall(r"\]\(([^)]+)\)", readme)) > 10
    assert all(link.startswith(("https://", "#")) for link in found)
    assert f"]({home}/raw/{tag}/docs/pictures/demo.svg)" in shown
    assert f"]({home}/blob/{tag}/SECURITY.md)" in shown
    assert links["absolute"](readme, "", tag) == readme
    assert set(links["urls"](home)) >= {"Source", "Documentation", "Changelog"}
    assert links["urls"]("") == {}


@pytest.mark.long
def test_the_distribution_installs_and_runs(tmp_path: Path) -> None:
    """With the two frameworks and nothing else, all three packages import and a store works.

    The wheel is built of the sdist, which so holds all that an installation needs.
    """
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    [wheel] = tmp_path.glob("*.whl")
    assert len(list(tmp_path.glob("*.tar.gz"))) == 1
    venv.create(tmp_path / "clean", with_pip=True)
    python = next((tmp_path / "clean").glob("[bS]*/python*"))
    install = [python, "-m", "pip", "install", "--quiet", f"{wheel}[langchain,llama-index]"]
    subprocess.run(install, check=True, capture_output=True, timeout=600)
    result = subprocess.run(
        [python, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stdout == "['a']\n", result.stderr
