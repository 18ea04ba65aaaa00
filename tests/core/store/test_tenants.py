"""Tenants: a view sees and touches the rows of one value of the partition key, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridge import F, MilvusStore, Record
from hybridge.errors import CollectionMismatchError, FilterError, InvalidInputError
from support.hostile import HOSTILE

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
    """Ids are unique across tenants: overwriting somebody else's is refused."""
    with pytest.raises(InvalidInputError, match="belongs to another tenant"):
        shop.for_tenant("acme").add([Record(id="umbrella-0", text="mine now")])
    assert shop.for_tenant("umbrella").get(["umbrella-0"])[0].text == "invoice number 0"


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
    """Each hostile string is a tenant with one row of its own."""
    store = make_store(partition_key="tenant")
    names = HOSTILE[:40]
    for number, name in enumerate(names):
        store.for_tenant(name).add([Record(id=str(number), text="invoice")])
    for number, name in enumerate(names):
        assert [hit.id for hit in store.for_tenant(name).search("invoice")] == [str(number)]
