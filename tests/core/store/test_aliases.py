"""A collection named by an alias, which a rebuilt one can take over while stores are open.

Milvus Lite has no aliases: a relay before it puts the collection's own name into each request, as a
server does, and a description carries that name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from hybridge import MilvusStore, Record
from hybridge.store.engine.collection import LOOK_AGAIN
from support.engines import servers_over_lite
from support.relay import Answer, Call, relay

OLD = [Record(id=f"old{n}", text=f"parrot green{n}") for n in range(20)]
NEW = [Record(id=f"new{n}", text=f"parrot blue{n} feather") for n in range(5)]


class Aliases(dict[str, str]):
    """A rule: the names that stand for collections."""

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Ask for the collection in place of its alias."""
        request = call.request
        target = self.get(getattr(request, "collection_name", ""))
        if target is None:
            return answer(call)
        request.collection_name = target
        return answer(replace(call, body=request.SerializeToString()))


class Rebuilt:
    """An alias, and two collections that it can name."""

    def __init__(self, make: Callable[[str], MilvusStore], aliases: Aliases, name: str) -> None:
        self.aliases, self.alias = aliases, name
        self.old, self.new = make(f"{name}_1"), make(f"{name}_2")
        self.old.add(OLD)
        self.swap(self.old)
        self.store = make(name)

    def swap(self, store: MilvusStore) -> None:
        """Let the alias name the collection of a store."""
        self.aliases[self.alias] = store.collection_name

    def swapped_in(self) -> None:
        """Rebuild, swap, and wait as long as a store may take to see it."""
        self.new.add(NEW)
        self.swap(self.new)
        time.sleep(LOOK_AGAIN)


@pytest.fixture
def rebuilt(lite_server: str, collection_name: str) -> Iterator[Rebuilt]:
    """An alias for the old one of two collections."""
    aliases = Aliases()
    with ExitStack() as left:
        left.enter_context(servers_over_lite())
        uri = left.enter_context(relay(lite_server, aliases)).uri

        def make(name: str) -> MilvusStore:
            return left.enter_context(MilvusStore(uri, collection_name=name))

        yield Rebuilt(make, aliases, collection_name)


def test_an_alias_names_a_collection(rebuilt: Rebuilt) -> None:
    """Searched, read and counted like by its own name."""
    store = rebuilt.store
    assert store.count() == len(OLD)
    assert [hit.id for hit in store.search("green7", k=1)] == ["old7"]
    assert store.search("parrot", k=3) == rebuilt.old.search("parrot", k=3)
    assert store.check() == []


def test_writes_go_to_its_target(rebuilt: Rebuilt) -> None:
    """And so do their counts: the target's own name and the alias share them."""
    rebuilt.store.add([Record(id="more", text="parrot red")])
    assert rebuilt.store.delete(["old0"]) == 1
    assert rebuilt.old.count() == len(OLD)
    time.sleep(LOOK_AGAIN)
    assert [hit.id for hit in rebuilt.old.search("red", k=1)] == ["more"]
    assert rebuilt.store.check() == rebuilt.old.check() == []
    assert rebuilt.store.search("parrot", k=3) == rebuilt.old.search("parrot", k=3)


def test_a_rebuilt_collection_is_swapped_in(rebuilt: Rebuilt) -> None:
    """With its companion: rows, words and counts are its own, and nothing is left of the other."""
    assert rebuilt.store.search("parrot", k=1)
    rebuilt.swapped_in()
    assert [hit.id for hit in rebuilt.store.search("blue3", k=1)] == ["new3"]
    assert rebuilt.store.search("green7") == []
    assert rebuilt.store.count() == len(NEW)
    assert rebuilt.store.search("parrot feather", k=5) == rebuilt.new.search("parrot feather", k=5)
    assert rebuilt.store.explain("parrot", "new3") == rebuilt.new.explain("parrot", "new3")


def test_writes_after_the_swap_go_to_the_new_one(rebuilt: Rebuilt) -> None:
    """Even where the first call after it is a write."""
    assert rebuilt.store.count() == len(OLD)
    rebuilt.swapped_in()
    rebuilt.store.add([Record(id="more", text="parrot blue9")])
    assert {record.id for record in rebuilt.new.scroll()} == {*(one.id for one in NEW), "more"}
    assert rebuilt.old.count() == len(OLD)
    time.sleep(LOOK_AGAIN)
    assert rebuilt.store.check() == rebuilt.new.check() == rebuilt.old.check() == []


def test_the_old_one_can_be_dropped(rebuilt: Rebuilt) -> None:
    """Once the swap was seen; a store that has not looked since finds the new one all the same."""
    assert rebuilt.store.count() == len(OLD)
    rebuilt.swapped_in()
    rebuilt.old.drop()
    assert rebuilt.store.count() == len(NEW)
    assert [hit.id for hit in rebuilt.store.search("blue3", k=1)] == ["new3"]
