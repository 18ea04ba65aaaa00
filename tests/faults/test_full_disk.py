"""A disk that fills up at any moment: what was acknowledged is there, what was refused is not."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.programs import start
from hybridge import MilvusStore

RUNS = int(os.environ.get("HYBRIDGE_FULL_DISKS", "2"))

LIMITED = """
    import resource
    def size():
        logs = [os.path.join(at, f) for at, _, files in os.walk(path) for f in files]
        return max(os.path.getsize(log) for log in logs)
    def limit(to):
        resource.setrlimit(resource.RLIMIT_FSIZE, (to, resource.RLIM_INFINITY))
    print("kept", *range(10), flush=True)
    limit(size() + 3000)
    refused = [f"refused{n}" for n in range(200)]
    try:
        store.add([Record(id=one, text="refused " * 50) for one in refused])
    except Exception as error:
        print("refused", type(error).__name__, flush=True)
    limit(resource.RLIM_INFINITY)
    for n in range(100, 200):
        store.add([Record(id=str(n), text=f"word{n} and more")])
        print("kept", n, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_log_that_cannot_grow(path: str) -> None:
    """An insertion tears the log; space is freed, writing goes on, and the process is killed."""
    if not hasattr(resource, "RLIMIT_FSIZE"):
        pytest.skip("this system has no limit of file sizes")
    out, errors = start(path, LIMITED).communicate()
    lines = out.splitlines()
    assert any(line.startswith("refused") for line in lines), errors
    kept = {word for line in lines if line.startswith("kept") for word in line.split()[1:]}
    assert len(kept) == 110, errors
    with MilvusStore(path) as store:
        assert {record.id for record in store.scroll()} == kept
        assert {hit.id for hit in store.search("word150", mode="sparse")} == {"150"}
        assert store.check() == []


@contextmanager
def small_disk(megabytes: int = 8) -> Iterator[Path]:
    """Mount a small file system in memory; skip where that is not to be had."""
    with tempfile.TemporaryDirectory() as folder:
        size = f"size={megabytes}m"
        try:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no small disk can be mounted here: {error}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


FILLED = """
    import json, random
    from hybridge.errors import HybridgeError, StoreBrokenError
    rng, left = random.Random(SEED), LEFT
    ballast = os.path.join(os.path.dirname(path), "ballast")
    def tell(what, of=None):
        print(json.dumps([what, of]), flush=True)
    def seen():
        tell("seen", {record.id: record.text for record in store.scroll()})
    def work(word):
        ids = [str(n) for n in rng.sample(range(300), 20)]
        more = "and more " * rng.randrange(100)
        texts = {one: f"{word} word{one} {more}" for one in ids}
        tell("asked", texts)
        store.add([Record(id=one, text=text) for one, text in texts.items()])
        tell("acknowledged", texts)
        gone = dict.fromkeys(ids[:3])
        tell("asked", gone)
        store.delete(list(gone))
        tell("acknowledged", gone)
        if rng.random() < 0.3:
            store.flush()
    def fill():
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        os.truncate(ballast, os.path.getsize(ballast) - left)
    for n in range(5):
        work(f"early{n}")
    fill()
    try:
        for n in range(1000):
            work(f"full{n}")
    except HybridgeError as error:
        tell("refused", f"{type(error).__name__}: {error}")
    os.remove(ballast)
    try:
        seen()
        for n in range(8):
            work(f"late{n}")
        seen()
    except StoreBrokenError as error:
        tell("broken", str(error))
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Told:
    """What a program has told of its rows.

    Attributes:
        rows: The texts that are there, by id.
        asked: Those that are asked for and not acknowledged; None for a deletion.
    """

    def __init__(self) -> None:
        self.rows: dict[str, str | None] = {str(n): f"word{n} and more" for n in range(10)}
        self.asked: dict[str, str | None] = {}

    def tell(self, what: str, of: Mapping[str, str | None]) -> None:
        """Take what is told."""
        if what == "asked":
            self.asked = dict(of)
        elif what == "acknowledged":
            self.rows.update(of)
            self.asked = {}
        elif what == "seen":
            self.check(of)
            self.rows, self.asked = dict(of), {}

    def check(self, seen: Mapping[str, str | None]) -> None:
        """See that nothing was lost, and nothing but what was asked for is there."""
        for key in self.rows.keys() | self.asked.keys() | seen.keys():
            known = self.rows.get(key)
            assert seen.get(key) in (known, self.asked.get(key, known)), key


def fill_once(seed: int) -> str:
    """Fill a disk under a writer; return what the writer was told then."""
    left = random.Random(seed).randrange(0, 200) * 1024
    with small_disk() as disk:
        path, told, refused = disk / "milvus.db", Told(), ""
        body = FILLED.replace("SEED", str(seed)).replace("LEFT", str(left))
        program = start(path, body)
        out, errors = program.communicate()
        assert program.returncode == -signal.SIGKILL, errors
        for line in out.splitlines():
            what, of = json.loads(line)
            if what in ("refused", "broken"):
                refused += f"{what} {of:.100} "
            else:
                told.tell(what, of)
        assert "refused" in refused, errors
        with MilvusStore(path) as store:
            told.check({record.id: record.text for record in store.scroll()})
            assert store.check() == []
    return refused


def test_a_disk_that_fills_up() -> None:
    """Space is freed, writing goes on, and the process is killed: nothing acknowledged is lost."""
    fill_once(0)


@pytest.mark.long
def test_many_disks_that_fill_up() -> None:
    """At random moments; HYBRIDGE_FULL_DISKS says how many."""
    for seed in range(1, RUNS + 1):
        print(seed, fill_once(seed), flush=True)
