"""Rows for a bulk import are those that a store writes, whatever is killed or repeated."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridge import DenseField, MilvusStore, Record, SparseField
from hybridge.errors import (
    ApiConnectionError,
    CollectionMismatchError,
    InvalidInputError,
    StoreError,
)
from hybridge.sparse.statistics import Statistics
from hybridge.store import offline
from hybridge.store.bm25 import live, reencoding
from hybridge.store.bm25.live import LiveBM25
from hybridge.store.rows import schema_columns
from hybridge.tools import bulk
from hybridge.tools.bulk import importing, repeated
from hybridge.tools.bulk.parquet import read_rows
from support.import_server import ImportServer, import_server

MakeStore = Callable[..., MilvusStore]
KILLED = """
import os, signal, sys
sys.path += [sys.argv[1], os.path.join(sys.argv[1], "..", "..")]
from test_bulk import Letters, documents
from hybridge.tools import bulk

def records():
    for place, record in enumerate(documents(300)):
        if place == 280:
            os.kill(os.getpid(), signal.SIGKILL)
        yield record

bulk.write(records(), sys.argv[2], block_size=60, dense=Letters(), average_length=8.0)
"""


class Letters:
    """A model that counts letters; it knows how many texts it was given."""

    dim, model_name, is_billed = 4, "letters", True

    def __init__(self) -> None:
        self.encoded = 0

    def encode_documents(self, documents: list[str]) -> np.ndarray:
        self.encoded += len(documents)
        return np.array(
            [[1.0, *(text.count(letter) for letter in "aei")] for text in documents], np.float32
        )

    encode_queries = encode_documents


def documents(count: int) -> Iterator[Record]:
    """As many different documents, some with a context, a title and a source."""
    for i in range(count):
        yield Record(
            text=f"the parrot {i} speaks of word{i % 17} and {'many ' * (i % 5)}things",
            context="About birds" if i % 3 == 0 else None,
            metadata={
                "year": 2000 + i % 9,
                "tags": ["a", i],
                **({"title": f"bird {i}"} if i % 2 else {}),
            },
            document_id=f"book {i % 4}" if i % 5 else None,
            extra={"n": i} if i % 7 == 0 else None,
        )


SHAPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "fields": {
        "fields": {
            "title": DenseField(Letters(), source="title"),
            "words": SparseField("bm25:de", source="title"),
        },
        "metadata_schema": {"year": int},
    },
    "tenants": {"partition_key": "owner", "average_length": 8.0},
}


def given_documents(shape: str) -> list[Record]:
    """The documents for a shape of collection."""
    some = list(documents(250))
    if shape != "tenants":
        return some
    return [
        replace(one, metadata={**one.metadata, "owner": f"tenant {i % 3}"})
        for i, one in enumerate(some)
    ]


def rows_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of a folder's files, by key."""
    there = bulk.Folder(folder)
    rows = [
        row
        for name in there.manifest.files
        for row in read_rows(there.rows / name, there.plan.columns)
    ]
    keyed = {row[there.plan.layout.key]: row for row in rows}
    assert len(keyed) == len(rows) == there.manifest.rows
    return keyed


def rows_in(store: MilvusStore) -> dict[str, dict[str, Any]]:
    """The rows of a store's collection with all their columns, by key."""
    with store._call() as opened:
        assert opened is not None
        layout = opened.layout
        names = [name for name, _, _ in schema_columns(layout)] + list(layout.fields)
        pages = opened.collection.select("", names)
        return {row[layout.key]: row for page in pages for row in page}


def statistics_in(store: MilvusStore, tenants: list[str]) -> dict[tuple[str, str], Statistics]:
    """What a store's BM25 has counted, by field and tenant."""
    with store._call() as opened:
        assert opened is not None
        views = [opened.of_tenant(one) for one in tenants] or [opened]
        return {
            (bm25.field.name, bm25.tenant): bm25.statistics for view in views for bm25 in view.bm25
        }


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the mark of its write, its vectors as what can be compared."""
    kept = {name: value for name, value in row.items() if name != "write"}
    return {
        name: [float(one) for one in value] if isinstance(value, np.ndarray) else value
        for name, value in kept.items()
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_the_rows_are_those_that_a_store_writes(
    shape: str, make_store: MakeStore, tmp_path: Path
) -> None:
    """Every column, placeholders and `has_` columns included, and the counts of every tenant."""
    records, arguments = given_documents(shape), {"dense": Letters(), **SHAPES[shape]}
    written = bulk.write(records, tmp_path / "rows", block_size=100, **arguments)
    store = make_store(**arguments)
    store.add(records, ids="content")
    rows, stored = rows_of(tmp_path / "rows"), rows_in(store)
    assert rows.keys() == stored.keys()
    assert (written.rows, written.files, written.repeated) == (250, 3, 0)
    for key, row in rows.items():
        mine, its = plain(row), plain(stored[key])
        assert {name: its[name] for name in mine} == mine
    tenants = [f"tenant {i}" for i in range(3)] if shape == "tenants" else []
    counts, _ = bulk.Folder(tmp_path / "rows").counts()
    assert counts == statistics_in(store, tenants)


def test_the_files_are_those_of_pymilvus(tmp_path: Path) -> None:
    """`pymilvus.bulk_writer` makes the same columns of the same types of the same rows."""
    for package in ("minio", "azure", "ml_dtypes"):
        pytest.importorskip(package, reason=f"pymilvus.bulk_writer needs {package}")
    from pymilvus.bulk_writer import BulkFileType, LocalBulkWriter

    shape = SHAPES["fields"]
    bulk.write(documents(50), tmp_path / "rows", dense=Letters(), **shape)
    there = bulk.Folder(tmp_path / "rows")
    writer = LocalBulkWriter(
        schema_of(there.plan.layout), str(tmp_path / "theirs"), file_type=BulkFileType.PARQUET
    )
    rows = rows_of(tmp_path / "rows")
    for row in rows.values():
        writer.append_row({**row, "extra": row["extra"]})
    writer.commit()
    [[theirs]] = writer.batch_files
    [ours] = there.rows.iterdir()
    first, second = pyarrow.parquet.read_table(ours), pyarrow.parquet.read_table(theirs)
    assert set(first.schema.names) == set(second.schema.names)
    for name in first.schema.names:
        assert first.schema.field(name).type == second.schema.field(name).type, name


def schema_of(layout: Any) -> Any:
    """The Milvus schema that a store makes of a layout."""
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False)
    for name, kind, options in schema_columns(layout):
        schema.add_field(name, DataType[kind], **options)
    for one in layout.fields.values():
        one.add_to(schema, DataType)
    return schema


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Blocks that are there are not encoded again, and the rows are those of one run."""
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "killed")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    model = Letters()
    with pytest.raises(InvalidInputError, match="is not finished"):
        bulk.load(tmp_path / "killed", MilvusStore(tmp_path / "never.db"))
    given: dict[str, Any] = {"block_size": 60, "average_length": 8.0}
    resumed = bulk.write(documents(300), tmp_path / "killed", dense=model, **given)
    assert (resumed.blocks, model.encoded) == (1, 60)
    bulk.write(documents(300), tmp_path / "whole", dense=Letters(), **given)
    killed, whole = rows_of(tmp_path / "killed"), rows_of(tmp_path / "whole")
    assert {key: plain(row) for key, row in killed.items()} == {
        key: plain(row) for key, row in whole.items()
    }


def test_of_several_rows_with_one_id_the_last_counts(store: MilvusStore, tmp_path: Path) -> None:
    """Across blocks too, as when a store overwrites; a run after it finds all blocks there."""
    first = [Record(id=str(i), text=f"old parrot {i}") for i in range(40)]
    second = [Record(id=str(i), text=f"new falcon {i}") for i in range(30, 60)]
    records = [*first, *second, *first[35:38], *second[:1]]
    written = bulk.write(records, tmp_path / "rows", block_size=15)
    store.add(records)
    rows, stored = rows_of(tmp_path / "rows"), rows_in(store)
    assert {key: row["text"] for key, row in rows.items()} == {
        key: row["text"] for key, row in stored.items()
    }
    assert written.rows == 60
    counts, _ = bulk.Folder(tmp_path / "rows").counts()
    assert counts == statistics_in(store, [])
    again = bulk.write(records, tmp_path / "rows", block_size=15)
    assert again == replace(written, blocks=0)


def test_loaded_rows_stay_as_they_were_made(
    store: MilvusStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short documents come first: the average length is all the same that of all of them."""
    for module in (live, reencoding, offline):
        monkeypatch.setattr(module, "AVERAGED", 10)
    records = [Record(id=f"{i:03}", text="a parrot" + " talks" * (i // 2)) for i in range(100)]
    bulk.write(records, tmp_path / "rows", block_size=25)
    assert bulk.load(tmp_path / "rows", store, batch_size=10, progress=False).ok
    rows, stored = rows_of(tmp_path / "rows"), rows_in(store)
    assert {key: row["sparse"] for key, row in rows.items()} == {
        key: row["sparse"] for key, row in stored.items()
    }


def test_records_that_have_changed_are_made_anew(tmp_path: Path) -> None:
    """And their old rows are gone, overwritten ones back where nothing overwrites them any more."""
    first = [Record(id=str(i), text=f"parrot {i}") for i in range(20)]
    bulk.write([*first, Record(id="3", text="falcon")], tmp_path / "rows", block_size=10)
    assert rows_of(tmp_path / "rows")["3"]["text"] == "falcon"
    bulk.write([*first, Record(id="x", text="eagle")], tmp_path / "rows", block_size=10)
    rows = rows_of(tmp_path / "rows")
    assert (rows["3"]["text"], rows["x"]["text"], len(rows)) == ("parrot 3", "eagle", 21)


@given(st.lists(st.lists(st.integers(0, 30).map(str), max_size=12), max_size=6), st.integers(1, 9))
def test_repeated_rows_are_all_but_the_last_of_each_key(files: list[list[str]], size: int) -> None:
    """However many hashes are looked through at once."""
    paths = [Path(str(number)) for number in range(len(files))]
    named = list(zip(paths, files, strict=True))
    places = [(path, row, key) for path, keys in named for row, key in enumerate(keys)]
    last = {key: (path, row) for path, row, key in places}
    expected = {(path, row) for path, row, key in places if last[key] != (path, row)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeated, "_TOGETHER", size)
        pairs = ((path, iter(keys)) for path, keys in named)
        found = repeated.repeated_rows(pairs, sum(map(len, files)))
    assert {(path, row) for path, rows in found.items() for row in rows} == expected


# --- loaded --------------------------------------------------------------------------------------


def test_a_folder_is_loaded_through_a_store(make_store: MakeStore, tmp_path: Path) -> None:
    """The rows are those of the files, no model is called, and a second call writes nothing."""
    arguments = SHAPES["fields"]
    bulk.write(documents(120), tmp_path / "rows", dense=Letters(), **arguments)
    store = make_store()
    report = bulk.load(tmp_path / "rows", store, progress=False)
    assert (report.written, report.ok, store.check()) == (120, True, [])
    stored = rows_in(store)
    for key, row in rows_of(tmp_path / "rows").items():
        assert plain(row).items() <= plain(stored[key]).items()
    assert bulk.load(tmp_path / "rows", store, progress=False).written == 0


def test_rows_go_into_no_collection_of_another_kind(make_store: MakeStore, tmp_path: Path) -> None:
    """It says what differs: the fields, or the average length."""
    bulk.write(documents(20), tmp_path / "rows", dense=Letters())
    other = make_store(sparse=None, collection_name="other")
    other.add([Record(text="a", dense=np.ones(4))])
    with pytest.raises(CollectionMismatchError, match="fields of the two differ"):
        bulk.load(tmp_path / "rows", other, progress=False)
    longer = make_store(dense=Letters(), collection_name="longer", average_length=99.0)
    longer.add([Record(text="a")])
    with pytest.raises(CollectionMismatchError, match=r"average_length=99\.0"):
        bulk.load(tmp_path / "rows", longer, progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"uri": "./x.db"}, "uri say where rows go"),
        ({"partition_key": "owner"}, "each tenant's average length"),
        ({"sparse": None}, "nothing to index"),
        ({"block_size": 0}, "block_size"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Before a file is written."""
    with pytest.raises(InvalidInputError, match=message):
        bulk.write([Record(text="a parrot")], tmp_path / "rows", **arguments)
    assert not (tmp_path / "rows").exists()


def test_a_folder_is_gone_on_with_by_the_same_arguments_alone(tmp_path: Path) -> None:
    """Other fields, another model or another average length are another folder."""
    bulk.write(documents(5), tmp_path / "rows", dense=Letters(), average_length=7.0)
    with pytest.raises(CollectionMismatchError, match=r"average length of \{'sparse': 7"):
        bulk.write(documents(5), tmp_path / "rows", dense=Letters(), average_length=8.0)
    with pytest.raises(CollectionMismatchError, match=r"metadata_schema.*choose another folder"):
        bulk.write(documents(5), tmp_path / "rows", dense=Letters(), metadata_schema={"year": int})
    with pytest.raises(InvalidInputError, match="no records"):
        bulk.write([], tmp_path / "none")


def test_a_folder_that_is_not_there_is_not_loaded(make_store: MakeStore, tmp_path: Path) -> None:
    """It is not said to be unfinished: the path may be mistyped."""
    with pytest.raises(InvalidInputError, match="no folder that bulk"):
        bulk.load(tmp_path / "mistyped", make_store(), progress=False)


# --- imported ------------------------------------------------------------------------------------


@pytest.fixture
def importer(
    lite_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ImportServer]:
    """The stand-in, whose bucket is a folder."""
    monkeypatch.setattr(importing, "_POLL", 0.01)
    with import_server(lite_server, tmp_path / "bucket") as server:
        yield server


@pytest.fixture
def folder(importer: ImportServer, tmp_path: Path) -> Path:
    """A folder of 250 rows in five files, which are in the bucket under "docs/1"."""
    bulk.write(documents(250), tmp_path / "rows", block_size=50, dense=Letters())
    shutil.copytree(tmp_path / "rows" / "rows", importer.bucket / "docs" / "1")
    return tmp_path / "rows"


@pytest.fixture
def target(make_store: MakeStore, lite_server: str, collection_name: str) -> MilvusStore:
    """A store on the server."""
    return make_store(uri=lite_server, collection_name=collection_name, token="root:secret")


def import_into(target: MilvusStore, folder: Path, importer: ImportServer) -> bulk.Imported:
    """Import a folder, two files a job."""
    return bulk.import_rows(
        folder, target, prefix="docs/1", endpoint=importer.endpoint, files_per_job=2
    )


def test_a_server_imports_a_folder(
    folder: Path, target: MilvusStore, importer: ImportServer, make_store: MakeStore
) -> None:
    """Its collection then is what `add` makes: rows, counts, and what other processes see."""
    imported = import_into(target, folder, importer)
    assert (imported.rows, len(imported.jobs), importer.inserted) == (250, 3, 250)
    assert importer.tokens == {"Bearer root:secret"}
    assert target.check() == []
    local = make_store(dense=Letters())
    local.add(documents(250), ids="content")
    for query in ("parrot word3 things", "bird 7", "many"):
        found, expected = (one.search(query, mode="sparse", k=5) for one in (target, local))
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected])
    assert import_into(target, folder, importer).rows == 250
    assert importer.inserted == 250
    target.drop()
    importer.jobs.clear()  # those of a collection that is gone
    assert (import_into(target, folder, importer).rows, importer.inserted) == (250, 500)
    assert (target.count(), target.check()) == (250, [])


def test_rows_count_once_the_import_is_done(
    folder: Path, target: MilvusStore, importer: ImportServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then BM25 knows of none, though the first jobs' rows are there."""
    importer.fails = {max(path.name for path in (folder / "rows").iterdir())}
    with pytest.raises(StoreError, match="no such object in the bucket"):
        import_into(target, folder, importer)
    assert 0 < importer.inserted < 250
    assert statistics_in(target, [])["sparse", ""].documents == 0
    importer.fails = set()
    assert import_into(target, folder, importer).rows == 250
    assert (importer.inserted, target.check()) == (250, [])


def test_a_job_that_was_begun_unnoticed_is_not_begun_again(
    folder: Path, target: MilvusStore, importer: ImportServer
) -> None:
    """Its answer was lost, or the process was killed: the server knows of it."""
    importer.loses = 1
    with pytest.raises(ApiConnectionError, match="gave no answer"):
        import_into(target, folder, importer)
    assert import_into(target, folder, importer).rows == 250
    assert importer.inserted == 250


def test_rows_are_added_beside_those_that_were_imported(
    folder: Path, target: MilvusStore, importer: ImportServer
) -> None:
    """Overwritten, deleted and new ones are counted as ever."""
    import_into(target, folder, importer)
    view = target.using(dense=Letters())
    ids = [str(one.id) for one in target.scroll()]
    view.add([Record(id=ids[0], text="a falcon instead"), Record(text="a new one")])
    view.delete(ids[1:3])
    assert (target.count(), target.check()) == (249, [])


def test_an_import_takes_a_server(folder: Path, store: MilvusStore, importer: ImportServer) -> None:
    """A path has none; and what a server has taken is not changed any more."""
    with pytest.raises(InvalidInputError, match=r"bulk\.load"):
        bulk.import_rows(folder, store, prefix="docs/1")
    (folder / "imports").mkdir()
    with pytest.raises(InvalidInputError, match="an import of"):
        bulk.write(documents(10), folder, dense=Letters())


def test_many_terms_are_said_once(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the way out: the server's own BM25."""
    monkeypatch.setattr(live, "MOST_TERMS", 5)
    store = make_store()
    for number in range(3):
        store.add([Record(text=f"parrot falcon eagle number{number} other{number}")])
    assert [one.message for one in caplog.records if "sparse='milvus'" in one.message] == [
        "BM25 of 'hybridge' counts 7 terms, which every process that searches by words reads and "
        "keeps: let a server do it, by a new collection with sparse='milvus'"
    ]


def test_counts_larger_than_a_weight_stand_in_several_rows(store: MilvusStore) -> None:
    """A sum of more documents than float32 counts exactly is read back as it was."""
    store.add([Record(text="a parrot")])
    large = Statistics(50_000_000, 400_000_000, {7: 2**24 + 5, 8: 3 * 2**24, 9: 1})
    with store._call() as opened:
        assert opened is not None
        bm25: LiveBM25 = opened.bm25[0]
        entries = bm25.log.write_sum("another", 1, large)
        assert bm25.log.read(entries) == large
