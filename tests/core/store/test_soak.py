"""Eight threads on a path, and eight of two processes on a server: all equal to their models.

Each thread writes rows that no other does: what it wrote last is what it must read, at any moment.
`HYBRIDGE_SOAK` says for how many seconds the processes go on, 300 by default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from support.engines import servers_over_lite
from support.walk import eight_walks, make_walked, walked

ROUND = 15.0
"""Seconds that the processes walk until they stand still for a moment."""


def walk_on_a_path(path: str, calls: int) -> None:
    """Let eight threads walk, and look at what they have left in a store that is opened anew."""
    with make_walked(path, "walked") as store:
        walks = eight_walks(store, "path")
        walked(walks, calls=calls)
        assert [walk.difference for walk in walks if walk.difference] == []
        assert store.check() == []
    with make_walked(path, "walked") as store:
        for walk in walks:
            walk.modelled.view = store.for_tenant(walk.modelled.view.tenant or "")
            walk.modelled.scroll()
        assert store.check() == []


def test_eight_threads_on_a_path(path: str) -> None:
    """Each makes some calls."""
    walk_on_a_path(path, 25)


@pytest.mark.long
def test_eight_threads_on_a_path_long(path: str) -> None:
    """Each makes many."""
    walk_on_a_path(path, 200)


@pytest.fixture
def processes(server: str, collection_name: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes of a soak of one collection, which end with the test."""
    command = [sys.executable, "-m", "support.soak", server, collection_name]
    running = [
        subprocess.Popen(
            [*command, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for name in ("first", "second")
    ]
    yield running
    for process in running:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a process says of the round that it has walked."""
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


@pytest.mark.long
def test_two_processes_of_eight_threads(
    server: str, collection_name: str, processes: list[subprocess.Popen[str]]
) -> None:
    """No read differs from the model, the counts add up, and the clients' memory does not grow."""
    rounds = max(4, int(float(os.environ.get("HYBRIDGE_SOAK", "300")) / ROUND))
    said: list[list[dict[str, Any]]] = []
    with servers_over_lite(), make_walked(server, collection_name) as store:
        for _ in range(rounds):
            for process in processes:
                print(ROUND, file=process.stdin, flush=True)
            said.append([told(process) for process in processes])
            print(said[-1], flush=True)
            assert [one["differences"] for one in said[-1]] == [[], []]
            store.flush()  # nobody writes: see MilvusStore.flush
            assert store.check() == []
    for warm, last in zip(said[rounds // 4], said[-1], strict=True):
        assert last["memory"] <= 1.1 * warm["memory"]
