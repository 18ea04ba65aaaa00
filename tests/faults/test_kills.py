"""Killed at any step that can be named, a path has all that was acknowledged, and counts it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from faults.steps import Operation, Step, run
from hybridge import MilvusStore, Record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are named by /proc")

Rows = Mapping[str, str]
"""The texts that are there, by id."""


class Doing(NamedTuple):
    """An operation, and what is there after it."""

    operation: Operation
    change: dict[str, str | None]
    """The texts that it writes, None for those that it deletes; of `{"*": None}` all."""


def after(rows: Rows, doing: Doing) -> Rows:
    """Return what is there after an operation that is done."""
    left = {} if "*" in doing.change else {**rows, **doing.change}
    return {key: text for key, text in left.items() if text is not None}


def _add(store: MilvusStore, texts: Mapping[str, str]) -> None:
    store.add(
        [
            Record(id=key, text=text, metadata={"text": text}, dense=[len(text), 1.0])
            for key, text in texts.items()
        ]
    )


def _delete(store: MilvusStore, ids: Sequence[str]) -> None:
    assert store.delete(ids) == len(ids)


def _search(store: MilvusStore) -> None:
    store.search("word1", mode="sparse")


def adding(word: str, start: int, end: int) -> Doing:
    """Return the writing of some rows, new or not."""
    texts = {str(n): f"word{n} of {word} {'and more ' * (n % 5)}" for n in range(start, end)}
    return Doing(partial(_add, texts=texts), dict(texts))


def deleting(start: int, end: int) -> Doing:
    """Return the deletion of some rows that are there."""
    ids = [str(n) for n in range(start, end)]
    return Doing(partial(_delete, ids=ids), dict.fromkeys(ids))


SEARCH = Doing(_search, {})
FLUSH = Doing(MilvusStore.flush, {})
CLOSE = Doing(MilvusStore.close, {})
REENCODE = Doing(MilvusStore.reencode_sparse, {})
DROP = Doing(MilvusStore.drop, {"*": None})
CLEAR = Doing(MilvusStore.clear, {"*": None})

FILLED = [adding("first", 0, 12), deleting(0, 2), FLUSH, adding("then", 10, 16), deleting(3, 4)]
"""What is there before, flushed and not."""

LIVES: dict[str, list[Doing]] = {
    "writing": [adding("new", 14, 20), adding("again", 4, 8), deleting(5, 7), FLUSH, CLOSE],
    "opening": [SEARCH, CLOSE],
    "summing up": [*(adding(f"sum{n}", n, n + 3) for n in range(5)), deleting(4, 6)],
    "reencoding": [adding("long " * 30, 20, 24), REENCODE],
    "dropping": [DROP, adding("anew", 0, 3)],
    "clearing": [CLEAR, adding("anew", 0, 3)],
}


class Begun(NamedTuple):
    """A folder as a life begins with it, and what is there."""

    path: Path
    rows: Rows


def fill(folder: Path) -> Begun:
    """Return a path as a killed process has left it."""
    path, rows = folder / "milvus.db", dict[str, str]()
    run(path, [doing.operation for doing in FILLED])
    for doing in FILLED:
        rows = dict(after(rows, doing))
    return Begun(path, rows)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """A path as a killed process has left it."""
    return fill(tmp_path_factory.mktemp("filled"))


def check_killed(
    path: Path, before: Rows, acknowledged: Sequence[Doing], cut: Doing | None
) -> None:
    """See that a path has what was acknowledged, and of what was cut short whole rows."""
    for doing in acknowledged:
        before = after(before, doing)
    done = before if cut is None else after(before, cut)
    with MilvusStore(path) as store:
        store.search("word1", mode="sparse")
        there = {record.id: record for record in store.scroll()}
        for key in before.keys() | done.keys() | there.keys():
            text = there[key].text if key in there else None
            assert text in (before.get(key), done.get(key)), key
            assert text is None or there[key].metadata == {"text": text}
        assert store.count() == len(there)
        store.add([Record(id="after", text="an afterword", dense=[1, 2])])
        assert [hit.id for hit in store.search("afterword", mode="sparse")] == ["after"]
        assert store.check() == []


def kill_at_each(begun: Begun, life: Sequence[Doing], folder: Path, share: int) -> None:
    """Kill a life at each step that finds the files changed, or at one of so many."""
    operations = [doing.operation for doing in life]

    def lived(last: int | None) -> tuple[Path, int, list[Step]]:
        path = folder / f"{last}.db"
        if begun.path.exists():
            shutil.copytree(begun.path, path)
        return path, *run(path, operations, last)

    path, done, steps = lived(None)
    assert done == len(life)
    check_killed(path, begun.rows, life, None)
    states = ["", *(step.state for step in steps)]
    changed = [n for n in range(len(steps)) if states[n] != states[n + 1]]
    faults = []
    for last in changed[share // 2 :: share]:
        path, done, _ = lived(last)
        try:
            cut = life[done] if done < len(life) else None
            check_killed(path, begun.rows, life[:done], cut)
        except Exception as error:  # noqa: BLE001 - all are told at once
            faults.append(f"{last}, {steps[last].name}: {type(error).__name__} {error}")
        shutil.rmtree(path)
    print(f"{len(steps)} steps, {len(changed)} states of the files, {len(faults)} faults")
    assert faults == [], "\n".join(faults)


SHARE = int(os.environ.get("HYBRIDGE_KILL_STEPS", "10"))
"""One of so many steps is tried; 1 tries all."""


@pytest.mark.parametrize("life", LIVES)
def test_a_kill_at_each_step(life: str, filled: Begun, tmp_path: Path) -> None:
    """Of what a process does to a path that a killed one has left."""
    kill_at_each(filled, LIVES[life], tmp_path, SHARE)


def test_a_kill_at_each_step_of_making_one(tmp_path: Path) -> None:
    """Where nothing is yet."""
    life = [adding("first", 0, 3), CLOSE]
    kill_at_each(Begun(tmp_path / "nothing.db", {}), life, tmp_path, SHARE)
