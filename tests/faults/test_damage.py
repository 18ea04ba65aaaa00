"""Damaged files of the engine: a path opens right, or says what is wrong; no row goes silently."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from faults.test_kills import Begun, fill
from hybridge import MilvusStore
from hybridge.errors import HybridgeError, StoreDamagedError


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes() or b"\0")
    content[len(content) // 2] ^= 16
    file.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "zeroed": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "with a flipped bit": _flip,
    "removed": Path.unlink,
}
COLLECTIONS = ("hybridge", "hybridge__hybridge")
FILES = (
    "schema.json",
    "manifest.json",
    "manifest.json.prev",
    "wal/wal_data_*",
    "wal/wal_delta_*",
    "partitions/_default/data/*.parquet",
    "partitions/_default/delta/*.parquet",
)


def cases(begun: Begun) -> list[tuple[str, str]]:
    """Return the last file of each kind, with each damage to it."""
    kinds = ["LOCK", *(f"collections/{name}/{file}" for name, file in product(COLLECTIONS, FILES))]
    found = {kind: sorted(begun.path.glob(kind)) for kind in kinds}
    assert all(found[f"collections/hybridge/{file}"] for file in FILES)
    last = [str(files[-1].relative_to(begun.path)) for files in found.values() if files]
    return list(product(last, DAMAGES))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """A path as a killed process has left it."""
    return fill(tmp_path_factory.mktemp("filled"))


def check_damaged(begun: Begun, path: Path) -> list[str]:
    """See that what a user calls is right, or an error of ours; return what was said."""
    said, there = list[str](), set[str]()
    with MilvusStore(path) as store:
        calls = (
            lambda: store.search("word1", mode="sparse"),
            lambda: store.search(vector=[1.0, 2.0], mode="dense"),
            lambda: said.extend(store.check()),
            lambda: there.update(record.id for record in store.scroll()),
            store.count,
            lambda: store.get(["11"]),
        )
        for call in calls:
            try:
                call()
            except HybridgeError as error:
                said.append(str(error))
    assert said or there >= begun.rows.keys(), sorted(begun.rows.keys() - there)
    return said


def damage_each(some: Sequence[tuple[str, str]], begun: Begun, folder: Path) -> None:
    """Try cases, each in a copy of its own."""
    for file, damage in some:
        path = folder / "milvus.db"
        shutil.copytree(begun.path, path)
        DAMAGES[damage](path / file)
        try:
            check_damaged(begun, path)
        except Exception as error:
            raise AssertionError(f"{file} {damage}") from error
        shutil.rmtree(path)


def test_damaged_files(filled: Begun, tmp_path: Path) -> None:
    """Of each kind: cut off, empty, zeros, one bit, gone."""
    shutil.copytree(filled.path, tmp_path / "whole.db")
    assert check_damaged(filled, tmp_path / "whole.db") == []
    every = cases(filled)
    damage_each(random.Random(5).sample(every, len(every) // 8), filled, tmp_path)


@pytest.mark.long
def test_all_damaged_files(filled: Begun, tmp_path: Path) -> None:
    """In each way."""
    damage_each(cases(filled), filled, tmp_path)


@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.parametrize("file", ["schema.json", "manifest.json"])
def test_what_the_engine_would_pass_over(
    name: str, file: str, filled: Begun, tmp_path: Path
) -> None:
    """Every call says so, and deletes nothing: a restored file brings all back."""
    path = tmp_path / "milvus.db"
    shutil.copytree(filled.path, path)
    damaged = path / "collections" / name / file
    kept = damaged.read_bytes()
    damaged.unlink()
    with MilvusStore(path) as store:
        for call in (store.count, store.drop, lambda: store.search("word1"), store.check):
            with pytest.raises(StoreDamagedError, match=rf"{file} is missing.*restore a copy"):
                call()
    damaged.write_bytes(kept)
    with MilvusStore(path) as store:
        assert {record.id for record in store.scroll()} == filled.rows.keys()
        assert store.check() == []
