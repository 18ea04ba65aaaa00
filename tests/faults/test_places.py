"""A path where no database can be is refused, with what is in the way and what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError


def _file(folder: Path) -> Path:
    (folder / "milvus.db").write_bytes(b"SQLite format 3\0" + bytes(84))
    return folder / "milvus.db"


def _in_a_file(folder: Path) -> Path:
    (folder / "file").write_text("text")
    return folder / "file" / "milvus.db"


def _below_a_file(folder: Path) -> Path:
    return _in_a_file(folder).parent / "deep" / "milvus.db"


def _other_folder(folder: Path) -> Path:
    (folder / "other.db").mkdir()
    (folder / "other.db" / "notes.txt").write_text("text")
    return folder / "other.db"


def _not_ours(folder: Path) -> Path:
    (folder / "closed").mkdir(mode=0o500)
    return folder / "closed" / "milvus.db"


def _closed(folder: Path) -> Path:
    return Path("/proc/nobody/milvus.db")


def _loop(folder: Path) -> Path:
    (folder / "loop.db").symlink_to(folder / "loop.db")
    return folder / "loop.db"


def _long(folder: Path) -> Path:
    return folder / ("x" * 300 + ".db")


def _in_a_long_folder(folder: Path) -> Path:
    return folder / ("x" * 300) / "milvus.db"


PLACES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a file of Milvus Lite 2": (_file, "Milvus Lite 2 made such files"),
    "in a file": (_in_a_file, "folder that this user may write to"),
    "below a file": (_below_a_file, "folder that this user may write to"),
    "a folder of something else": (_other_folder, r"notes\.txt.*choose another path"),
    "a folder of others": (_not_ours, "folder that this user may write to"),
    "a folder that nobody has": (_closed, "folder that this user may write to"),
    "a link to itself": (_loop, "folder that this user may write to"),
    "a name that is too long": (_long, "folder that this user may write to"),
    "a folder's name that is too long": (_in_a_long_folder, "folder that this user may write to"),
}


@pytest.mark.skipif(os.name == "nt", reason="places of POSIX")
@pytest.mark.parametrize("name", PLACES)
def test_where_no_database_can_be(name: str, tmp_path: Path) -> None:
    """An error of ours that names the path; nothing is made or changed there."""
    make, words = PLACES[name]
    place = make(tmp_path)
    if place.parent.name == "closed" and os.access(place.parent, os.W_OK):
        pytest.skip("this user may write everywhere")
    before = sorted(tmp_path.rglob("*"))
    for call in (lambda store: store.count(), lambda store: store.add([Record(text="word")])):
        with MilvusStore(place) as store, pytest.raises(InvalidInputError, match=words) as raised:
            call(store)
        assert str(place) in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_where_it_can_be(tmp_path: Path) -> None:
    """Missing folders are made, and an empty one is taken."""
    (tmp_path / "empty.db").mkdir()
    for place in (tmp_path / "not" / "there" / "milvus.db", tmp_path / "empty.db"):
        for _ in range(2):
            with MilvusStore(place) as store:
                store.add([Record(id="a", text="word")])
                assert store.count() == 1
