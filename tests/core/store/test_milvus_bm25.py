"""BM25 as a function of the server: what comes of it; `test_milvus_bm25_requests`: what is sent.

No server that has the function can be run here. Milvus Lite has one that tokenises and ranks by the
same formula in a collection of one segment, does not stem, and gives its scores a minus sign; the
server's dialect over it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hybridge import (
    TEXT,
    MilvusStore,
    ReciprocalRank,
    Record,
    RerankResult,
    SparseField,
)
from hybridge.errors import CollectionMismatchError, InvalidInputError
from hybridge.sparse.languages import LANGUAGES, find_language
from hybridge.store.bm25.milvus import MilvusBM25Field, milvus_analyzer
from hybridge.store.engine.dialect import Lite, Server
from support.engines import FunctionsOverLite, functions_over_lite, servers_over_lite
from support.word_function import WordFunction

TEXTS = {
    "fox": "a fox crossed the river",
    "bank": "the bank by the river was steep and the river deep",
    "bird": "a bird sang",
}


@pytest.fixture(autouse=True)
def _functions() -> Iterator[None]:
    """Servers have BM25 functions."""
    with functions_over_lite():
        yield


@pytest.fixture
def store(lite_server: str, collection_name: str) -> Iterator[MilvusStore]:
    """A store in which the server ranks texts, beside the vectors of words."""
    made = MilvusStore(
        lite_server, collection_name=collection_name, dense=WordFunction(), sparse="milvus"
    )
    with made:
        made.add([Record(id=name, text=text) for name, text in TEXTS.items()])
        yield made


# --- what comes of it ----------------------------------------------------------------------------


def test_the_server_ranks(store: MilvusStore) -> None:
    """By BM25, best first, scores above 0 and without a relevance; nothing for unknown words."""
    hits = store.search("river bank", mode="sparse")
    assert [hit.id for hit in hits] == ["bank", "fox"]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert min(hit.score for hit in hits) > 0
    assert [hit.relevance for hit in hits] == [None, None]
    assert store.search("zebra", mode="sparse") == store.search("", mode="sparse") == []
    many = store.search_many(["bird", "", "fox"], mode="sparse")
    assert [[hit.id for hit in some] for some in many] == [["bird"], [], ["fox"]]


def test_it_is_one_ranking_of_several(store: MilvusStore) -> None:
    """Fused like any other, by our ways and by Milvus's own, filtered, and reranked."""
    for fusion in (None, ReciprocalRank(), "milvus-rrf"):
        assert store.search("fox", fusion=fusion)[0].id == "fox"
    [hit, *_] = store.search("bird")
    assert hit.scores["sparse"].relevance is None
    assert hit.scores["dense"].relevance is not None
    assert hit.relevance is not None
    found = store.search("river", mode="sparse", filter=~TEXT.contains("fox"))
    assert [hit.id for hit in found] == ["bank"]
    [reranked] = store.search(
        "river", mode="sparse", k=1, reranker=lambda _q, texts, top_k: _by_length(texts)[:top_k]
    )
    assert (reranked.id, reranked.relevance) == ("bank", 1.0)


def _by_length(texts: list[str]) -> list[RerankResult]:
    ordered = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    return [RerankResult(texts[i], 1 / (1 + n), i) for n, i in enumerate(ordered)]


def test_no_threshold_is_compared_with_what_has_no_scale(store: MilvusStore) -> None:
    """A hit says so, instead of passing or failing."""
    [hit] = store.search("bird", mode="sparse", k=1)
    with pytest.raises(InvalidInputError, match="no scale"):
        hit.reaches(0.1)
    assert store.search("bird", mode="dense", k=1)[0].reaches(0.1)


def test_a_row_is_found_by_what_it_says_now(store: MilvusStore) -> None:
    """Context included, also where it is kept from the row that is overwritten."""
    store.add([Record(id="fox", text="a vixen", context="Mammals")])
    assert [hit.id for hit in store.search("mammals", mode="sparse")] == ["fox"]
    assert [hit.id for hit in store.search("river", mode="sparse")] == ["bank"]
    store.add([Record(id="fox", text="a hare")])
    assert [hit.id for hit in store.search("mammals hare", mode="sparse")] == ["fox"]
    assert store.search("vixen", mode="sparse") == []
    store.delete(["fox"])
    assert store.search("hare", mode="sparse") == []


def test_a_field_may_index_metadata(lite_server: str, collection_name: str) -> None:
    """Rows without it are not found by it; an update indexes it anew."""
    fields = {
        "title": SparseField("milvus:de", source="title"),
        "own": SparseField("milvus", source=TEXT),
    }
    with MilvusStore(
        lite_server, collection_name=collection_name, sparse=None, fields=fields
    ) as store:
        store.add(
            [
                Record(id="a", text="one", context="both", metadata={"title": "Der Hund"}),
                Record(id="b", text="two", context="both"),
            ]
        )
        assert [hit.id for hit in store.search("hund", mode="title")] == ["a"]
        assert store.search("both", mode="own") == []
        store.update(["a", "b"], metadata={"title": "Die Katze"})
        assert {hit.id for hit in store.search("katze", mode="title")} == {"a", "b"}
        assert store.search("hund", mode="title") == []
        store.update(["a"], metadata={"title": None})
        assert [hit.id for hit in store.search("katze", mode="title")] == ["b"]
        assert [hit.id for hit in store.search("one", mode="own")] == ["a"]


def test_vectors_cannot_be_read_nor_given(store: MilvusStore) -> None:
    """The others can; what is read can be written again."""
    [record] = store.get(["fox"], with_vectors=True)
    assert record.vectors.keys() == {"dense"}
    [hit] = store.search("bird", k=1, with_vectors=True)
    assert hit.vectors.keys() == {"dense"}
    assert store.add(list(store.scroll(with_vectors=True)))
    with pytest.raises(InvalidInputError, match="the server makes it of the text"):
        store.add([Record(text="x", sparse={1: 1.0})])
    with pytest.raises(InvalidInputError, match="the server makes it of the text"):
        store.search("x", vector={"sparse": {1: 1.0}})
    with pytest.raises(InvalidInputError, match="made by the server"):
        store.using(sparse="bm25:de").search("x")


def test_a_text_must_fit_with_its_context(store: MilvusStore) -> None:
    """They are one column of the server; nothing is written."""
    with pytest.raises(InvalidInputError, match=r"'big'.* 'sparse' indexes has 66,001 bytes"):
        store.add([Record(id="big", text="x" * 65_000, context="y" * 1000)])
    assert store.count() == 3


def test_the_server_counts(store: MilvusStore) -> None:
    """What is about our own counts says so; other processes change nothing of it."""
    for call in (lambda: store.explain("fox", "fox"), store.check, store.rebuild_statistics):
        with pytest.raises(InvalidInputError, match="'milvus', whose counts the server keeps"):
            call()


def test_a_collection_knows_what_it_has(store: MilvusStore, lite_server: str) -> None:
    """Adopted without being named; another BM25, or another language, contradicts it."""
    name = store.collection_name
    with MilvusStore(lite_server, collection_name=name) as adopted:
        assert [hit.id for hit in adopted.search("bird", mode="sparse")] == ["bird"]
        adopted.add([Record(id="new", text="a newt", dense=[1.0] * WordFunction.dim)])
        assert [hit.id for hit in store.search("newt", mode="sparse")] == ["new"]
        adopted.clear()
        assert store.search("newt", mode="sparse") == []
    for other in ("bm25", "milvus:de", None):
        with (
            MilvusStore(lite_server, collection_name=name, sparse=other) as asked,
            pytest.raises(CollectionMismatchError, match="'kind': 'milvus'"),
        ):
            asked.count()


def test_text_match_is_looked_up_by_words(
    store: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By those inside the value, and decided by the text; not until a write is looked up, too."""
    connection = store._session.collection().connection
    asked: list[str] = []
    call = connection.call

    def noting(operation: str, *arguments: Any, **named: Any) -> Any:
        asked.append(named.get("filter", ""))
        return call(operation, *arguments, **named)

    monkeypatch.setattr(connection, "call", noting)
    store.add([Record(id="other", text="the fox jumped"), Record(id="no", text="no fox crossed")])
    wanted = TEXT.text_match("a fox cross")
    for seconds, looked_up in ((1000.0, False), (0.0, True)):
        monkeypatch.setattr(FunctionsOverLite, "words_seen_after", seconds)
        asked.clear()
        assert [record.id for record in store.scroll(wanted)] == ["fox"]
        assert [hit.id for hit in store.search("fox", filter=wanted)] == ["fox"]
        assert store.count(wanted) == 1
        sent = [one for one in asked if 'TEXT_MATCH(input_sparse, "fox")' in one]
        assert bool(sent) == looked_up
    assert store.delete(filter=wanted) == 1
    assert store.count() == 4


# --- where there is none -------------------------------------------------------------------------


def test_it_is_refused_on_milvus_lite(path: str) -> None:
    """At once, with what is wrong with Lite's and what to take instead."""
    for arguments in ({"sparse": "milvus"}, {"fields": {"terms": SparseField("milvus:fr")}}):
        with pytest.raises(InvalidInputError, match=r"each segment by itself.* take 'bm25'"):
            MilvusStore(path, **arguments)  # type: ignore[arg-type]


def test_it_is_refused_by_a_lite_server(lite_server: str) -> None:
    """When it says what it is, before anything is made."""
    with (
        servers_over_lite(Lite),
        MilvusStore(lite_server, sparse="milvus") as store,
        pytest.raises(InvalidInputError, match="stems no word"),
    ):
        store.add([Record(text="a word")])


def test_older_servers_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the minimum lower, the function would still be asked for from 2.5 on."""
    monkeypatch.setattr(Server, "minimum", ())
    assert [Server(v).functions for v in ("v2.4.23", "v2.5.0", "v3.0.1", "")] == [
        False, True, True, True,
    ]  # fmt: skip
    field = MilvusBM25Field.of(SparseField("milvus", name="sparse"))
    with pytest.raises(InvalidInputError, match=r"older than Milvus 2\.5"):
        Server("v2.4.23").check_fields([field])


def test_unknown_languages_are_refused() -> None:
    """With those that are known."""
    for wrong in ("milvus:xx", "milvus:"):
        with pytest.raises(InvalidInputError, match="Known: arabic"):
            MilvusStore("http://localhost:1", sparse=wrong)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_each_language_has_an_analyzer(language: Any) -> None:
    """Made of what Milvus documents, and the same each time."""
    analyzer = milvus_analyzer(language)
    assert analyzer == milvus_analyzer(find_language(language.code))
    assert analyzer.keys() in ({"type"}, {"tokenizer", "filter"})
    named = [one for one in analyzer.get("filter", ()) if isinstance(one, str)]
    assert set(named) <= {"lowercase", "removepunct"}
    for one in analyzer.get("filter", ()):
        if not isinstance(one, str):
            assert one["type"] in ("stop", "stemmer")
