"""Collections that version 0.1.0 made, as stored: they open, and work as they did."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridge import F, MilvusStore, Record, Weighted
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.store.bm25 import reindexing
from support.letters import Backwards, Letters

FIXTURE = Path(__file__).parents[2] / "fixtures" / "layout_1.tar.gz"
SEA = ["1", "3"]

OpenStore = Callable[..., MilvusStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[OpenStore]:
    """Opens a collection of 0.1.0, indexed by the present analyzer; closed after the test."""
    stores: list[MilvusStore] = []
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path, filter="data")

    def make(name: str, *, reindexed: bool = True, **arguments: object) -> MilvusStore:
        store = MilvusStore(tmp_path / "v1.db", collection_name=name, **arguments)  # type: ignore[arg-type]
        stores.append(store)
        if reindexed:
            store.reindex_sparse()
        return store

    yield make
    for store in stores:
        store.close()


def version(store: MilvusStore) -> int:
    """The version of a collection's layout."""
    opened = store._session.find()
    assert opened is not None
    return opened.layout.version


def test_it_is_read_as_it_was(open_store: OpenStore) -> None:
    """Every row, its metadata, document and extra; counts and filters on columns and other keys."""
    store = open_store("plain")
    assert version(store) == 1
    assert store.get(["3", "nobody", "0"], with_vectors=True) == [
        Record(
            id=str(n),
            text=text,
            metadata={"year": 2000 + n, "tag": "b" if n % 2 else "a"},
            document_id=f"d{n % 2}",
            extra={"k": n},
        )
        for n, text in (
            (3, "A fox and a hound ran to the sea"),
            (0, "A red fox jumps over the river"),
        )
    ]
    assert (store.count(), store.count(F("year") >= 2003), store.count(F("tag") == "a")) == (
        5,
        2,
        3,
    )
    assert {record.id for record in store.scroll(expr="meta_year < 2002")} == {"0", "1"}
    assert store.check() == []


def test_its_terms_are_those_of_its_analyzer(
    open_store: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Until it is reindexed all but sparse searches goes on: reads, dense searches, writes."""
    store = open_store("plain", reindexed=False, dense=Letters(8, "letters-8"))
    assert (store.count(), len(store.get(["0"])), len(list(store.scroll()))) == (5, 1, 5)
    for refused in (
        lambda: store.search("sea", mode="sparse"),
        lambda: store.explain("sea", "1"),
        store.rebuild_statistics,
        store.reencode_sparse,
    ):
        with pytest.raises(CollectionMismatchError, match=r"words 1.*words 2.*reindex_sparse"):
            refused()
    assert len(store.search("fox", mode="dense")) == 4
    assert store.search("fox") == store.search("fox", mode="dense")
    assert caplog.text.count("until then the other fields answer") == 1
    store.add([Record(id="5", text="the sea"), Record(id="0", text="no animal")])
    assert store.delete(["1"]) == 1
    [difference] = store.check()
    assert "reindex_sparse" in difference
    store.close()
    store = open_store("plain", reindexed=False)
    assert store.reindex_sparse() == 5
    assert store.reindex_sparse() == 0
    assert sorted(hit.id for hit in store.search("sea", mode="sparse")) == ["3", "5"]
    assert store.check() == []


def test_reindexing_that_was_cut_short_is_gone_on_with(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sparse searches wait for its end; what is written meanwhile has the new terms."""
    store = open_store("plain", reindexed=False, dense=Letters(8, "letters-8"))
    with monkeypatch.context() as patch:
        patch.setattr(reindexing, "reencode", _fail)
        with pytest.raises(RuntimeError):
            store.reindex_sparse()
    store.add([Record(id="5", text="Wi-Fi at sea")])
    with pytest.raises(CollectionMismatchError, match="cut short"):
        store.search("sea", mode="sparse")
    store.close()
    store = open_store("plain")
    assert [hit.id for hit in store.search("wifi", mode="sparse")] == ["5"]
    assert store.check() == []


def _fail(*_: object, **__: object) -> int:
    raise RuntimeError


def test_it_is_searched_in_every_mode(open_store: OpenStore) -> None:
    """Dense, BM25, both, fused by us and by Milvus, with filters, MMR and an explanation."""
    store = open_store("plain", dense=Letters(8, "letters-8"))
    assert sorted(hit.id for hit in store.search("sea", mode="sparse")) == SEA
    [best] = store.search("A red fox jumps over the river", mode="dense", k=1)
    assert (best.id, best.score) == ("0", pytest.approx(1))
    for fusion in (None, Weighted(0.1), "milvus-rrf", "milvus-weighted"):
        hits = store.search("sea fox", k=9, fusion=fusion, filter=F("tag") == "b")  # type: ignore[arg-type]
        assert sorted(hit.id for hit in hits) == SEA
        assert all(hit.context is None for hit in hits)
    assert [len(hits) for hits in store.search_many(["fox", "wine"], k=3)] == [3, 3]
    assert len(store.search_mmr("fox", k=2)) == 2
    assert set(store.explain("the red fox", "0")) == {"red", "fox"}
    assert set(store.search("fox", with_vectors=True)[0].vectors) == {"dense", "sparse"}


def test_it_is_written_to(open_store: OpenStore) -> None:
    """Adding, overwriting, changing and deleting keep rows and counts true, after reopening too."""
    store = open_store("plain", dense=Letters(8, "letters-8"))
    store.add([Record(id="5", text="a new fox", metadata={"year": 1999})])
    store.add([Record(id="0", text="a red hound", metadata={"year": 2000})])
    assert store.update(["1"], metadata={"tag": "changed"}) == 1
    assert store.delete(document_id="d1", filter=F("tag") == "b") == 1
    store.add(Record(text=f"word {n}") for n in range(300))
    store.close()
    store = open_store("plain")
    assert version(store) == 1
    assert store.check() == []
    assert store.count() == 305
    assert [hit.id for hit in store.search("fox", mode="sparse")] == ["5"]
    assert [hit.id for hit in store.search("hound", mode="sparse")] == ["0"]
    [changed, kept] = store.get(["1", "0"])
    assert changed.metadata == {"year": 2001, "tag": "changed"}
    assert (kept.document_id, kept.extra) == ("d0", {"k": 0})
    store.rebuild_statistics()
    assert store.reencode_sparse() == 305
    assert store.check() == []


def test_contexts_have_no_place(open_store: OpenStore, caplog: pytest.LogCaptureFixture) -> None:
    """They are left out, with one warning; the text alone is indexed."""
    function = Letters(8, "letters-8")
    store = open_store("plain", dense=function)
    for n in range(3):
        store.add([Record(id=f"new{n}", text="a body", context="Heading")])
    assert caplog.text.count("keeps no context") == 1
    assert {text for texts in function.calls for text in texts} == {"a body"}
    assert store.get(["new1"])[0].context is None
    assert store.search("Heading", mode="sparse") == []
    assert store.check() == []


def test_ids_are_everybodys(open_store: OpenStore) -> None:
    """Ids are not prefixed: they work without a tenant, and one of another tenant is refused."""
    store = open_store("tenants")
    acme = store.for_tenant("acme")
    assert sorted(record.id or "" for record in acme.scroll()) == ["0", "2", "4"]
    assert [record.id for record in store.get(["1", "0"])] == ["1", "0"]
    assert [record.id for record in acme.get(["1", "0"])] == ["0"]
    assert [hit.id for hit in acme.search("fox")] == ["0"]
    with pytest.raises(InvalidInputError, match="for_tenant"):
        store.search("fox")
    with pytest.raises(InvalidInputError, match="belongs to another tenant"):
        acme.add([Record(id="1", text="mine now")])
    acme.add([Record(id="0", text="a red hound"), Record(id="new", text="a hound")])
    assert (acme.delete(["3"]), acme.delete(["2"])) == (0, 1)
    assert (acme.count(), store.count()) == (3, 5)
    assert store.delete(["3"]) == 1
    assert store.check() == []


def test_rows_of_a_framework_are_rows(open_store: OpenStore) -> None:
    """What LlamaIndex stored is read by core."""
    store = open_store("nodes", dense=Letters(8))
    assert store.get(["2"])[0].metadata == {"title": "Title 2"}
    assert sorted(hit.id for hit in store.search("sea", mode="sparse")) == SEA
    assert store.check() == []


def test_what_contradicts_it_is_refused(open_store: OpenStore) -> None:
    """As for any collection."""
    for arguments in ({"dim": 9}, {"sparse": "bm25:de"}, {"partition_key": "owner"}):
        with pytest.raises(CollectionMismatchError):
            open_store("plain", reindexed=False, **arguments).count()


def test_clearing_makes_it_anew(open_store: OpenStore) -> None:
    """In the present layout, with what it had: contexts are kept, ids belong to tenants."""
    store = open_store("plain", dense=Letters(8, "letters-8"))
    store.clear()
    assert (version(store), store.count()) == (2, 0)
    store.add([Record(id="0", text="a body", context="Heading", metadata={"year": 2000})])
    assert [hit.context for hit in store.search("heading", mode="sparse")] == ["Heading"]
    assert store.count(F("year") == 2000) == 1
    tenants = open_store("tenants")
    tenants.clear()
    for name in ("acme", "bolt"):
        tenants.for_tenant(name).add([Record(id="same", text=f"of {name}")])
    assert tenants.count() == 2
    assert store.check() == tenants.check() == []


def test_another_model_is_refused(open_store: OpenStore) -> None:
    """It knows its model's name and no probe: a stored row tells another model from that one."""
    store = open_store("plain", dense=Backwards(8, "another-8"))
    with pytest.raises(CollectionMismatchError, match=r"letters-8.*another-8"):
        store.search("fox")
    with pytest.raises(CollectionMismatchError, match="different model"):
        store.add([Record(id="new", text="a text")])
    renamed = open_store("plain", dense=Letters(8, "letters-8-onnx"))
    assert len(renamed.search("fox", mode="dense")) == 4
