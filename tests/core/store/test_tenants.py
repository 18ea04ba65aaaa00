"""Tenants: a view sees and touches the rows of one value of the partition key, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from inspect import getmembers, isfunction
from typing import Any

import pytest

from hybridge import ROW_ID, F, MilvusStore, Record, SearchConfig
from hybridge.errors import (
    CollectionMismatchError,
    FilterError,
    HybridgeError,
    InvalidInputError,
    StoreClosedError,
)
from hybridge.store import Plan
from hybridge.store.bm25 import live
from hybridge.store.layout import Layout
from support.hostile import HOSTILE
from support.word_function import WordFunction

MakeStore = Callable[..., MilvusStore]


@pytest.fixture
def shop(make_store: MakeStore) -> MilvusStore:
    """A store of two tenants with two rows each."""
    store = make_store(partition_key="tenant")
    for tenant in ("acme", "umbrella"):
        store.for_tenant(tenant).add(
            [
                Record(id=f"{tenant}-{n}", text=f"invoice number {n}", document_id="doc")
                for n in range(2)
            ]
        )
    return store


def test_a_view_sees_its_own_rows_in_every_read(shop: MilvusStore) -> None:
    """Search, count, get, scroll and explain know nothing of other tenants."""
    acme = shop.for_tenant("acme")
    assert {hit.id for hit in acme.search("invoice", k=10)} == {"acme-0", "acme-1"}
    assert [len(hits) for hits in acme.search_many(["invoice", "number"], k=10)] == [2, 2]
    assert acme.count() == 2
    assert [record.id for record in acme.get(["acme-1", "umbrella-1"])] == ["acme-1"]
    assert {record.id for record in acme.scroll()} == {"acme-0", "acme-1"}
    assert acme.count(F("tenant") == "umbrella") == 0
    assert acme.explain("invoice", "acme-0")
    with pytest.raises(InvalidInputError, match="no row"):
        acme.explain("invoice", "umbrella-0")


def test_a_view_deletes_its_own_rows_only(shop: MilvusStore) -> None:
    """By id, by document, by filter, by expression, and all of them at once."""
    acme = shop.for_tenant("acme")
    assert acme.delete(ids=["umbrella-0"]) == 0
    assert acme.delete(filter=F("tenant") == "umbrella") == 0
    assert acme.delete(expr='id == "umbrella-0" or id == "acme-0"') == 1
    assert acme.delete(document_id="doc") == 1
    shop.for_tenant("umbrella").clear()
    assert shop.count() == 0


def test_an_expression_cannot_leave_the_view(shop: MilvusStore) -> None:
    """One that closes a parenthesis it did not open is refused."""
    acme = shop.for_tenant("acme")
    for hostile in ('id != "") or (id != ""', ")", '"', "id == 'a", 'id == ")") or ("'):
        with pytest.raises(FilterError, match="do not match"):
            acme.count(expr=hostile)
    assert acme.count(expr='id != ")" or id != "("') == 2


def test_a_view_cannot_take_a_row_from_another_tenant(shop: MilvusStore) -> None:
    """Ids belong to tenants: writing and deleting somebody else's touches a row of one's own."""
    acme, umbrella = shop.for_tenant("acme"), shop.for_tenant("umbrella")
    acme.add([Record(id="umbrella-0", text="mine now")])
    assert (acme.count(), umbrella.count()) == (3, 2)
    assert umbrella.get(["umbrella-0"])[0].text == "invoice number 0"
    assert acme.update(["umbrella-0"], metadata={"paid": True}) == 1
    assert acme.update(["umbrella-1"], metadata={"paid": True}) == 0
    assert acme.delete(["umbrella-0"]) == 1
    assert umbrella.get(["umbrella-0"])[0].metadata == {"tenant": "umbrella"}
    assert shop.check() == []


def test_two_tenants_may_use_one_id(make_store: MakeStore) -> None:
    """Also in one batch through the unbound store, where each record names its tenant."""
    store = make_store(partition_key="tenant")
    both = [
        Record(id="same", text=f"invoice of {name}", metadata={"tenant": name})
        for name in ("acme", "umbrella")
    ]
    assert store.add(both) == ["same", "same"]
    assert store.count() == 2
    assert sorted(record.text for record in store.scroll()) == [record.text for record in both]
    for record in both:
        view = store.for_tenant(record.metadata["tenant"])
        assert view.get(["same"]) == list(view.scroll()) == [record]
        assert [(hit.id, hit.text) for hit in view.search("invoice")] == [("same", record.text)]
        assert view.explain("invoice", "same")
    store.add([both[0], both[0]])
    assert store.count() == 2
    assert store.check() == []


def test_ids_in_filters_and_expressions_are_the_users(make_store: MakeStore) -> None:
    """`ROW_ID` and a raw `id` mean what was given, whatever the primary key is made of."""
    store = make_store(partition_key="tenant")
    acme = store.for_tenant("acme")
    acme.add([Record(id=name, text="invoice", metadata={"n": n}) for n, name in enumerate("ab")])
    store.for_tenant("umbrella").add([Record(id="a", text="invoice")])
    assert [hit.id for hit in acme.search("invoice", filter=ROW_ID == "a")] == ["a"]
    assert [hit.id for hit in acme.search("invoice", expr='id == "b"')] == ["b"]
    assert [r.id for r in acme.scroll(ROW_ID.isin(["a", "b"]) & (F("n") > 0))] == ["b"]
    assert (acme.count(ROW_ID == "a"), store.count(ROW_ID == "a")) == (1, 2)
    assert acme.delete(["a"], filter=F("n") == 1) == 0
    assert acme.delete(["a"], filter=F("n") == 0) == 1
    assert acme.delete(filter=ROW_ID == "b") == 1
    assert store.count(expr='id == "a"') == 1


def test_nobody_goes_by_id_across_tenants(shop: MilvusStore) -> None:
    """One id may be several rows, so the unbound store refuses and says where to go."""
    calls: Sequence[Callable[[], Any]] = (
        lambda: shop.get(["acme-0"]),
        lambda: shop.delete(["acme-0"]),
        lambda: shop.update(["acme-0"], metadata={"x": 1}),
        lambda: shop.explain("invoice", "acme-0"),
    )
    for call in calls:
        with pytest.raises(InvalidInputError, match=r"store\.for_tenant"):
            call()
    assert len(shop.get(filter=F("tenant") == "acme")) == 2
    assert shop.delete(filter=ROW_ID == "acme-0") == 1


def test_a_row_stays_with_its_tenant(shop: MilvusStore) -> None:
    """Changing the metadata cannot move it."""
    acme = shop.for_tenant("acme")
    with pytest.raises(InvalidInputError, match="tells its tenant"):
        acme.update(["acme-0"], metadata={"tenant": "umbrella"})
    assert acme.update(["acme-0"], metadata={"tenant": "acme", "paid": True}) == 1


def test_long_ids_and_tenants_fit_together(make_store: MakeStore) -> None:
    """Both may be as long as an id may be, and none runs into the other."""
    store = make_store(partition_key="tenant")
    pairs = [("é" * 256, "я" * 256), ("a" * 511, "ab"), ("a" * 512, "b"), ("aa", "a"), ("a", "aa")]
    for tenant, row_id in pairs:
        store.for_tenant(tenant).add([Record(id=row_id, text=row_id + tenant)])
    assert store.count() == len(pairs)
    for tenant, row_id in pairs:
        assert [r.text for r in store.for_tenant(tenant).get([row_id])] == [row_id + tenant]


def ranking(store: MilvusStore, query: str) -> list[tuple[str, float, float]]:
    """Return what a search by BM25 tells of each hit."""
    hits = store.search(query, k=10, mode="sparse")
    return [(hit.id, round(hit.score, 4), round(hit.relevance or 0, 4)) for hit in hits]


def test_a_tenant_ranks_as_if_it_were_alone(make_store: MakeStore) -> None:
    """Its documents, frequencies and average length are counted, whatever the others have."""
    names = ("alone", "shared")
    alone, store = (make_store(partition_key="tenant", collection_name=name) for name in names)
    mine = [Record(id=str(n), text=f"a red house number {n} " * (n + 1)) for n in range(8)]
    theirs = [Record(id=str(n), text=f"red red boat {n}") for n in range(60)]
    alone.for_tenant("acme").add(mine)
    for name, records in (("big", theirs[:30]), ("acme", mine), ("big", theirs)):
        store.for_tenant(name).add(records)
    for acme in (store.for_tenant("acme"), alone.for_tenant("acme")):
        acme.add([replace(mine[0], text="a green house")])
        acme.delete(["1"])
    for query in ("red", "house number", "boat", "green"):
        assert ranking(store.for_tenant("acme"), query) == ranking(alone.for_tenant("acme"), query)
    explained = [one.for_tenant("acme").explain("red house", "3") for one in (alone, store)]
    assert explained[0] == pytest.approx(explained[1])
    assert store.check() == store.for_tenant("acme").check() == []


def outcome(view: MilvusStore, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Return what a call gives, or the error that it raises, without the names of the store."""
    try:
        answer = awaited_or_not(getattr(view, name)(*args, **options))
    except HybridgeError as error:
        told = str(error).replace(str(view.address), "")
        return type(error), told.replace(repr(view.collection_name), "")
    if isinstance(answer, MilvusStore):
        return [outcome(answer, "count", (), {}), outcome(answer, "search", ("red",), {})]
    if isinstance(answer, Iterator):
        answer = list(answer)
    return sorted(answer, key=str) if isinstance(answer, list) else answer


def awaited_or_not(answer: Any) -> Any:
    """Return an answer, that of an async twin too."""
    if isinstance(answer, AsyncIterator):
        return asyncio.run(collected(answer))
    return asyncio.run(answer) if isinstance(answer, Coroutine) else answer


async def collected(answers: AsyncIterator[Any]) -> list[Any]:
    """Return all that an async iterator yields."""
    return [one async for one in answers]


def asked(*args: Any, **options: Any) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return the arguments of a call."""
    return args, options


THEIRS = Record(id="x", text="x", metadata={"tenant": "umbrella"})
ODD = ["1", "only theirs", "2", "never there"]
EVERY_CALL: Mapping[str, Sequence[tuple[Sequence[Any], Mapping[str, Any]]]] = {
    "search": [
        *(
            asked(query, k=20, mode=mode)
            for query in ("red house", "number 7", "boat", "", "nothing at all")
            for mode in ("dense", "sparse", "hybrid")
        ),
        asked("red house", k=20, filter=F("n") > 3),
        asked("red house", k=20, filter=F("tenant") == "umbrella"),
        asked("red house", k=20, expr='id != "5"'),
        asked("red house", k=20, expr='meta_tenant == "umbrella"'),
        asked("red house", k=20, fusion="rrf", fetch_k=30),
        asked(vector=[1.0] * WordFunction.dim, k=20, with_vectors=True),
    ],
    "search_many": [asked(["red", "boat"], k=20), asked([])],
    "search_mmr": [asked("red house", k=5), asked("boat", filter=F("n") == 3)],
    "explain": [asked("red house number", "3"), asked("secret boat", "only theirs")],
    "get": [asked(ODD), asked(filter=F("n") == 4), asked(ODD, filter=F("tenant") == "umbrella")],
    "count": [asked(), asked(F("tenant") == "umbrella"), asked(expr='meta_tenant == "umbrella"')],
    "scroll": [asked(), asked(F("n") < 9), asked(F("tenant") == "umbrella")],
    "exists": [asked()],
    "function": [asked("dense"), asked("sparse")],
    "using": [asked()],
    "configured": [asked(SearchConfig())],
    "for_tenant": [asked("acme"), asked("umbrella"), asked("")],
    "update": [
        asked(ODD, metadata={"n": 100}),
        asked(["1"], metadata={"tenant": "umbrella"}),
        asked(["only theirs"], metadata=[{"tenant": "umbrella"}]),
    ],
    "add": [
        asked([Record(id="only theirs", text="mine now"), Record(id="5", text="a red boat")]),
        asked([THEIRS]),
    ],
    "delete": [
        asked(["2", *ODD[1:]]),
        asked(filter=F("n") == 5),
        asked(filter=F("tenant") == "umbrella"),
        asked(expr='meta_tenant == "umbrella"'),
        asked(document_id="another"),
    ],
    "flush": [asked()],
    "check": [asked()],
    "describe": [asked()],
    "field_names": [asked()],
    "vector_fields": [asked()],
    "check_exists": [asked("MilvusStore")],
    "metadata_columns": [asked()],
    "rebuild_statistics": [asked()],
    "reencode_sparse": [asked()],
    "reindex_sparse": [asked()],
    "add_column": [asked("pages", int)],
    "enable_bm25": [asked()],
    "prepare_import": [asked(Plan(Layout({})))],
    "finish_import": [asked(Plan(Layout({})), {})],
    "drop": [asked()],
    "clear": [asked()],
    "close": [asked()],
}
"""All public methods, in the order in which they are called, and with what."""

CHANGES = ("update", "add", "delete", "rebuild_statistics", "clear")
"""After each of these, all of `AGAIN` is asked again."""

AGAIN = [
    ("search", asked("red house", k=20)),
    ("search", asked("boat", k=20, mode="sparse")),
    ("explain", asked("red house number", "3")),
    ("scroll", asked()),
    ("check", asked()),
]


def test_no_method_is_forgotten() -> None:
    """But `open`, which makes another store: whoever may call it has the address."""
    public = {name for name, _ in getmembers(MilvusStore, isfunction) if not name.startswith("_")}
    twins = {name for name in public if name[0] == "a" and name[1:] in public}
    assert public - twins == EVERY_CALL.keys()
    without_twin = {
        "function", "using", "configured", "for_tenant", "field_names", "vector_fields",
        "metadata_columns", "check_exists", "prepare_import", "finish_import",
    }  # fmt: skip
    assert {f"a{name}" for name in EVERY_CALL} - twins == {f"a{name}" for name in without_twin}


def test_no_call_tells_that_another_tenant_is_there(make_store: MakeStore) -> None:
    """Every answer and every error is what it is in a collection of one's own."""
    ask_beside_another(make_store, 40)


@pytest.mark.long
@pytest.mark.on_a_path("a server is asked the same of fewer rows")
def test_no_call_tells_it_of_a_thousand_rows(make_store: MakeStore) -> None:
    """The same."""
    ask_beside_another(make_store, 1000)


def ask_beside_another(make_store: MakeStore, rows: int) -> None:
    """Make every call alone, and beside a tenant of the same ids, documents and more."""
    function = WordFunction()
    alone, shared = (
        make_store(collection_name=name, partition_key="tenant", dense=function)
        for name in ("alone", "shared")
    )
    mine = [
        Record(id=str(n), text=f"a red house number {n}", metadata={"n": n}, document_id="doc")
        for n in range(rows)
    ]
    theirs = [one if n % 3 else replace(one, text=f"{n} boats") for n, one in enumerate(mine)]
    umbrella = shared.for_tenant("umbrella")
    umbrella.add([*theirs, Record(id="only theirs", text="a secret boat", document_id="another")])
    for store in (alone, shared):
        store.for_tenant("acme").add(mine)
    before = list(umbrella.scroll(with_vectors=True))
    views = [one.for_tenant("acme") for one in (alone, shared)]
    for name, calls in EVERY_CALL.items():
        twin = f"a{name}" if hasattr(MilvusStore, f"a{name}") else name
        given = [(one, call) for one in (name, twin) for call in calls]
        for one, (args, options) in [*given, *(AGAIN if name in CHANGES else [])]:
            expected, found = (outcome(view, one, args, options) for view in views)
            assert found == expected, (one, args, options)
    assert list(umbrella.scroll(with_vectors=True)) == before
    assert umbrella.check() == []


def test_counts_of_tenants_are_mended_by_all_or_by_one(make_store: MakeStore) -> None:
    """What a crash leaves of one tenant's counts is told, and mended, in its view or outside."""
    store = make_store(partition_key="tenant")
    for name in ("acme", "umbrella"):
        store.for_tenant(name).add([Record(id=str(n), text=f"invoice {n}") for n in range(5)])
    collection = store._session.collection()
    rows = collection.connection.call(
        "query", store.collection_name, filter='id == "3"', output_fields=["key"]
    )
    collection.delete([rows[0]["key"]])
    assert store.check() != []
    assert [bool(store.for_tenant(name).check()) for name in ("acme", "umbrella")].count(True) == 1
    store.rebuild_statistics()
    assert store.check() == []


@pytest.mark.on_a_path("where others write, a write that was cut short is told by its open row")
def test_a_write_cut_short_is_counted_for_each_of_its_tenants(make_store: MakeStore) -> None:
    """On opening: its rows have a mark that is ahead of all counts."""
    store = make_store(partition_key="tenant")
    for name in ("acme", "umbrella", "other"):
        store.for_tenant(name).add([Record(id=str(n), text=f"invoice {n}") for n in range(5)])
    collection = store._session.collection()
    rows = collection.connection.call(
        "query", store.collection_name, filter='id == "3"', output_fields=["*"]
    )
    mark = f"path/{collection.shared.writes + 1}"
    cut = [dict(row) | {"text": "one more bill", "write": mark} for row in rows]
    collection.upsert([row for row in cut if row["metadata"]["tenant"] != "other"])
    store.close()
    reopened = make_store()
    for _ in range(2):  # and once more after another opening
        assert not [line for line in reopened.check() if "statistics" in line]
        reopened.for_tenant("other").add([Record(id="9", text="invoice 9")])
        reopened.close()
        reopened = make_store()


def test_more_tenants_than_are_kept(make_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of tenants that were not asked for long are read again."""
    monkeypatch.setattr(live, "MOST_TENANTS", 3)
    store = make_store(partition_key="tenant")
    names = [f"tenant{n}" for n in range(8)]
    store.add([Record(id="a", text=f"invoice {n}", metadata={"tenant": n}) for n in names])
    for _ in range(2):
        for name in names:
            view = store.for_tenant(name)
            view.add([Record(id="b", text="another invoice")])
            assert len(view.search("invoice", mode="sparse")) == 2
    assert store.check() == []


def test_a_view_writes_under_its_own_name_only(shop: MilvusStore) -> None:
    """The key is filled in; another value is refused."""
    acme = shop.for_tenant("acme")
    acme.add([Record(id="new", text="invoice", metadata={"year": 2026})])
    assert acme.get(["new"])[0].metadata == {"year": 2026, "tenant": "acme"}
    with pytest.raises(InvalidInputError, match="bound to 'acme'"):
        acme.add([Record(text="x", metadata={"tenant": "umbrella"})])


def test_searching_without_a_tenant_is_refused(shop: MilvusStore) -> None:
    """A store with a partition key does not search across tenants by accident."""
    with pytest.raises(InvalidInputError, match="for_tenant"):
        shop.search("invoice")
    with pytest.raises(InvalidInputError, match="names no tenant"):
        shop.add([Record(text="nobody's")])


def test_a_view_leads_to_no_other_tenant(shop: MilvusStore) -> None:
    """Whoever is given a view has that tenant's rows and no others."""
    acme = shop.for_tenant("acme")
    assert acme.for_tenant("acme").count() == 2
    with pytest.raises(InvalidInputError, match="view of 'acme'"):
        acme.for_tenant("umbrella")
    with pytest.raises(InvalidInputError, match="view of 'acme'"):
        acme.using().for_tenant("umbrella")


async def test_a_view_ends_alone(shop: MilvusStore) -> None:
    """Closing it closes nobody else's; closing the store closes all."""
    with shop.for_tenant("acme") as acme:
        assert acme.count() == 2
    with pytest.raises(StoreClosedError, match="this view"):
        acme.search("invoice")
    async with shop.for_tenant("acme") as acme:
        assert await acme.acount() == 2
    with pytest.raises(StoreClosedError, match="this view"):
        await acme.asearch("invoice")
    umbrella = shop.for_tenant("umbrella")
    assert (shop.count(), umbrella.count()) == (4, 2)
    shop.close()
    with pytest.raises(StoreClosedError):
        umbrella.count()


def test_a_view_cannot_drop_the_collection(shop: MilvusStore) -> None:
    """drop() would remove all tenants."""
    with pytest.raises(InvalidInputError, match="all tenants"):
        shop.for_tenant("acme").drop()


def test_a_reopened_store_has_its_tenants(make_store: MakeStore) -> None:
    """The partition key belongs to the collection; another one is a contradiction."""
    make_store(partition_key="tenant").for_tenant("acme").add([Record(id="a", text="invoice")])
    assert make_store().for_tenant("acme").search("invoice")[0].id == "a"
    with pytest.raises(CollectionMismatchError, match=r"'tenant'.*'owner'"):
        make_store(partition_key="owner").count()


def test_for_tenant_needs_a_partition_key(store: MilvusStore) -> None:
    """Without one a view would see everything, so it is refused."""
    store.add([Record(id="a", text="invoice")])
    for call in (
        store.for_tenant("acme").count,
        lambda: store.for_tenant("acme").search("invoice"),
        lambda: store.for_tenant("acme").get(["a"]),
        lambda: store.for_tenant("acme").add([Record(text="x")]),
    ):
        with pytest.raises(InvalidInputError, match="partition_key"):
            call()
    for wrong in ("", None, 3):
        with pytest.raises(InvalidInputError, match="tenant"):
            store.for_tenant(wrong)  # type: ignore[arg-type]


def test_hostile_tenants_are_names_and_nothing_else(make_store: MakeStore) -> None:
    """Each hostile string is a tenant with rows of its own, and an id."""
    store = make_store(partition_key="tenant")
    names = HOSTILE[:40]
    for number, name in enumerate(names):
        store.for_tenant(name).add([Record(id=str(number), text="invoice")])
        store.for_tenant(name).add([Record(id=name, text="paid")])
    for number, name in enumerate(names):
        assert [hit.id for hit in store.for_tenant(name).search("invoice")] == [str(number)]
        assert [record.id for record in store.for_tenant(name).get(names)] == [name]
