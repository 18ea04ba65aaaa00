"""Any number of named vector fields: each with its own model, source and metric, all capabilities.

The collection of most tests has four: "dense" and "title" of two dense models, "words", the store's
own BM25 over keywords, and "sparse", a tiny SPLADE. Some rows lack a title, some lack keywords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridge import (
    TEXT,
    ConfidenceWeighted,
    DenseField,
    F,
    Hit,
    MilvusStore,
    ReciprocalRank,
    Record,
    SparseField,
    SpladeEmbeddingFunction,
    Weighted,
)
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.store.fields import PROBE
from support.examples import examples
from support.letters import Letters, Noise
from support.tiny_models import tiny_splade

MakeStore = Callable[..., MilvusStore]

ROWS = [
    ("apples", "red apple fruit", "About apples", "orchard cider"),
    ("pears", "green pear fruit", "All the pears", "orchard perry"),
    ("both", "red apple green pear", None, "cider perry perry"),
    ("letters", "a b c d e", "An alphabet", None),
    ("green", "green green fruit", "Colours of trees", "forest"),
    ("bare", "z y x", None, None),
]
ALL = ["dense", "sparse", "title", "words"]
FUSIONS = [
    ConfidenceWeighted(),
    ReciprocalRank(),
    Weighted({"dense": 0.4, "sparse": 0.1, "title": 0.2, "words": 0.3}),
    Weighted(0.3),
    "milvus-rrf",
    "milvus-weighted",
]


def record(row: tuple[str, str, str | None, str | None], **changes: Any) -> Record:
    """A row as a record."""
    row_id, text, title, keywords = row
    metadata = {"title": title, "keywords": keywords, "n": len(text)}
    given = {key: value for key, value in metadata.items() if value is not None}
    return replace(Record(id=row_id, text=text, metadata=given), **changes)


RECORDS = [record(row) for row in ROWS]


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny SPLADE."""
    return tiny_splade(tmp_path_factory.mktemp("splade"))


def functions(splade: Path) -> dict[str, Any]:
    """The arguments of a store with four fields."""
    return {
        "dense": Letters(26, "letters-26"),
        "sparse": f"splade/{splade}",
        "fields": {
            "title": DenseField(Noise(8, "noise-8"), source="title"),
            "words": SparseField("bm25", source="keywords"),
        },
    }


@pytest.fixture(scope="module", params=["path", "server"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path of Milvus Lite, and a server."""
    if request.param == "path":
        return str(tmp_path_factory.mktemp("fields") / "fields.db")
    server: str = request.getfixturevalue("lite_server")
    return server


@pytest.fixture(scope="module")
def shelf(where: str, splade: Path) -> Iterator[MilvusStore]:
    """A store with four fields, which no test changes."""
    with MilvusStore(where, collection_name="shelf", overwrite=True, **functions(splade)) as store:
        store.add(RECORDS)
        yield store
        store.drop()


@pytest.fixture
def fresh(where: str, splade: Path, collection_name: str) -> Iterator[MilvusStore]:
    """The same, for tests that change it."""
    with MilvusStore(where, collection_name=collection_name, **functions(splade)) as store:
        store.add(RECORDS)
        yield store
        store.drop()


def ids(hits: Sequence[Hit]) -> list[str]:
    """The ids of hits, in order."""
    return [hit.id for hit in hits]


def cosine(first: Any, second: Any) -> float:
    """The cosine of two vectors."""
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def found(hits: Sequence[Hit]) -> dict[str, float]:
    """The score of each hit."""
    return {hit.id: hit.score for hit in hits}


# --- searching -----------------------------------------------------------------------------------


def test_each_field_ranks_by_its_own_model_and_source(shelf: MilvusStore, splade: Path) -> None:
    """And finds just the rows that have its source, cosines below 0 included."""
    query = "red apple"
    letters, noise = Letters(26), Noise(8)
    expected = {
        "dense": {
            row.id: cosine(letters.vector(query), letters.vector(row.text)) for row in RECORDS
        },
        "title": {
            row.id: cosine(noise.vector(query), noise.vector(row.metadata["title"]))
            for row in RECORDS
            if "title" in row.metadata
        },
    }
    assert min(expected["title"].values()) < 0
    model = SpladeEmbeddingFunction(splade, device="cpu")
    products = (
        model.encode_documents([row.text for row in RECORDS]).toarray()
        @ (model.encode_queries([query]).toarray()[0])
    )
    expected["sparse"] = {
        str(row.id): float(product)
        for row, product in zip(RECORDS, products, strict=True)
        if product > 0
    }
    for mode, scores in expected.items():
        hits = shelf.search(query, k=10, mode=mode)
        assert found(hits) == pytest.approx(scores, abs=1e-4)
        assert all(list(hit.scores) == [mode] for hit in hits)
    assert ids(shelf.search("perry", k=10, mode="words")) == ["both", "pears"]
    assert shelf.search("apple", k=10, mode="words") == []


def test_a_mode_is_a_name_or_several(shelf: MilvusStore) -> None:
    """Hybrid is dense and sparse, and so is no mode at all; a sequence is what it names."""
    for mode, fields in (
        (None, {"dense", "sparse"}),
        ("hybrid", {"dense", "sparse"}),
        (["title"], {"title"}),
        (("title", "words"), {"title", "words"}),
        (ALL, set(ALL)),
        (["words", "words"], {"words"}),
    ):
        hits = shelf.search("orchard cider", k=10, mode=mode)  # type: ignore[arg-type]
        assert {name for hit in hits for name in hit.scores} == fields
    with pytest.raises(InvalidInputError, match="no blurb vectors, only"):
        shelf.search("x", mode=["dense", "blurb"])


def test_vectors_are_given_by_field(shelf: MilvusStore) -> None:
    """Alone they say the mode; beside a text they stand for what the function would make."""
    vectors = {"dense": Letters(26).vector("pear"), "title": Noise(8).vector("pear")}
    for name, vector in vectors.items():
        by_text = shelf.search("pear", mode=name, k=10)
        assert shelf.search(vector={name: vector}, k=10) == by_text
        many = shelf.search_many(vectors={name: [vector, vector]}, k=10)
        assert [found(hits) for hits in many] == [pytest.approx(found(by_text), abs=1e-6)] * 2
    hits = shelf.search(vector=vectors, k=10)
    assert {name for hit in hits for name in hit.scores} == {"dense", "title"}
    assert hits == shelf.search("pear", mode=["dense", "title"], k=10)
    hits = shelf.search("perry", vector={"title": vectors["title"]}, mode=["title", "words"], k=10)
    assert hits == shelf.search("perry", vector=vectors, mode=["title", "words"], k=10)
    for wrong in ({"blurb": [1.0]}, {"title": [1.0]}, {"title": None}, {3: [1.0]}):
        with pytest.raises(InvalidInputError):
            shelf.search(vector=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("fusion", FUSIONS, ids=str)
def test_every_fusion_takes_any_number_of_fields(shelf: MilvusStore, fusion: Any) -> None:
    """Several queries at once give what each gives alone."""
    queries = ["orchard cider", "green", "nothing known"]
    many = shelf.search_many(queries, mode=ALL, fusion=fusion, k=4)
    for query, hits in zip(queries, many, strict=True):
        assert ids(hits) == ids(shelf.search(query, mode=ALL, fusion=fusion, k=4))
        assert len(hits) == 4
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize("fusion", FUSIONS[:4], ids=str)
def test_hits_tell_the_score_and_rank_of_each_field(shelf: MilvusStore, fusion: Any) -> None:
    """They are those of that field searched alone."""
    alone = {name: shelf.search("orchard fruit", k=10, mode=name) for name in ALL}
    for hit in shelf.search("orchard fruit", k=10, mode=ALL, fusion=fusion):
        assert set(hit.scores) == {name for name, hits in alone.items() if hit.id in ids(hits)}
        for name, entry in hit.scores.items():
            rank = ids(alone[name]).index(hit.id) + 1
            [same] = alone[name][rank - 1].scores.values()
            assert entry.rank == rank
            assert (entry.score, entry.relevance) == pytest.approx((same.score, same.relevance))


def test_a_weight_for_every_field_that_is_searched(shelf: MilvusStore) -> None:
    """One that is missing is refused; one of 0 leaves a field without a say."""
    with pytest.raises(InvalidInputError, match="title"):
        shelf.search("x", mode=["dense", "title"], fusion=Weighted({"dense": 1}))
    only = Weighted({"dense": 1, "title": 0})
    hits = shelf.search("pear", mode=["dense", "title"], fusion=only, k=3)
    assert ids(hits) == ids(shelf.search("pear", mode="dense", k=3))


def test_each_field_is_read_as_deep_as_asked(shelf: MilvusStore) -> None:
    """`fetch_k` by field; what it leaves out is as deep as ever."""
    depths = {"dense": 1, "title": 2}
    hits = shelf.search("orchard cider", k=6, mode=ALL, fetch_k=depths)
    counts = {name: sum(name in hit.scores for hit in hits) for name in ALL}
    assert counts == {"dense": 1, "title": 2, "words": 3, "sparse": counts["sparse"]}
    assert counts["sparse"] > 2


def test_explain_names_its_field(shelf: MilvusStore) -> None:
    """The sum of the terms is that field's score; only a BM25 of the store's own has terms."""
    [hit] = shelf.search("orchard cider", mode=["words", "dense"], k=1, fusion=Weighted(0.0))
    for field in ("words", None):
        explanation = shelf.explain("orchard cider", hit.id, field=field)
        assert set(explanation) == {"orchard", "cider"}
        assert sum(explanation.values()) == pytest.approx(hit.scores["words"].score, rel=1e-5)
    assert shelf.explain("orchard", "bare") == {}
    for field in ("title", "blurb"):
        with pytest.raises(InvalidInputError, match=f"{field}.* no BM25"):
            shelf.explain("orchard", hit.id, field=field)


def test_mmr_compares_the_field_it_is_told(shelf: MilvusStore) -> None:
    """By default the first dense one; rows that lack it cannot be compared and are left out."""
    options: dict[str, Any] = {"k": 6, "balance": 0.5, "mode": ALL}
    first = shelf.search_mmr("fruit", **options)
    assert first == shelf.search_mmr("fruit", mmr_field="dense", **options)
    assert len(first) == 6
    titled = {row.id for row in RECORDS if "title" in row.metadata}
    assert set(ids(shelf.search_mmr("fruit", mmr_field="title", **options))) == titled
    for field in ("words", "blurb"):
        with pytest.raises(InvalidInputError, match=f"mmr_field='{field}'"):
            shelf.search_mmr("fruit", mmr_field=field, **options)


def test_filters_and_vectors_work_for_every_field(shelf: MilvusStore) -> None:
    """Whichever fields are searched, and whoever fuses."""
    few = F("n") > 14
    wanted = {row.id for row in RECORDS if row.metadata["n"] > 14}
    for mode in (*ALL, ALL):
        for fusion in FUSIONS:
            hits = shelf.search("orchard fruit", k=9, mode=mode, filter=few, fusion=fusion)
            assert set(ids(hits)) <= wanted
            assert hits
    for hit in shelf.search("cider", k=9, mode=ALL, with_vectors=True):
        lacking = {"title": "title", "words": "keywords"}
        has = {n for n in ALL if n not in lacking or lacking[n] in hit.metadata}
        assert set(hit.vectors) == has
        if "title" in has:
            assert hit.vectors["title"] == pytest.approx(Noise(8).vector(hit.metadata["title"]))
    assert set(shelf.get(["bare"], with_vectors=True)[0].vectors) == {"dense", "sparse"}


def test_a_row_without_the_source_is_not_found(make_store: MakeStore) -> None:
    """Not even where its placeholder would be the very best, nor after reopening."""
    placeholder = [1.0, 0.0, 0.0]
    for metric in ("COSINE", "IP", "L2"):
        name = f"lacking_{metric}"
        field = {"other": DenseField(Noise(3), source="other", metric=metric)}
        store = make_store(collection_name=name, fields=field)  # type: ignore[arg-type]
        store.add([Record(id="has", text="x", metadata={"other": "some"})])
        store.add([Record(id="lacks", text="x"), Record(id="empty", metadata={"other": ""})])
        for _ in range(2):
            for arguments in ({}, {"mode": ["other", "sparse"], "fusion": "milvus-rrf"}):
                hits = store.search("y", vector={"other": placeholder}, k=9, **arguments)  # type: ignore[arg-type]
                assert ids(hits) == ["has"]
            store.close()
            store = make_store(collection_name=name)
        store.using(other=Noise(3)).add([Record(id="lacks", text="x", metadata={"other": "now"})])
        assert len(store.search(vector={"other": placeholder}, k=9)) == 2
        store.using(other=Noise(3)).add([Record(id="has", text="x")])
        assert ids(store.search(vector={"other": placeholder}, k=9)) == ["lacks"]


def test_a_source_that_is_no_string_is_refused(fresh: MilvusStore) -> None:
    """By record, field and key, before anything is encoded."""
    calls = len(fresh.dense.calls)  # type: ignore[union-attr]
    for key, field in (("title", "title"), ("keywords", "words")):
        bad = Record(id="bad", text="x", metadata={key: ["a", "list"]})
        with pytest.raises(InvalidInputError, match=rf"'bad'.*{field}.*'{key}'.*list"):
            fresh.add([Record(text="good"), bad])
    with pytest.raises(InvalidInputError, match=r"title.*int"):
        fresh.update(["apples"], metadata={"title": 3})
    assert len(fresh.dense.calls) == calls  # type: ignore[union-attr]
    assert fresh.count() == len(RECORDS)


def test_the_text_alone_is_a_source(make_store: MakeStore) -> None:
    """`TEXT` leaves the context out, None puts it in front."""
    alone, both = Letters(26), Letters(8)
    store = make_store(
        sparse=None, fields={"alone": DenseField(alone, source=TEXT), "both": DenseField(both)}
    )
    store.add([Record(id="a", text="body", context="head")])
    assert alone.calls == [["body", PROBE]]
    assert both.calls == [["head\nbody", PROBE]]


def test_metrics_are_those_of_the_field(make_store: MakeStore) -> None:
    """A score is higher for the better row: L2's is minus the engine's squared distance."""
    function = Noise(4)
    store = make_store(
        sparse=None,
        fields={"ip": DenseField(function, metric="IP"), "l2": DenseField(function, metric="L2")},
    )
    texts = [f"text {n}" for n in range(12)]
    store.add([Record(id=text, text=text) for text in texts])
    query = function.vector("query")
    products = {text: float(function.vector(text) @ query) for text in texts}
    distances = {text: float(np.sum((function.vector(text) - query) ** 2)) for text in texts}
    assert found(store.search("query", k=20, mode="ip")) == pytest.approx(products, abs=1e-5)
    hits = store.search("query", k=20, mode="l2")
    assert ids(hits) == sorted(texts, key=lambda text: distances[text])
    assert found(hits) == pytest.approx({t: -d for t, d in distances.items()}, abs=1e-4)
    expected = [1 / (1 + distances[hit.id]) for hit in hits]
    assert [hit.relevance for hit in hits] == pytest.approx(expected, rel=1e-4)
    assert ids(store.search("query", k=20, mode=["ip", "l2"]))
    for arguments in ({"metric": "HAMMING"}, {"dim": 0}, {"source": 3}, {"index_type": "TREE"}):
        with pytest.raises(InvalidInputError):
            DenseField(**arguments)  # type: ignore[arg-type]


def test_a_store_says_which_fields_it_searches(make_store: MakeStore) -> None:
    """`search_fields=` is the default mode; a mode that is given goes first."""
    fields = {"title": DenseField(Noise(8), source="title")}
    store = make_store(dense=Letters(), fields=fields, search_fields=["title", "sparse"])
    store.add(RECORDS)
    found_by = {name for hit in store.search("apple", k=9) for name in hit.scores}
    assert found_by == {"title", "sparse"}
    assert {n for hit in store.search("apple", mode="dense") for n in hit.scores} == {"dense"}
    for wrong in ("title", [], [3], 3):
        with pytest.raises(InvalidInputError, match="search_fields"):
            make_store(search_fields=wrong)
    with pytest.raises(InvalidInputError, match="search_fields names 'blurb'"):
        make_store(search_fields=["blurb"]).search("apple")


def test_an_added_field_changes_nobodys_answers(make_store: MakeStore) -> None:
    """Without a mode, dense and sparse are searched as ever."""
    plain = make_store(collection_name="plain", dense=Letters())
    more = make_store(
        collection_name="more",
        dense=Letters(),
        fields={"title": DenseField(Noise(8), source="title")},
    )
    for store in (plain, more):
        store.add(RECORDS)
    for query in ("red apple", "green fruit", "c d e"):
        assert plain.search(query) == more.search(query)
        assert plain.search_mmr(query) == more.search_mmr(query)


def test_without_dense_and_sparse_every_field_is_searched(make_store: MakeStore) -> None:
    """As far as it has an input."""
    store = make_store(
        sparse=None, fields={"one": DenseField(Letters(8)), "two": DenseField(dim=2)}
    )
    store.add([Record(id="a", text="abc", vectors={"two": np.ones(2, np.float32)})])
    assert set(store.search("abc")[0].scores) == {"one"}
    assert set(store.search("abc", vector={"two": [1, 1]})[0].scores) == {"one", "two"}


# --- writing -------------------------------------------------------------------------------------


def test_ready_vectors_are_stored_as_given(fresh: MilvusStore) -> None:
    """By `Record.vectors`, of any field but BM25's, and only the others are encoded."""
    given = {
        "dense": np.arange(1, 27, dtype=np.float32),
        "title": np.ones(8, np.float32),
        "sparse": {3: 1.5},
    }
    before = len(fresh.dense.calls)  # type: ignore[union-attr]
    fresh.add([record(ROWS[0], vectors=given)])
    assert len(fresh.dense.calls) == before  # type: ignore[union-attr]
    [stored] = fresh.get(["apples"], with_vectors=True)
    assert stored.vectors["title"].tolist() == [1] * 8  # type: ignore[union-attr]
    assert stored.vectors["sparse"] == {3: 1.5}
    assert stored.dense is not None
    assert stored.dense.tolist() == list(range(1, 27))
    for name, vector in (("title", [1.0]), ("title", [np.nan] * 8), ("blurb", [1.0])):
        with pytest.raises(InvalidInputError, match=name):
            fresh.add([Record(text="x", vectors={name: vector})])  # type: ignore[dict-item]


def test_overwriting_keeps_vectors_that_nobody_here_makes(make_store: MakeStore) -> None:
    """A field without a function keeps its vector while what it is of stays the same."""
    outer = np.array([1, 2, 3], np.float32)
    fields = {"outer": DenseField(dim=3), "by_title": DenseField(dim=3, source="title")}
    store = make_store(fields=fields)
    metadata = {"title": "A title"}
    both = {"outer": outer, "by_title": outer}
    store.add([Record(id="a", text="word", metadata=metadata, vectors=both), Record(id="b")])
    reopened = make_store()
    reopened.add([Record(id="a", text="word", metadata={**metadata, "year": 1999})])
    [stored] = reopened.get(["a"], with_vectors=True)
    assert stored.vectors["outer"].tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert stored.vectors["by_title"].tolist() == [1, 2, 3]  # type: ignore[union-attr]
    with pytest.raises(InvalidInputError, match="'outer' has no function"):
        reopened.add([Record(id="a", text="other words", metadata=metadata)])
    with pytest.raises(InvalidInputError, match="'by_title' has no function"):
        reopened.add([Record(id="a", text="word", metadata={"title": "Another"})])
    reopened.add([Record(id="a", text="word")])  # without a title there is nothing to be of
    [stored] = reopened.get(["a"], with_vectors=True)
    assert set(stored.vectors) == {"outer", "sparse"}
    assert ids(reopened.search(vector={"outer": outer})) == ["a"]
    assert reopened.search(vector={"by_title": outer}) == []


def test_a_row_without_the_function_of_its_model_is_refused(make_store: MakeStore) -> None:
    """A store that cannot encode a source that is there would leave the row unfindable."""
    fields = {"title": DenseField(Noise(8, "noise-8"), source="title")}
    make_store(fields=fields).add(RECORDS)
    other = make_store()
    with pytest.raises(InvalidInputError, match=r"title.*noise-8"):
        other.add([Record(id="new", text="x", metadata={"title": "A title"})])
    other.add([Record(id="new", text="x")])
    other.add([replace(RECORDS[0], text="another text")])
    assert "title" in other.get(["apples"], with_vectors=True)[0].vectors


def test_changed_metadata_encodes_what_it_changes(fresh: MilvusStore) -> None:
    """`update` calls a field's function for the rows whose source has changed, and for no other."""
    title: Noise = fresh.function("title")
    dense: Letters = fresh.function("dense")
    before = fresh.get(["apples", "pears", "both"], with_vectors=True)
    title.calls.clear()
    dense.calls.clear()
    assert fresh.update(["apples", "pears", "nobody"], metadata={"year": 1999}) == 2
    assert (title.calls, dense.calls) == ([], [])
    changes = [{"title": "New"}, {"title": "All the pears"}, {"keywords": "moor", "title": None}]
    assert fresh.update(["apples", "pears", "both"], metadata=changes) == 3
    assert (title.calls, dense.calls) == ([["New"]], [])
    after = fresh.get(["apples", "pears", "both"], with_vectors=True)
    assert after[0].vectors["title"] == pytest.approx(title.vector("New"))
    assert after[0].metadata == {**before[0].metadata, "year": 1999, "title": "New"}
    for old, new in zip(before, after, strict=True):
        assert old.dense == pytest.approx(new.dense)
        assert old.sparse == new.sparse
        assert (old.text, old.document_id, old.extra) == (new.text, new.document_id, new.extra)
    assert ids(fresh.search("moor", mode="words")) == ["both"]
    assert fresh.update(["bare", "bare"], metadata=[{"p": 1, "q": 1}, {"q": 2}]) == 1
    assert fresh.get(["bare"])[0].metadata == {"n": 5, "p": 1, "q": 2}
    assert fresh.check() == []


async def test_update_without_the_function_is_refused(make_store: MakeStore) -> None:
    """Where a source changes, its function is needed; other keys change without it."""
    make_store(fields={"title": DenseField(Noise(8, "noise-8"), source="title")}).add(RECORDS)
    store = make_store()
    assert await store.aupdate(["apples"], metadata={"year": 1999}) == 1
    with pytest.raises(InvalidInputError, match="noise-8"):
        store.update(["apples"], metadata={"title": "New"})
    for metadata in ("x", [{}], 3, [{}, {}, {}]):
        with pytest.raises(InvalidInputError):
            store.update(["apples", "pears"], metadata=metadata)  # type: ignore[arg-type]
    assert store.get(["apples"])[0].metadata["title"] == "About apples"


def test_deleting_and_overwriting_keep_every_bm25_true(make_store: MakeStore) -> None:
    """Two BM25 fields of two languages count each its own source."""
    store = make_store(
        fields={
            "titles": SparseField("bm25:de", source="title"),
            "words": SparseField("bm25", source="keywords"),
        }
    )
    store.add(RECORDS)
    store.add([record(ROWS[0], metadata={"title": "Die Häuser"})])
    store.delete(["both"])
    store.update(["green"], metadata={"keywords": "cider"})
    assert store.check() == []
    assert ids(store.search("Haus", mode="titles")) == ["apples"]
    assert ids(store.search("cider", mode="words")) == ["green"]
    store.rebuild_statistics()
    store.reencode_sparse()
    assert store.check() == []
    store.close()
    assert make_store().check() == []


def test_tenants_have_every_field(where: str, splade: Path, collection_name: str) -> None:
    """A view finds its own rows by each field and by all, and two tenants may use one id."""
    arguments = {"partition_key": "owner", **functions(splade)}
    with MilvusStore(where, collection_name=collection_name, **arguments) as store:
        for name in ("acme", "bolt"):
            store.for_tenant(name).add(RECORDS)
        view = store.for_tenant("acme")
        for mode in (*ALL, ALL):
            for fusion in FUSIONS:
                hits = view.search("orchard fruit", k=20, mode=mode, fusion=fusion)
                assert {hit.metadata["owner"] for hit in hits} == {"acme"}
                assert len(set(ids(hits))) == len(hits)
        assert view.update(["apples"], metadata={"title": "Mine"}) == 1
        other = store.for_tenant("bolt").get(["apples"])[0]
        assert other.metadata["title"] == "About apples"
        store.drop()


# --- what there is -------------------------------------------------------------------------------


def test_a_reopened_collection_knows_its_fields(
    where: str, splade: Path, fresh: MilvusStore
) -> None:
    """Models, sources, metrics; what cannot be made from a name must be passed again."""
    with MilvusStore(where, collection_name=fresh.collection_name) as store:
        opened = store._session.find()
        assert opened is not None
        fields = opened.layout.fields
        assert list(fields) == ALL
        assert [fields[name].model for name in ALL] == ["letters-26", str(splade), "noise-8", None]
        assert [fields[name].source for name in ALL] == [None, None, "title", "keywords"]
        assert ids(store.search("forest", mode="words")) == ["green"]
        assert store.search(vector={"title": Noise(8).vector("x")})
        for mode, model in (("title", "noise-8"), ("dense", "letters-26"), ("sparse", "splade")):
            with pytest.raises(InvalidInputError, match=rf"pass .*{mode}.*made by .*{model}"):
                store.search("x", mode=mode)
        view = store.using(title=Noise(8, "noise-8"))
        assert found(view.search("x", mode="title")) == found(fresh.search("x", mode="title"))
    with MilvusStore.open(where, collection_name=fresh.collection_name) as store:
        assert ids(store.search("apple", mode="sparse")) == ids(
            fresh.search("apple", mode="sparse")
        )
        with pytest.raises(InvalidInputError, match=r"pass fields={'title'.*noise-8"):
            store.search("x", mode="title")


def test_fields_may_be_named_in_part(where: str, fresh: MilvusStore) -> None:
    """What a store says of a field that is there must agree; the others come along."""
    fields = {"title": DenseField(Noise(8, "noise-8"))}
    name = fresh.collection_name
    with MilvusStore(where, collection_name=name, fields=fields) as store:
        assert set(store.search("x", mode=["title", "words"])[0].scores) <= {"title", "words"}
        assert store.count() == len(RECORDS)
    whole = {"title": DenseField(dim=8, source="title", metric="COSINE")}
    with MilvusStore(where, collection_name=name, fields=whole) as store:
        assert store.count() == len(RECORDS)


@pytest.mark.parametrize(
    ("fields", "stored", "asked"),
    [
        ({"title": SparseField("bm25")}, "'dense'", "'bm25'"),
        ({"title": DenseField(source="keywords")}, "title", "keywords"),
        ({"title": DenseField(source=None)}, "title", "None"),
        ({"title": DenseField(dim=9)}, "8", "9"),
        ({"title": DenseField(Noise(9))}, "8", "9"),
        ({"title": DenseField(metric="L2")}, "COSINE", "L2"),
        ({"words": SparseField("bm25:de")}, "'en'", "'de'"),
        ({"words": SparseField("bm25", source="title")}, "keywords", "title"),
        ({"words": SparseField("bm25", source=TEXT)}, "keywords", "TEXT"),
        ({"words": DenseField(dim=3)}, "bm25", "3"),
        ({"blurb": DenseField(dim=3)}, "None", "3"),
        ({"blurb": SparseField("bm25")}, "None", "bm25"),
    ],
)
def test_a_field_that_contradicts_what_is_there_is_refused(
    where: str, shelf: MilvusStore, fields: Mapping[str, Any], stored: str, asked: str
) -> None:
    """The error names the field and shows both sides."""
    [name] = fields
    with MilvusStore(where, collection_name=shelf.collection_name, fields=fields) as store:
        for call in (store.count, lambda: store.add([Record(text="x")])):
            with pytest.raises(CollectionMismatchError) as caught:
                call()
            there, _, wanted = str(caught.value).partition("but the store asks for")
            assert f"fields['{name}']" in there
            assert stored in there
            assert asked in wanted


@pytest.mark.parametrize(
    "name",
    [
        "id", "key", "text", "context", "metadata", "document_id", "extra", "write", "hybrid",
        "rerank", "meta_x", "has_x", "a b", "1a", "", "ü", 3,
    ],
)  # fmt: skip
def test_names_that_are_taken_are_refused(make_store: MakeStore, name: Any) -> None:
    """Those of columns and of modes, and what Milvus takes for no name."""
    with pytest.raises(InvalidInputError, match="fields"):
        make_store(fields={name: DenseField(dim=3)})


def test_fields_that_make_no_sense_are_refused(make_store: MakeStore) -> None:
    """The constructor says so."""
    for fields in ([DenseField(dim=3)], {"a": "bm25"}, {"a": Letters()}, 3):
        with pytest.raises(InvalidInputError, match="fields"):
            make_store(fields=fields)
    with pytest.raises(InvalidInputError, match="both say"):
        make_store(dense=Letters(), fields={"dense": DenseField(dim=3)})
    for function in ("tfidf", Letters, 3):
        with pytest.raises(InvalidInputError, match=r"known are|SparseEmbeddingFunction"):
            make_store(fields={"a": SparseField(function)})  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="length of the field 'a' is not known"):
        make_store(fields={"a": DenseField(source="a")}).add([Record(text="x")])


def test_fields_without_dense_and_sparse(make_store: MakeStore) -> None:
    """A collection may have named fields alone."""
    store = make_store(sparse=None, fields={"one": DenseField(Letters(8))})
    store.add([Record(id="a", text="abc"), Record(id="b", text="xyz")])
    assert ids(store.search("abc")) == ["a", "b"]
    with pytest.raises(InvalidInputError, match="no dense vectors"):
        store.search("abc", mode="dense")


# --- random fields -------------------------------------------------------------------------------

words = st.sampled_from(["red", "green", "apple", "pear", "", "z y x"])
sources = st.sampled_from([None, TEXT, "a", "b"])
dense_fields = st.builds(
    lambda dim, source, metric: DenseField(Noise(dim), source=source, metric=metric),
    st.integers(2, 9),
    sources,
    st.sampled_from(["COSINE", "IP", "L2", None]),
)
bm25_fields = st.builds(lambda source: SparseField("bm25", source=source), sources)
rows = st.builds(
    lambda text, context, metadata: Record(text=text, context=context, metadata=metadata),
    words,
    words,
    st.dictionaries(st.sampled_from("ab"), words),
)


def expected_scores(field: DenseField, query: str, records: Sequence[Record]) -> dict[str, float]:
    """The score of each row that has the field, by brute force."""
    function: Any = field.function
    asked, scores = function.vector(query), {}
    for row in records:
        text = field.text_of(row)
        if text is None:
            continue
        vector = function.vector(text)
        if field.metric == "L2":
            scores[str(row.id)] = -float(np.sum((asked - vector) ** 2))
        else:
            by_product = field.metric == "IP"
            scores[str(row.id)] = float(asked @ vector) if by_product else cosine(asked, vector)
    return scores


@settings(max_examples=examples(12))
@given(
    fields=st.dictionaries(
        st.sampled_from(["one", "two", "three", "dense", "sparse"]),
        st.one_of(dense_fields, dense_fields, bm25_fields),
        min_size=1,
        max_size=4,
    ),
    records=st.lists(rows, min_size=1, max_size=6),
    changed=st.lists(rows, max_size=2),
    query=words,
)
def test_any_fields_rank_as_brute_force_does(
    tmp_path_factory: pytest.TempPathFactory,
    fields: dict[str, Any],
    records: list[Record],
    changed: list[Record],
    query: str,
) -> None:
    """Kinds, sources and metrics in any combination, rows that lack some, overwritten or not."""
    path = tmp_path_factory.getbasetemp() / "random.db"
    with MilvusStore(path, sparse=None, fields=fields, overwrite=True) as store:
        live = {str(n): replace(row, id=str(n)) for n, row in enumerate(records)}
        store.add(live.values())
        again = {str(n): replace(row, id=str(n)) for n, row in enumerate(changed)}
        store.add(again.values())
        for row_id, row in again.items():
            old = live.get(row_id, row)
            live[row_id] = replace(row, context=old.context if row.context is None else row.context)
        for name, field in fields.items():
            hits = store.search(query, mode=name, k=20)
            if isinstance(field, DenseField):
                expected = expected_scores(field, query, list(live.values()))
                assert found(hits) == pytest.approx(expected, abs=1e-3)
        every = store.search(query, mode=list(fields), k=20)
        assert {name for hit in every for name in hit.scores} <= set(fields)
        if any(not isinstance(field, DenseField) for field in fields.values()):
            assert store.check() == []
