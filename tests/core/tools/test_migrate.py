"""Data move with their vectors: no model is called, and what was interrupted is gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybridge import DenseField, MilvusStore, Record
from hybridge.errors import InvalidInputError, PartialWriteError
from hybridge.store import Metric
from hybridge.tools import copy, migrate, verify
from hybridge.tools.origins import FromJSONL, FromStore, Origin
from support.peers import unpack

MakeStore = Callable[..., MilvusStore]
LAYOUT_1 = Path(__file__).parents[2] / "fixtures" / "layout_1.tar.gz"
KILLED = """
import os, signal, sys
from hybridge import tools
from hybridge.tools.origins import FromJSONL

class Fatal(FromJSONL):
    def records(self):
        for place, record in enumerate(super().records()):
            if place == 250:
                os.kill(os.getpid(), signal.SIGKILL)
            yield record

tools.migrate(Fatal(sys.argv[1]), uri=sys.argv[2], batch_size=50, progress=False)
"""


class Uncalled:
    """A model that must not be called."""

    dim = 8
    model_name = "uncalled"

    def encode_documents(self, documents: list[str]) -> Any:
        raise AssertionError("the model was called")

    encode_queries = encode_documents


@dataclass(frozen=True)
class FromList(Origin):
    """Records in memory; with `fails_at` the reading ends with an error there."""

    all: list[Record]
    metric: Metric = "COSINE"
    fails_at: int | None = None

    def count(self) -> int:
        return len(self.all)

    def records(self) -> Iterator[Record]:
        for place, record in enumerate(self.all):
            if place == self.fails_at:
                raise OSError("the disk is gone")
            yield record


def vectors(count: int, *, unit: bool = True, dim: int = 8) -> Any:
    """As many different vectors."""
    made = np.random.default_rng(7).normal(size=(count, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True) if unit else made


def records(count: int, **of_vectors: Any) -> list[Record]:
    """As many different records with vectors."""
    return [
        Record(id=f"d{n}", text=f"word{n % 9} of text {n}", metadata={"n": n}, dense=vector)
        for n, vector in enumerate(vectors(count, **of_vectors))
    ]


def write_lines(path: Path, count: int) -> FromJSONL:
    """A file of JSON lines."""
    lines = [
        {"id": one.id, "text": one.text, "n": one.metadata["n"], "vector": one.dense.tolist()}
        for one in records(count)
        if one.dense is not None
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    return FromJSONL(path)


def same(found: list[Record], given: list[Record]) -> bool:
    """Whether records are equal, vectors included; the order says nothing."""
    by_id = {one.id: one for one in found}
    return len(found) == len(given) and all(
        by_id[one.id] == one and np.array_equal(by_id[one.id].vectors["dense"], one.dense)
        for one in given
    )


def test_records_move_with_their_vectors_and_get_bm25(path: str, make_store: MakeStore) -> None:
    """Into a new collection; the model that is named is not called, and its name is kept."""
    given = records(40)
    report = migrate(FromList(given), uri=path, dense=Uncalled(), progress=False)
    assert (report.ok, report.records, report.written) == (True, 40, 40)
    assert report.agreement == {"dense": 1.0}
    store = make_store()
    assert same(list(store.scroll(with_vectors=True)), given)
    assert store.check() == []
    assert store.search("word3", k=1, mode="sparse")[0].metadata["n"] % 9 == 3
    assert store.describe()["fields"]["dense"]["model"] == "uncalled"


def test_a_given_store_is_filled_and_its_functions_are_not_called(make_store: MakeStore) -> None:
    """Its own settings count, and it stays open."""
    store = make_store(dense=Uncalled(), sparse="bm25:de", metadata_schema={"n": int})
    assert migrate(FromList(records(5)), store, progress=False).ok
    assert store.count() == 5
    assert store.describe()["fields"]["sparse"]["language"] == "de"
    assert store.describe()["fields"]["dense"]["made_by"] is None


def test_an_interrupted_move_is_gone_on_with(path: str, make_store: MakeStore) -> None:
    """What had landed is not written again; a finished move writes nothing."""
    given = records(100)
    with pytest.raises(OSError, match="the disk is gone"):
        migrate(FromList(given, fails_at=60), uri=path, batch_size=25, progress=False)
    assert make_store().count() == 50
    assert migrate(FromList(given), uri=path, batch_size=25, progress=False).written == 50
    report = migrate(FromList(given), uri=path, progress=False)
    assert (report.ok, report.written) == (True, 0)


def test_a_killed_move_is_gone_on_with(tmp_path: Path, path: str, make_store: MakeStore) -> None:
    """`kill -9` between two batches: the next run brings the rest, and all is right."""
    origin = write_lines(tmp_path / "docs.jsonl", 400)
    command = [sys.executable, "-c", KILLED, str(origin.path), path]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    report = migrate(origin, uri=path, batch_size=50, progress=False)
    assert (report.ok, report.written) == (True, 150)
    assert make_store().check() == []


def test_what_has_changed_in_the_origin_is_written_again(path: str) -> None:
    """Another text, other metadata, another vector; the rest is left alone."""
    given = records(30)
    migrate(FromList(given), uri=path, progress=False)
    given[3] = replace(given[3], text="another text")
    given[4] = replace(given[4], metadata={"n": -4})
    given[5] = given[5].with_vectors({"dense": vectors(31)[30]})
    assert verify(FromList(given), MilvusStore(path)).differing == ["d3", "d4", "d5"]
    report = migrate(FromList(given), uri=path, progress=False)
    assert (report.ok, report.written) == (True, 3)


def test_a_report_says_what_is_wrong(store: MilvusStore) -> None:
    """What is missing, how many, and that nothing nearby is found."""
    given = records(30)
    report = verify(FromList(given), store)
    assert (report.ok, report.differences, len(report.differing)) == (False, 30, 20)
    assert report.agreement == {"dense": 0.0}
    store.add(given[:20])
    report = verify(FromList(given), store, queries=30, k=5)
    assert report.differing == [f"d{n}" for n in range(20, 30)]
    assert 0 < report.agreement["dense"] < 1
    for said in ("NOT RIGHT", "the same   20 of 30", "'d20', 'd21'", "of 30 rows"):
        assert said in str(report)


@pytest.mark.parametrize("metric", ["IP", "L2"])
def test_a_new_collection_compares_as_the_origin_does(path: str, metric: Metric) -> None:
    """So that the same rows are the nearest."""
    report = migrate(FromList(records(60, unit=False), metric), uri=path, progress=False)
    assert report.agreement == {"dense": 1.0}
    with MilvusStore(path) as store:
        assert store.describe()["fields"]["dense"]["metric"] == metric


def test_unit_vectors_are_compared_by_cosine(path: str) -> None:
    """Their order is the same by every metric, and a cosine says more."""
    assert migrate(FromList(records(50), "L2"), uri=path, progress=False).ok
    with MilvusStore(path) as store:
        assert store.describe()["fields"]["dense"]["metric"] == "COSINE"


def test_a_collection_of_another_metric_is_reported(path: str) -> None:
    """Where the user wants it so, the nearest rows are others."""
    fields = {"dense": DenseField(metric="COSINE")}
    origin = FromList(records(200, unit=False), "L2")
    report = migrate(origin, uri=path, fields=fields, progress=False)
    assert (report.differences, report.ok) == (0, False)


def test_several_fields_move(path: str) -> None:
    """Dense and sparse ones; a row may lack one that is not "dense"."""
    given = [
        one.with_vectors({**one.vectors, "title": vector, "terms": {n: 1.0}})
        for n, (one, vector) in enumerate(zip(records(20), vectors(20, dim=3), strict=True))
    ]
    given[4] = given[4].with_vectors({"dense": given[4].vectors["dense"]})
    report = migrate(FromList(given), uri=path, progress=False)
    assert report.agreement == {"dense": 1.0, "title": 1.0}
    with MilvusStore(path) as store:
        [there] = store.get(["d7"], with_vectors=True)
        assert there.vectors["terms"] == {7: 1.0}


def test_arguments_that_make_no_sense_are_refused(path: str, store: MilvusStore) -> None:
    """Before anything is read or made."""
    with pytest.raises(InvalidInputError, match=r"one of hybridge\.tools\.origins"):
        migrate("./chroma", uri=path)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="give one of the two"):
        migrate(FromList([]), store, collection_name="other")
    with pytest.raises(InvalidInputError, match="batch_size"):
        migrate(FromList([]), store, batch_size=0)
    with pytest.raises(InvalidInputError, match="queries"):
        verify(FromList([]), store, queries=0)
    assert not store.exists()


def test_a_record_that_cannot_be_stored_is_named(path: str, make_store: MakeStore) -> None:
    """What came before it is written, and a mended origin is gone on with."""
    given = records(20)
    given[12] = replace(given[12], text="x" * 70_000)
    with pytest.raises((InvalidInputError, PartialWriteError), match="d12"):
        migrate(FromList(given), uri=path, batch_size=10, progress=False)
    assert make_store().count() == 10


# --- from Hybridge to Hybridge -------------------------------------------------------------------


def test_a_collection_goes_to_a_server_and_back(
    path: str, server: str, collection_name: str, make_store: MakeStore
) -> None:
    """With document ids, contexts, extra, typed columns, metrics and the names of its models."""
    fields = {"title": DenseField(dim=3, metric="L2")}
    store = make_store(dense=Uncalled(), fields=fields, metadata_schema={"n": int})
    store = store.using(dense=None)
    given = [
        replace(one, document_id="doc", context="about", extra={"k": 1}).with_vectors(
            {"dense": one.vectors["dense"], "title": vector}
        )
        for one, vector in zip(records(30), vectors(30, dim=3), strict=True)
    ]
    store.add(given)
    there = MilvusStore(server, collection_name=collection_name)
    assert copy(store, uri=server, collection_name=collection_name, progress=False).ok
    back = make_store(collection_name="back")
    assert copy(there, uri=path, collection_name="back", progress=False).ok
    assert same(list(back.scroll(with_vectors=True)), given)
    assert back.describe() == store.describe()
    assert back.check() == []
    there.drop()
    there.close()


def test_the_probe_of_a_model_is_copied(path: str, make_store: MakeStore) -> None:
    """So that another model is told from it in the copy, too."""
    from support.word_function import WordFunction

    make_store(dense=WordFunction()).add([Record(id="a", text="a red house")])
    assert copy(make_store(), uri=path, collection_name="copied", progress=False).ok
    [field] = [make_store(collection_name="copied").vector_fields()["dense"]]
    assert field.probe == make_store().vector_fields()["dense"].probe != None  # noqa: E711


def test_a_collection_of_tenants_is_copied(path: str, make_store: MakeStore) -> None:
    """Two of them may use one id; each has its rows and its counts."""
    store = make_store(partition_key="org", dim=8)
    for tenant, given in (("acme", records(20)), ("other", records(30)[15:])):
        store.for_tenant(tenant).add(given)
    report = copy(store, uri=path, collection_name="copied", progress=False)
    assert (report.ok, report.records) == (True, 35)
    copied = make_store(collection_name="copied")
    assert (copied.for_tenant("acme").count(), copied.for_tenant("other").count()) == (20, 15)
    assert copied.check() == []
    assert copy(store, uri=path, collection_name="copied", progress=False).written == 0


def test_a_collection_of_version_1_is_copied_into_this_version(tmp_path: Path) -> None:
    """It can hold contexts then; its rows are the same, their words those of today's analyzer."""
    with tarfile.open(LAYOUT_1) as archive:
        archive.extractall(tmp_path, filter="data")
    target = str(tmp_path / "new.db")
    with MilvusStore(tmp_path / "v1.db", collection_name="plain") as old:
        assert copy(old, uri=target, collection_name="plain", progress=False).ok
        with MilvusStore(target, collection_name="plain") as new:
            assert new.describe()["version"] == 2
            assert list(new.scroll()) == list(old.scroll())
            assert new.check() == []
            assert "fox" in new.search("foxes", k=1, mode="sparse")[0].text


def test_another_analyzer_may_be_chosen_for_a_copy(path: str, make_store: MakeStore) -> None:
    """What is given counts; so does that there was none."""
    make_store(dim=8, sparse=None).add(records(5))
    assert copy(make_store(), uri=path, collection_name="plain", progress=False).ok
    assert make_store(collection_name="plain").field_names() == ["dense"]
    origin = FromStore(make_store())
    assert migrate(origin, uri=path, collection_name="de", sparse="bm25:de", progress=False).ok
    assert make_store(collection_name="de").describe()["fields"]["sparse"]["language"] == "de"


@pytest.mark.parametrize(
    "layout", ["langchain-bm25", pytest.param("llama-index-ip", marks=pytest.mark.long)]
)
def test_what_another_library_made_is_copied(layout: str, tmp_path: Path) -> None:
    """With its ids, columns and metric; it gets BM25, which it could not have where it was."""
    peer, path = unpack(tmp_path, layout), str(tmp_path / "new.db")
    with MilvusStore(peer.path, **peer.arguments) as old:
        assert copy(old, uri=path, progress=False).ok
        with MilvusStore(path) as new:
            assert list(new.get(peer.ids)) == list(old.get(peer.ids))
            assert new.metadata_columns() == old.metadata_columns()
            assert new.field_names() == ["dense", "sparse"]
            assert new.search("kite", k=1, mode="sparse")
            assert new.check() == []


def test_vectors_of_a_field_that_becomes_bm25_stay(tmp_path: Path) -> None:
    """Those of another library's sparse model are not those of the store's own."""
    peer, path = unpack(tmp_path, "llama-index-sparse"), str(tmp_path / "new.db")
    with MilvusStore(peer.path, **peer.arguments) as old:
        assert copy(old, uri=path, sparse="bm25", progress=False).ok
    with MilvusStore(path) as new:
        assert new.check() == []
