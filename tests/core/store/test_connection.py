"""Where Milvus is, who may open it, and what is said when it cannot be reached."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hybridge import MilvusStore, Record
from hybridge.errors import InvalidInputError, StoreConnectionError, StoreError
from hybridge.filters import ID_COLUMN
from hybridge.store.engine.address import resolve_address
from hybridge.store.engine.dialect import Dialect, Server
from hybridge.store.engine.pymilvus_import import pymilvus
from support.bad_line import bad_line

MakeStore = Callable[..., MilvusStore]


def finished(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in another process to its good end."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def run(program: str, **environment: str) -> str:
    """Run a Python program in another process and return what it prints."""
    return finished(program, **environment).stdout


def test_a_path_open_in_another_process_is_named(make_store: MakeStore, path: str) -> None:
    """The error says that the path is open elsewhere; after close() it can be opened."""
    store = make_store()
    store.add([Record(id="a", text="a word")])
    program = f"""
        from hybridge import MilvusStore
        from hybridge.errors import StoreLockedError
        store = MilvusStore({path!r})
        try:
            print("count", store.count())
        except StoreLockedError as error:
            print("locked:", error)
        store.close()
    """
    assert "locked: " + path + " is open in another process" in run(program)
    store.close()
    assert "count 1" in run(program)


def test_a_path_in_milvus_uri_is_no_obstacle(tmp_path: Path) -> None:
    """Pymilvus refuses to be imported with a path in MILVUS_URI; the store takes it and works."""
    program = """
        import os
        from hybridge import MilvusStore, Record
        with MilvusStore() as store:
            store.add([Record(id="a", text="a word")])
            print(store.count(), os.environ["MILVUS_URI"], store.address)
    """
    uri = str(tmp_path / "from_environment.db")
    assert run(program, MILVUS_URI=uri).strip().endswith(f"1 {uri} {uri}")


def test_the_default_is_a_path_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an argument and MILVUS_URI the store is ./milvus.db."""
    monkeypatch.delenv("MILVUS_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert resolve_address().uri == str(Path(os.path.realpath(tmp_path)) / "milvus.db")


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:19530", "https://in01.example.com:443", "tcp://host:1", "unix:/tmp/s"]
)
def test_a_uri_is_a_server(uri: str) -> None:
    """Anything with a scheme of Milvus is no path."""
    assert not resolve_address(uri).is_path


@pytest.mark.parametrize("uri", ["x.db", Path("x.db"), "C:\\data\\x.db", "~/x.db", "./a b/ü.db"])
def test_what_ends_in_db_is_a_path(uri: str | Path) -> None:
    """A Path is a path, and so is one of Windows."""
    assert resolve_address(uri).is_path


def test_a_symlink_is_the_path_it_points_to(make_store: MakeStore, tmp_path: Path) -> None:
    """Two names of one folder do not collide."""
    store = make_store()
    store.add([Record(id="a", text="word")])
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "milvus.db")
    assert make_store(uri=link).count() == 1


def test_missing_folders_are_made(make_store: MakeStore, tmp_path: Path) -> None:
    """A path in a folder that does not exist yet works."""
    store = make_store(uri=tmp_path / "some" / "where" / "x.db")
    store.add([Record(text="word")])
    assert store.count() == 1


def test_constructing_needs_no_server(make_store: MakeStore) -> None:
    """Only the first call that needs Milvus connects, and says what to check if it cannot."""
    store = make_store(uri="http://127.0.0.1:9", timeout=1)
    with pytest.raises(StoreConnectionError, match=r"http://127\.0\.0\.1:9 does not answer"):
        store.count()


def test_no_secret_is_shown(make_store: MakeStore) -> None:
    """Neither token nor the credentials of a URI appear in repr or errors."""
    store = make_store(uri="http://user:hunter2@127.0.0.1:9", token="s3cret", timeout=1)
    with pytest.raises(StoreConnectionError) as caught:
        store.count()
    chain = [caught.value, caught.value.__cause__, store, store.address]
    shown = " ".join(f"{item} {item!r}" for item in chain)
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    with pytest.raises(InvalidInputError) as refused:
        make_store(uri="grpc://user:hunter2@host")
    assert "hunter2" not in str(refused.value)


def test_concurrent_first_opens_work(path: str) -> None:
    """Many threads may open the same path at once."""
    stores = [MilvusStore(path, collection_name=f"c{i % 3}") for i in range(9)]
    with ThreadPoolExecutor(9) as pool:
        list(
            pool.map(
                lambda pair: pair[1].add([Record(id=str(pair[0]), text="w")]), enumerate(stores)
            )
        )
    assert sorted(store.count() for store in stores[:3]) == [3, 3, 3]
    for store in stores:
        store.close()


def test_a_server_works_like_a_path(
    make_store: MakeStore, lite_server: str, collection_name: str
) -> None:
    """The same code runs against a URI: BM25, filters, overwriting, deleting, a second client."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add(
        [Record(id="a", text="red house", metadata={"n": 1}), Record(id="b", text="blue boat")]
    )
    store.add([Record(id="b", text="blue house")])
    assert [hit.id for hit in store.search("house", filter={"n": 1})] == ["a"]
    store.delete(ids=["a"])
    store.close()
    other = make_store(uri=lite_server, collection_name=collection_name)
    assert [hit.id for hit in other.search("house")] == ["b"]
    other.drop()


def test_a_client_of_others_ends_alone(
    make_store: MakeStore, lite_server: str, collection_name: str
) -> None:
    """Whoever closes a client of the same address leaves the store's connection open."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add([Record(id="1", text="a red kite")])
    pymilvus().MilvusClient(lite_server).close()
    assert store.count() == 1
    store.drop()


def test_a_server_that_turns_a_connection_away_is_asked_again(
    make_store: MakeStore, lite_server: str, collection_name: str
) -> None:
    """Opening is tried three times, like every call: a line may break at any moment."""
    with bad_line(lite_server, turned_away=1) as uri:
        store = make_store(uri=uri, collection_name=collection_name)
        assert store.count() == 0
        store.close()


def test_a_server_that_turns_all_connections_away_is_named(
    make_store: MakeStore, lite_server: str
) -> None:
    """After three attempts the error says what to check."""
    with bad_line(lite_server, turned_away=1_000_000) as uri:
        store = make_store(uri=uri, timeout=5)
        with pytest.raises(StoreConnectionError, match="check that it runs"):
            store.count()


def test_a_failure_is_raised_and_not_printed(path: str) -> None:
    """Pymilvus alone prints 40 lines before it raises; ours are in the error and its cause."""
    program = f"""
        from hybridge import MilvusStore, Record
        from hybridge.errors import EngineError, StoreConnectionError
        with MilvusStore({path!r}) as store:
            store.add([Record(id="a", text="word")])
            try:
                store.search("word", expr="n >")
            except EngineError as error:
                print(type(error.__cause__).__name__)
        try:
            MilvusStore("http://127.0.0.1:9", timeout=5).count()
        except StoreConnectionError as error:
            print(type(error.__cause__).__name__)
    """
    result = finished(program)
    assert (result.stdout.split(), result.stderr) == (["MilvusException"] * 2, "")


def test_what_others_do_with_pymilvus_is_logged(
    make_store: MakeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the calls of a store are kept out of pymilvus's log."""
    store = make_store()
    store.add([Record(id="a", text="word")])
    with pytest.raises(StoreError):
        store.count(expr="n >")
    assert caplog.text == ""
    client = pymilvus().MilvusClient(str(tmp_path / "others.db"))
    with pytest.raises(pymilvus().MilvusException):
        client.describe_collection("nothing")
    client.close()
    assert "RPC error" in caplog.text


def test_reading_page_by_page(
    make_store: MakeStore, lite_server: str, collection_name: str
) -> None:
    """As a Milvus server needs it: every row comes, and a failure between two pages is ours."""
    store = make_store(uri=lite_server, collection_name=collection_name)
    store.add(Record(id=str(i), text="word") for i in range(2500))
    connection = store._session.collection().connection
    # milvus-lite answers to the calls of a server as well
    connection.dialect = Dialect(Server(), exclusive=False)
    assert sorted(record.id or "" for record in store.scroll()) == sorted(map(str, range(2500)))
    pages = connection.dialect.engine.select(connection, collection_name, "", ["id"], ID_COLUMN)
    assert len(next(pages)) == 1000
    store.drop()
    with pytest.raises(StoreError):
        list(pages)
