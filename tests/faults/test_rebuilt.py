"""A collection that another process makes anew, with other vectors, is noticed at once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import CollectionMismatchError, InvalidInputError

MakeStore = Callable[..., MilvusStore]

SHORT, LONG = [1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]


class Short:
    """Makes vectors of three numbers."""

    dim = 3

    def encode_documents(self, documents: list[str]) -> list[list[float]]:
        return [SHORT for _ in documents]

    encode_queries = encode_documents


def in_another_process(uri: str, collection_name: str, body: str) -> None:
    """Do something with the collection there."""
    head = f"""
        from hybridge import MilvusStore, Record
        uri, name = {uri!r}, {collection_name!r}
    """
    program = textwrap.dedent(head) + textwrap.dedent(body)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


REBUILD = """
    with MilvusStore(uri, collection_name=name, overwrite=True) as store:
        store.add([Record(id="b", text="quick word", dense=[1.0, 2.0, 3.0, 4.0])])
"""
DROP = """
    with MilvusStore(uri, collection_name=name) as store:
        store.drop()
"""


@pytest.fixture
def rebuilt(lite_server: str, collection_name: str, make_store: MakeStore) -> MilvusStore:
    """A store that has looked just now at a collection that was made anew since."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add([Record(id="a", text="a word", dense=SHORT)])
    in_another_process(lite_server, collection_name, REBUILD)
    store._session.collection().shared.look.note([])  # the next look is two seconds away
    return store


def test_searching_it(rebuilt: MilvusStore) -> None:
    """A vector of the old length is refused by its name; one of the new length finds."""
    with pytest.raises(InvalidInputError, match="4"):
        rebuilt.search(vector=SHORT)
    assert [hit.id for hit in rebuilt.search(vector=LONG)] == ["b"]
    assert [hit.id for hit in rebuilt.search("quick")] == ["b"]


def test_searching_it_by_many_threads(rebuilt: MilvusStore) -> None:
    """Each of them is told."""
    said: list[str] = []

    def search() -> None:
        with pytest.raises(InvalidInputError):
            rebuilt.search(vector=SHORT)
        said.append("refused")

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8


def test_writing_to_it(rebuilt: MilvusStore) -> None:
    """Rows of the old length are refused, rows of the new length are counted."""
    with pytest.raises(InvalidInputError, match="4"):
        rebuilt.add([Record(id="c", text="a word", dense=SHORT)])
    rebuilt.add([Record(id="c", text="a third word", dense=LONG)])
    assert rebuilt.count() == 2
    assert rebuilt.check() == []


def test_a_function_that_no_longer_fits(
    lite_server: str, collection_name: str, make_store: MakeStore
) -> None:
    """The mismatch is shown, as on opening."""
    store = make_store(uri=lite_server, collection_name=collection_name, dense=Short())
    store.add([Record(id="a", text="a word")])
    in_another_process(lite_server, collection_name, REBUILD)
    with pytest.raises(CollectionMismatchError, match="dim"):
        store.search("word")
    with pytest.raises(CollectionMismatchError, match="dim"):
        store.add([Record(id="c", text="a word")])


def test_a_collection_that_is_gone(
    lite_server: str, collection_name: str, make_store: MakeStore
) -> None:
    """Reads find nothing, and the next write makes it."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add([Record(id="a", text="a word")])
    in_another_process(lite_server, collection_name, DROP)
    assert store.search("word") == []
    assert (store.count(), store.get(["a"]), list(store.scroll())) == (0, [], [])
    store.add([Record(id="b", text="a word")])
    assert [hit.id for hit in store.search("word")] == ["b"]
    assert store.check() == []
