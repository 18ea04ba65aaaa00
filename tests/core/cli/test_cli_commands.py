"""The other commands, each run once for real, and what all of them have in common."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import hybridge.cli
from hybridge import MilvusStore, Record
from hybridge.cli.app import app
from support.command import run, run_json

COMMANDS = [str(command.name) for command in app.registered_commands]
COLUMNS = {
    "metadata": "metadata",
    "document_id": "document_id",
    "context": "context",
    "vectors": {"dense": "dense", "sparse": "sparse"},
}


@pytest.fixture
def filled(path: str) -> str:
    """A path with two rows that have vectors."""
    with MilvusStore(path, dim=2) as store:
        store.add(
            [
                Record(id="a", text="red apples", metadata={"n": 1}, dense=[0.6, 0.8]),
                Record(id="b", text="green pears", metadata={"n": [2]}, dense=[1.0, 0.0]),
            ]
        )
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    """In plain text, with all of its options and what they mean."""
    shown = run(command, "--help").stdout
    assert f"Usage: hybridge {command}" in shown
    assert "--json" in shown
    assert "\x1b" not in shown


def test_every_command_is_in_the_documentation() -> None:
    """Under a heading of its own; the root's help lists it."""
    page = (Path(__file__).parents[3] / "docs" / "command_line.md").read_text("utf-8")
    listed = run("--help").stdout
    assert [one for one in COMMANDS if f"\n## {one}\n" not in page] == []
    assert all(f"\n  {one}" in listed for one in COMMANDS)
    assert run("--version").stdout == f"hybridge {hybridge.__version__}\n"


def test_stats_say_what_there_is(filled: str) -> None:
    """As text and as JSON."""
    said = run_json("stats", "--uri", filled)
    assert (said["rows"], set(said["fields"])) == (2, {"dense", "sparse"})
    assert "2 rows" in run("stats", "--uri", filled).stdout


def test_check_has_an_exit_code_of_its_own_and_reindex_mends(filled: str) -> None:
    """Counts that somebody has changed are found, and counted anew."""
    assert run_json("check", "--uri", filled)["ok"] is True
    with MilvusStore(filled) as store:
        store.count()
        companion = store._session.collection().companion
        [row_id] = [row["id"] for row in companion.listing() if row["kind"] == "counts"]
        [row] = companion.read([row_id])
        companion.upsert([{**row, "kind": "counts", "tokens": 70}])
    found = run_json("check", "--uri", filled, code=3)
    assert "rebuild_statistics" in found["faults"][0]
    assert run_json("reindex", "--uri", filled)["recounted"] is True
    assert run_json("check", "--uri", filled)["faults"] == []


def test_check_of_a_damaged_path_fails_and_finds_no_faults(filled: str) -> None:
    """It could not look, so its exit code is 1; what to do is one line."""
    [rows] = Path(filled, "collections", "hybridge").rglob("data_*.parquet")
    with rows.open("r+b") as file:
        file.truncate(rows.stat().st_size // 2)
    done = run("check", "--uri", filled, "--json", code=1)
    assert "restore a copy" in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)


def test_a_copy_is_verified(filled: str, tmp_path: Path) -> None:
    """A second run writes nothing."""
    target = tmp_path / "copy.db"
    done = run_json("copy", filled, target, "--to-collection", "other")
    assert (done["ok"], done["written"], done["records"]) == (True, 2, 2)
    assert run_json("copy", filled, target, "--to-collection", "other")["written"] == 0
    assert run_json("stats", "--uri", target, "--collection", "other")["rows"] == 2


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_what_is_exported_can_be_read_back(filled: str, tmp_path: Path, kind: str) -> None:
    """Ids, texts, metadata and vectors."""
    file, target = tmp_path / f"rows.{kind}", tmp_path / "back.db"
    assert run_json("export", file, "--uri", filled, "--vectors")["rows"] == 2
    options = json.dumps({"columns": COLUMNS})
    done = run_json("migrate", kind, file, "--uri", target, "--options", options)
    assert (done["ok"], done["written"]) == (True, 2)
    with MilvusStore(filled) as old, MilvusStore(target) as new:
        assert list(new.scroll()) == list(old.scroll())
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == [file.name]


def test_rows_that_match_go_to_stdout(filled: str) -> None:
    """A line of JSON each, and nothing else."""
    shown = run("export", "-", "--uri", filled, "--filter", '{"n": 1}').stdout
    [row] = map(json.loads, shown.splitlines())
    assert (row["id"], row["metadata"], "dense" in row) == ("a", {"n": 1}, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["migrate", "nonsense", "x"], "one of chroma"),
        (["migrate", "chroma", "x"], "docs/moving"),
        (["migrate", "jsonl", "x", "--options", "[1]"], "JSON object"),
        (["export", "-", "--json"], "leave one of them out"),
    ],
)
def test_what_no_command_can_do_is_said(arguments: list[str], message: str) -> None:
    """As a matter of usage."""
    assert message in " ".join(run(*arguments, code=2).stderr.split())


def test_a_file_of_another_kind_is_not_written(filled: str, tmp_path: Path) -> None:
    """Nor is anything left of it."""
    assert ".jsonl or .parquet" in run("export", tmp_path / "a.xml", "--uri", filled, code=1).stderr
    assert not (tmp_path / "a.xml").exists()
    missing = run("export", tmp_path / "missing" / "a.jsonl", "--uri", filled, code=1)
    assert "there is no folder" in missing.stderr


def heed_ctrl_c() -> None:
    """In a child: what a shell starts in the background ignores it, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_path_is_served_to_several_processes(filled: str) -> None:
    """What many write is found, flushed or not; Ctrl-C ends it with 130, and all is there."""
    command = [sys.executable, "-m", "hybridge", "serve-lite", filled, "--port", "0", "--json"]
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c
        ) as server,
        ExitStack() as stack,
    ):
        stack.callback(server.kill)  # else a failure would wait for it
        assert server.stdout is not None
        lines = iter(server.stdout.readline, b"}\n")
        uri = json.loads(b"".join(lines) + b"}")["uri"]
        with MilvusStore(uri) as first, MilvusStore(uri) as second:
            rows = [Record(id=f"r{n}", text=f"row {n}", dense=[1.0, n]) for n in range(150)]
            first.add(rows[:75])
            second.add(rows[75:])
            assert first.search("row 149", mode="sparse", k=1)[0].id == "r149"
            assert second.count() == 152
            second.flush()
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130
    with MilvusStore(filled) as store:
        assert (store.count(), store.check()) == (152, [])


def test_without_the_extra_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And nothing else is done."""
    monkeypatch.setitem(sys.modules, "typer", None)
    with pytest.raises(SystemExit, match=r"pip install 'hybridge\[cli\]'"):
        hybridge.cli.main()


def test_help_loads_no_store() -> None:
    """It is what completion waits for at each press of the key."""
    program = "import sys, hybridge.cli.app; print({'scipy', 'pymilvus'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_an_interrupted_command_ends_with_130(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a traceback, and the next one works; nothing of a file is there but whole."""

    def interrupted(*arguments: object, **others: object) -> Iterator[Record]:
        yield Record(id="a", text="red apples")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(MilvusStore, "scroll", interrupted)
        done = run("export", tmp_path / "rows.jsonl", "--uri", filled, "--json", code=130)
    assert (done.stdout, done.stderr) == ("", "")
    assert [one for one in tmp_path.iterdir() if one.is_file()] == []
    assert run_json("export", tmp_path / "rows.jsonl", "--uri", filled)["rows"] == 2
