"""What crashes and damage leave of Milvus Lite's files."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from faults.programs import start
from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError, StoreBrokenError, StoreDamagedError

MakeStore = Callable[..., MilvusStore]


def records(start_at: int, end: int) -> list[Record]:
    """Return records of one word each, and more."""
    return [Record(id=str(n), text=f"word{n} and more") for n in range(start_at, end)]


@pytest.mark.parametrize(
    ("what", "logs"),
    [(name, "wal_delta_*") for name in ("hybridge", "hybridge__hybridge", "*")] + [("*", "wal_*")],
)
def test_a_flush_killed_in_its_last_step(what: str, logs: str, path: str, tmp_path: Path) -> None:
    """Some logs are deleted and others, or none: everything is there, and once."""
    store = MilvusStore(path)
    store.add(records(0, 300))
    store.flush()
    store.add(records(300, 400))
    store.delete([str(n) for n in range(50)])
    store.rebuild_statistics()
    store._session.collection().companion.delete(["no/such/row"])  # has deletions of its own
    kept = tmp_path / "kept"
    for log in Path(path).glob(f"collections/{what}/wal/{logs}"):
        (kept / log.relative_to(path)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, kept / log.relative_to(path))
    assert any(kept.rglob("wal_delta_*"))
    store.close()
    shutil.copytree(kept, path, dirs_exist_ok=True)
    for _ in range(2):
        with MilvusStore(path) as reopened:
            assert {record.id for record in reopened.scroll()} == {str(n) for n in range(50, 400)}
            assert [hit.id for hit in reopened.search("word77", mode="sparse")] == ["77"]
            reopened.add(records(0, 1))
            reopened.flush()
            assert reopened.delete(["0"]) == 1
            assert reopened.check() == []


def test_a_torn_index_is_made_anew(make_store: MakeStore, path: str) -> None:
    """As a kill in the middle of its writing leaves one, where the engine searches."""
    store = make_store(in_process_search=False)
    store.add(Record(id=str(n), text=f"word{n}", dense=[n, 1.0]) for n in range(9))
    store.close()
    [*_, index] = Path(path).glob("collections/hybridge/partitions/*/indexes/*")
    os.truncate(index, index.stat().st_size // 2)
    reopened = make_store(in_process_search=False)
    assert reopened.search(vector=[1.0, 0.0], mode="dense", k=1)[0].id == "8"
    assert reopened.check() == []


def test_what_is_half_made_or_half_removed_is_not_in_the_way(
    make_store: MakeStore, path: str
) -> None:
    """A folder without a schema is no collection; one that was being removed is gone."""
    store = make_store(collection_name="kept")
    store.add(records(0, 3))
    store.close()
    folder = Path(path) / "collections"
    shutil.copytree(folder / "kept", folder / "some.removed")
    (folder / "some.removed" / "manifest.json").unlink()
    (folder / "hybridge" / "wal").mkdir(parents=True)
    (folder / "hybridge" / "schema.json.tmp").write_text('{"fie')
    (folder / "a note").write_text("not the engine's")
    made = make_store()
    made.add(records(0, 3))
    assert made.count() == make_store(collection_name="kept").count() == 3
    assert not (folder / "some.removed").exists()


def test_a_leaving_that_cannot_be_removed(make_store: MakeStore, path: str) -> None:
    """The error is ours, and names what is in the way; once that is gone, the path opens."""
    store = make_store()
    store.add(records(0, 3))
    store.flush()
    store.close()
    blocked = Path(path) / "collections" / "hybridge" / "wal" / "wal_delta_000000.arrow"
    (blocked / "in the way").mkdir(parents=True)
    reopened = make_store()
    with pytest.raises(InvalidInputError, match=r"cannot have a database at .*milvus\.db"):
        reopened.count()
    shutil.rmtree(blocked)
    assert reopened.count() == 3


def test_deletions_that_were_not_flushed_stay(make_store: MakeStore, path: str) -> None:
    """A log of deletions alone is no leaving as long as the manifest names it."""
    store = make_store()
    store.add(records(0, 20))
    store.close()
    program = start(path, "store.delete(['3']); os.kill(os.getpid(), signal.SIGKILL)")
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    reopened = make_store()
    assert reopened.get(["3"]) == []
    assert reopened.count() == 19
    assert reopened.check() == []


def test_a_deletion_killed_after_its_counts(make_store: MakeStore, path: str) -> None:
    """The counts lack rows that are still there: it is noticed on opening."""
    body = """
        from hybridge.store.engine.collection import Collection
        Collection.delete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        store.delete(["3", "4"])
    """
    program = start(path, body)
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    store = make_store()
    assert store.check() == []
    assert store.count() == 10


def test_nothing_is_read_after_a_failed_flush(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine no longer sees what it could not flush: it is refused, not called nothing."""
    store = make_store()
    store.add(records(0, 50))
    collection = store._session.collection()
    client = collection.connection._client
    with monkeypatch.context() as patch:
        patch.setattr(client, "flush", _no_space)
        with pytest.raises(StoreBrokenError):
            store.flush()
    calls: list[Callable[[], object]] = [
        store.count,
        store.check,
        store.rebuild_statistics,
        lambda: store.search("word1"),
        lambda: list(store.scroll()),
        lambda: store.get(["1"]),
        lambda: store.add(records(50, 51)),
        lambda: store.delete(["1"]),
    ]
    for call in calls:
        with pytest.raises(StoreBrokenError, match="open the path again"):
            call()


def _no_space(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def with_vectors(start_at: int, end: int) -> list[Record]:
    """Return records with dense vectors as well."""
    return [replace(record, dense=[1.0, 2.0]) for record in records(start_at, end)]


def lose_a_part(path: str) -> None:
    """Make three files of a hundred rows each, and remove the last one."""
    with MilvusStore(path) as store:
        for n in range(0, 300, 100):
            store.add(with_vectors(n, n + 100))
            store.flush()
    [*_, last] = sorted(Path(path).glob("collections/hybridge/partitions/*/data/*.parquet"))
    last.unlink()


def test_rows_that_were_lost_are_counted_for_the_user(make_store: MakeStore, path: str) -> None:
    """The counts of the companion tell how many; `rebuild_statistics` goes on without them."""
    lose_a_part(path)
    damaged = make_store()
    calls: list[Callable[[], object]] = [
        lambda: damaged.search("word1", mode="sparse"),
        lambda: damaged.search(vector=[1.0, 2.0], mode="dense"),
        lambda: damaged.add(with_vectors(0, 1)),
        lambda: damaged.update(["1"], metadata={"year": 1}),
        lambda: damaged.delete(["1"]),
        lambda: damaged.get(["1"]),
        lambda: list(damaged.scroll()),
        damaged.count,
        damaged.check,
        damaged.describe,
    ]
    for call in [*calls, *calls]:
        with pytest.raises(StoreDamagedError, match=r"100 of the 300 documents .* are gone"):
            call()
    damaged.rebuild_statistics()
    damaged.add(with_vectors(0, 300))
    assert [hit.id for hit in damaged.search("word77", mode="sparse")] == ["77"]
    assert damaged.check() == []


def test_what_is_left_can_be_cleared_or_dropped(make_store: MakeStore, path: str) -> None:
    """Then all is as if nothing had been lost."""
    for give_up in (MilvusStore.clear, MilvusStore.drop):
        lose_a_part(path)
        damaged = make_store()
        with pytest.raises(StoreDamagedError):
            damaged.count()
        give_up(damaged)
        damaged.add(with_vectors(0, 3))
        assert damaged.count() == 3
        assert damaged.check() == []
        damaged.drop()
        damaged.close()
