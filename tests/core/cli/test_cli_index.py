"""`hybridge index` and `search`: files become rows, and stay what the files are."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridge import MilvusStore
from hybridge.dense import Model2VecEmbeddingFunction
from hybridge.store import BATCH_SIZE
from support.command import run, run_json

KILLED = """
import os, signal, sys
from hybridge.cli.app import app
from hybridge.store import MilvusStore

delete = MilvusStore.delete
MilvusStore.delete = lambda *arguments, **others: os.kill(os.getpid(), signal.SIGKILL)
app(["index", *sys.argv[1:], "--dense", "none"])
"""


def index(*arguments: object, code: int = 0) -> Any:
    """Index by BM25 alone."""
    return run_json("index", *arguments, "--dense", "none", code=code)


def texts(path: str) -> list[str]:
    """The texts of all rows."""
    with MilvusStore(path) as store:
        return sorted(record.text for record in store.scroll())


def test_what_was_indexed_is_found(docs: Path, path: str) -> None:
    """A hit says its file, its headings, and how each field scored it."""
    done = index(docs, "--uri", path)
    assert (len(done["new"]), done["written"], done["failed"]) == (2, 2, {})
    found = run_json("search", "speaking parrots", "--uri", path, "-k", 1)
    [hit] = found["hits"]
    assert hit["text"] == "# Birds\n\nParrots can learn to speak."
    assert hit["document_id"] == hit["metadata"]["file"]["path"] == str(docs / "birds.md")
    assert hit["scores"]["sparse"]["rank"] == 1
    shown = run("search", "speaking parrots", "--uri", path).stdout
    assert "birds.md" in shown
    assert "\x1b" not in shown


def test_nothing_is_embedded_twice(
    docs: Path, path: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run makes no model; the collection knows the one that it was made with."""
    run("index", docs, "--uri", path, "--dense", model)
    hits = run_json("search", "parrots", "--uri", path)["hits"]
    assert set(hits[0]["scores"]) == {"dense", "sparse"}

    def fail(*arguments: object, **others: object) -> None:
        raise AssertionError("a model was made")

    monkeypatch.setattr(Model2VecEmbeddingFunction, "__init__", fail)
    done = run_json("index", docs, "--uri", path)
    assert (done["unchanged"], done["written"], done["deleted"]) == (2, 0, 0)


def test_a_file_is_the_same_however_it_is_named(
    docs: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, absolute, through a link, twice, or by its folder."""
    index(docs, "--uri", path)
    monkeypatch.chdir(docs)
    (docs.parent / "link").symlink_to(docs)
    done = index("birds.md", docs / "birds.md", "../link", ".", "--uri", path)
    assert (done["unchanged"], done["new"], done["written"]) == (2, [], 0)


def test_changed_files_are_replaced_and_gone_ones_removed(docs: Path, path: str) -> None:
    """A file that is renamed is a new one, and the old one is gone."""
    index(docs, "--uri", path)
    (docs / "birds.md").write_text("Owls cannot.", "utf-8")
    (docs / "bills.md").rename(docs / "invoices.md")
    done = index(docs, "--uri", path)
    assert done["changed"] == [str(docs / "birds.md")]
    assert (done["new"], done["removed"]) == ([str(docs / "invoices.md")], [str(docs / "bills.md")])
    assert texts(path) == ["# Bills\n\nThe invoice is due in May.", "Owls cannot."]


def test_what_is_gone_is_removed_under_the_paths_alone(docs: Path, path: str) -> None:
    """And never of a folder that is missing or holds nothing, as one that is not mounted."""
    other = docs.parent / "do_s"  # `_` and `%` of a path are no wildcards
    other.mkdir()
    (other / "a.txt").write_text("first", "utf-8")
    (docs / "b.txt").write_text("second", "utf-8")
    index(docs, other, "--uri", path)
    for file in [*docs.iterdir(), other / "a.txt"]:
        file.unlink()
    (docs / "new.txt").write_text("third", "utf-8")
    done = index(other, "--uri", path)
    assert (done["removed"], done["left"]) == ([], [str(other)])
    assert "cannot be read" in run("index", docs.parent / "missing", "--uri", path, code=1).stderr
    assert len(index(docs, "--uri", path)["removed"]) == 3
    assert texts(path) == ["first", "third"]


def test_a_killed_run_leaves_no_file_half_there(docs: Path, path: str) -> None:
    """Killed between writing and deleting, both versions are there; the next run mends that."""
    index(docs, "--uri", path)
    (docs / "birds.md").write_text("Owls cannot.", "utf-8")
    command = [sys.executable, "-c", KILLED, str(docs), "--uri", path]
    killed = subprocess.run(command, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(texts(path)) == 3
    done = index(docs, "--uri", path)
    assert (done["unchanged"], done["written"], done["deleted"]) == (2, 0, 1)
    assert len(texts(path)) == 2


def test_a_file_of_which_the_end_is_missing_is_written_again(tmp_path: Path, path: str) -> None:
    """As a run leaves it that was killed while it wrote."""
    rows = [json.dumps({"text": f"row {number}"}) for number in range(BATCH_SIZE + 2)]
    table = tmp_path / "rows.jsonl"
    table.write_text("\n".join(rows), "utf-8")
    index(table, "--uri", path)
    with MilvusStore(path) as store:
        last = {"$.file.chunk": {"$gte": BATCH_SIZE}}
        assert store.delete(filter=last) == 2
    done = index(table, "--uri", path)
    assert (done["changed"], done["written"]) == ([str(table)], BATCH_SIZE + 2)


def test_rows_have_the_ids_of_their_column(tmp_path: Path, path: str) -> None:
    """Other columns are metadata; what another file has is not overwritten."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.csv"
    first.write_text('{"key": 7, "body": "seven", "year": 2020}\n', "utf-8")
    second.write_text('key,body\n8,"eight, too"\n7,another\n', "utf-8")
    columns = ["--text-column", "body", "--id-column", "key", "--uri", path]
    done = index(first, second, *columns, code=1)
    assert "has the id '7' as well" in done["failed"][str(second)]
    second.write_text('key,body\n8,"eight, too"\n', "utf-8")
    index(second, *columns)
    hits = run_json("search", "seven eight", "--uri", path)["hits"]
    assert {hit["id"]: hit["text"] for hit in hits} == {"7": "seven", "8": "eight, too"}
    filtered = run_json("search", "seven", "--uri", path, "--filter", '{"year": {"$gte": 2020}}')
    assert [hit["id"] for hit in filtered["hits"]] == ["7"]


def test_one_bad_file_keeps_no_other_from_being_indexed(docs: Path, path: str) -> None:
    """Each is said with what to do, the exit code is 1, and what was known of it stays."""
    (docs / "latin.txt").write_bytes("café".encode("latin-1"))
    (docs / "binary.txt").write_bytes(b"a\0b")
    (docs / "broken.jsonl").write_text('{"text": "good"}\n{"text"\n', "utf-8")
    (docs / "columns.csv").write_text("name\nx\n", "utf-8")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (docs / "empty.md").touch()
    done = index(docs, "--uri", path, code=1)
    said = {Path(name).name: why for name, why in done["failed"].items()}
    assert len(said) == 5
    assert "--encoding" in said["latin.txt"]
    assert "NUL" in said["binary.txt"]
    assert "line 2 is no JSON" in said["broken.jsonl"]
    assert "--text-column" in said["columns.csv"]
    assert "PDF" in said["broken.pdf"]
    assert done["empty"] == [str(docs / "empty.md")]
    assert len(texts(path)) == 2
    index(docs / "latin.txt", "--uri", path, "--encoding", "latin-1")
    assert "café" in texts(path)


def test_what_is_left_out_of_a_folder_is_said(docs: Path, path: str) -> None:
    """Hidden files, tools' folders, links and other kinds; a file that is named is read."""
    for name in (".git", "node_modules"):
        (docs / name).mkdir()
        (docs / name / "a.md").write_text("hidden", "utf-8")
    (docs / ".hidden.md").write_text("hidden", "utf-8")
    (docs / "code.py").write_text("print()", "utf-8")
    (docs / "link.md").symlink_to(docs / "birds.md")
    done = index(docs, "--uri", path)
    assert done["skipped"] == {
        ".git/": 1, "node_modules/": 1, "hidden files": 1, ".py": 1, "links": 1
    }  # fmt: skip
    assert len(done["new"]) == 2
    assert index(docs / "code.py", "--uri", path)["new"] == [str(docs / "code.py")]


def test_tenants_are_kept_apart(docs: Path, path: str) -> None:
    """A tenant's files are its own: the other sees none, and removes none."""
    index(docs, "--uri", path, "--tenant", "acme")
    index(docs / "birds.md", "--uri", path, "--tenant", "other")
    (docs / "bills.md").unlink()
    assert index(docs, "--uri", path, "--tenant", "other")["removed"] == []
    found = run_json("search", "invoice", "--uri", path, "--tenant", "acme")["hits"]
    assert [hit["document_id"] for hit in found] == [str(docs / "bills.md")]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "x", "--uri", "{path}"], 1, "`hybridge index PATH` makes a new one"),
        (["search", "x", "--filter", "year"], 2, "is no JSON"),
        (["search", "x", "--filter", '{"a": {"$nonsense": 1}}'], 2, "unknown operator"),
        (["search", "x", "--uri", "milvus"], 1, "ends in '.db'"),
        (["search"], 2, "Missing argument"),
        (["search", "x", "-k", "0"], 2, "greater than or equal to 1"),
        (["search", "x", "--min-relevance", "2"], 2, "less than or equal to 1"),
        (["search", "x", "--uri", "http://127.0.0.1:1"], 1, "check that it runs"),
        (["index", "{docs}", "--uri", "{path}", "--dense", "nonsense"], 1, "There is no function"),
        (["index", "{docs}", "--uri", "{path}", "--encoding", "nonsense"], 2, "Python knows no"),
        (["index", "{docs}", "--uri", "{path}", "--chunk-size", "0"], 2, "--chunk-size"),
    ],
)
def test_what_makes_no_sense_is_said(
    docs: Path, path: str, arguments: list[str], code: int, message: str
) -> None:
    """In one message on stderr, without a traceback, and nothing is made."""
    given = [one.format(docs=docs, path=path) if "$" not in one else one for one in arguments]
    result = run(*given, "--json", code=code)
    assert message in " ".join(result.stderr.replace("│", "").split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not os.path.exists(path)


def test_a_path_that_another_process_has_open(docs: Path, path: str) -> None:
    """It is said what to do about it; the lock is taken as that process would."""
    index(docs, "--uri", path)
    with Path(path, "LOCK").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = run("search", "x", "--uri", path, "--json", code=1)
    assert done.stdout == ""
    assert "open in another process" in done.stderr
    assert "hybridge serve-lite" in done.stderr
    assert "Traceback" not in done.stderr
