"""`hybridge eval` and `search --html`: figures, what follows from them, and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridge import MilvusStore, SearchConfig
from support.command import run, run_json

PLACES = ["river", "castle", "bridge", "market", "garden", "tower", "school", "harbour"]
NAMES = [f"{colour} {place}" for colour in ("red", "blue", "green") for place in PLACES]


@pytest.fixture(scope="module")
def beir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in BEIR's layout, each of whose questions one document answers."""
    folder = tmp_path_factory.mktemp("places")
    corpus = [{"_id": name, "text": f"the {name} is old"} for name in NAMES]
    queries = [{"_id": f"q{name}", "text": f"where is the {name}"} for name in NAMES]
    for file, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        (folder / file).write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "qrels").mkdir()
    judged = "".join(f"q{name}\t{name}\t1\n" for name in NAMES)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")
    return folder


def test_a_folder_is_indexed_and_judged(beir: Path, tmp_path: Path) -> None:
    """Without --uri nothing is left; what is proposed opens a store."""
    files = {name: tmp_path / name for name in ("search.json", "plot.png", "page.html")}
    asked = ["--config", files["search.json"], "--plot", files["plot.png"]]
    found = run_json(
        "eval", "--data", beir, "--dense", "none", *asked, "--html", files["page.html"]
    )
    assert (found["documents"], found["questions"]) == (24, 24)
    [setting] = found["settings"]
    assert setting["measures"]["nDCG@10"]["mean"] == 1.0
    assert found["proposed"] == "sparse"
    assert SearchConfig.read(files["search.json"]).search_fields == ("sparse",)
    assert all(path.stat().st_size > 500 for path in files.values())


def test_questions_of_a_csv_are_about_the_collection(docs: Path, path: str) -> None:
    """A question for each file, by the ids of its rows."""
    run("index", docs, "--uri", path, "--dense", "none")
    with MilvusStore(path) as store:
        ids = {record.text.split()[1]: record.id for record in store.scroll()}
    questions = docs.parent / "questions.csv"
    questions.write_text(f"question,id\nwhat can speak?,{ids['Birds']}\n", "utf-8")
    found = run_json("eval", "--data", questions, "--uri", path)
    assert found["settings"][0]["measures"]["MRR@10"]["mean"] == 1.0
    shown = run("eval", "--data", questions, "--uri", path).stdout
    assert "There is one way to search, sparse" in shown
    assert "it takes 20 questions" in shown


def test_without_questions_nothing_is_proposed(docs: Path, path: str) -> None:
    """Latency alone; a configuration is refused."""
    run("index", docs, "--uri", path, "--dense", "none")
    found = run_json("eval", "--uri", path)
    assert found["proposed"] is None
    assert found["settings"][0]["latency_ms"]["p50"] > 0
    refused = run("eval", "--uri", path, "--config", docs.parent / "search.json", code=2)
    assert "give --data" in refused.stderr


def test_a_search_is_written_as_a_page(docs: Path, path: str) -> None:
    """Beside the hits that are shown."""
    run("index", docs, "--uri", path, "--dense", "none")
    page = docs.parent / "search.html"
    assert "birds.md" in run("search", "parrots", "--uri", path, "--html", page).stdout
    assert "sparse terms: parrot" in page.read_text("utf-8")
