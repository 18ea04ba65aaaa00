"""A server with authorization on: who is let in, and what a role that may only read can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pymilvus import MilvusClient

from hybridge import F, MilvusStore, Record
from hybridge.errors import (
    StoreAuthenticationError,
    StoreDatabaseError,
    StorePermissionError,
)
from support.milvus_server import MilvusServer

ROOT = "root:Milvus"
READER = "reader:Reading1"
NAME = "guarded"


@pytest.fixture(scope="module")
def uri(make_server: Callable[..., MilvusServer]) -> str:
    """The URI of a server with three rows and a user who may only read."""
    server = make_server(authorization_enabled="true")
    with MilvusStore(server.uri, token=ROOT, collection_name=NAME) as store:
        store.add(
            Record(id=str(n), text=f"parrot word{n}", dense=[n, 1], metadata={"n": n})
            for n in range(3)
        )
    client = MilvusClient(server.uri, token=ROOT)
    user, _, password = READER.partition(":")
    client.create_user(user, password)
    client.create_role("reads")
    for kind, privilege, name in READS:
        client.grant_privilege("reads", kind, privilege, name)
    client.grant_role(user, "reads")
    client.close()
    return server.uri


READS = [
    *(("Collection", privilege, name) for name in (NAME, f"{NAME}__hybridge")
      for privilege in ("Search", "Query", "Load", "GetLoadState", "IndexDetail", "GetStatistics")),
    ("Global", "DescribeCollection", "*"),
    ("Global", "ShowCollections", "*"),
]  # fmt: skip


def test_the_right_token_is_let_in(uri: str) -> None:
    """By the token of a user with all rights."""
    with MilvusStore(uri, token=ROOT, collection_name=NAME) as store:
        assert store.count() == 3


@pytest.mark.parametrize("token", ["root:wrong", "nobody:Milvus", ""])
def test_a_wrong_token_says_so(uri: str, token: str) -> None:
    """At once, and not that the server does not answer."""
    store = MilvusStore(uri, token=token, collection_name=NAME)
    with pytest.raises(StoreAuthenticationError, match="check token="):
        store.count()
    store.close()


def test_a_wrong_database_says_so(uri: str) -> None:
    """Its collections would seem to be empty."""
    store = MilvusStore(uri, token=ROOT, db_name="elsewhere", collection_name=NAME)
    with pytest.raises(StoreDatabaseError, match="no database 'elsewhere'"):
        store.count()
    store.close()


def test_who_may_only_read_can_do_all_that_reads(uri: str) -> None:
    """Searches in every mode, reads, counts, scrolls and checks, none of which writes."""
    with MilvusStore(uri, token=READER, collection_name=NAME) as store:
        assert store.count() == 3
        assert store.count(F("n") > 0) == 2
        assert [one.id for one in store.get(["1"])] == ["1"]
        assert len(list(store.scroll())) == 3
        for mode in ("dense", "sparse", "hybrid"):
            assert len(store.search("parrot", vector=[1, 1], mode=mode)) == 3
        assert store.check() == []


def test_who_may_only_read_cannot_write(uri: str) -> None:
    """The error says what to grant, and nothing has changed."""
    with MilvusStore(uri, token=READER, collection_name=NAME) as store:
        with pytest.raises(StorePermissionError, match="grant the privilege"):
            store.add([Record(id="4", text="another", dense=[1, 1])])
        with pytest.raises(StorePermissionError, match="grant the privilege"):
            store.delete(["1"])
        assert store.count() == 3
        assert store.check() == []
