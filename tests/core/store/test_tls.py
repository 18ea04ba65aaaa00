"""A store over TLS: a server with its own authority, clients with certificates, what goes wrong.

Before a `milvus-lite server` stands a relay that ends the encryption, as a proxy would.
"""

from __future__ import annotations

import shutil
import traceback
from pathlib import Path
from typing import Any

import pytest

from hybridge import TLS, MilvusStore, Record, ServerOptions
from hybridge.errors import StoreConnectionError
from support.tls import NAME, Signed, authority, encrypted, signed_by

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="certificates are made by the command openssl"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificates are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ca(folder: Path) -> Signed:
    """Who signs the server's certificate and the clients'."""
    return authority(folder, "ca")


@pytest.fixture(scope="module")
def server(folder: Path, ca: Signed) -> Signed:
    """The server's certificate, on `NAME` alone."""
    return signed_by(ca, folder, NAME)


@pytest.fixture(scope="module")
def client(folder: Path, ca: Signed) -> Signed:
    """A client's certificate."""
    return signed_by(ca, folder, "client")


def store_over(uri: str, collection_name: str, **tls: Any) -> MilvusStore:
    """A store that knows so much of the server's TLS."""
    options = ServerOptions(tls=TLS(**tls))
    return MilvusStore(uri, collection_name=collection_name, server=options, timeout=20)


def test_a_store_works_over_tls(
    lite_server: str, collection_name: str, ca: Signed, server: Signed
) -> None:
    """With an authority of its own, and a name that is not the URI's."""
    with (
        encrypted(lite_server, server) as uri,
        store_over(uri, collection_name, ca=ca.certificate, server_name=NAME) as store,
    ):
        store.add([Record(id="a", text="a word", dense=[1, 0])])
        assert [hit.id for hit in store.search("word", vector=[1, 0])] == ["a"]
    with MilvusStore(lite_server, collection_name=collection_name) as plain:
        assert plain.count() == 1


def test_a_client_shows_its_certificate(
    lite_server: str, collection_name: str, ca: Signed, server: Signed, client: Signed
) -> None:
    """Where the server asks for one; without it the error says which argument has it."""
    known: dict[str, Any] = {"ca": ca.certificate, "server_name": NAME}
    with encrypted(lite_server, server, clients=ca.certificate) as uri:
        store = store_over(uri, collection_name, **known)
        with pytest.raises(StoreConnectionError, match=r"TLS\(certificate=\.\.\., key=\.\.\.\)"):
            store.count()
        own = {"certificate": client.certificate, "key": client.key}
        with store_over(uri, collection_name, **known, **own) as store:
            store.add([Record(id="a", text="a word")])
            assert store.count() == 1


def test_a_failure_says_what_to_do(
    lite_server: str, collection_name: str, folder: Path, ca: Signed, server: Signed
) -> None:
    """Where gRPC says only that nobody answers."""
    stranger = authority(folder, "stranger").certificate
    for tls, cure in (
        ({"ca": stranger, "server_name": NAME}, r"unable to get local issuer.*TLS\(ca=\.\.\.\)"),
        ({"server_name": NAME}, r"TLS\(ca=\.\.\.\)"),
        ({"ca": ca.certificate}, r"mismatch.*TLS\(server_name=\.\.\.\)"),
    ):
        with encrypted(lite_server, server) as uri:
            store = store_over(uri, collection_name, **tls)
            with pytest.raises(StoreConnectionError, match=cure):
                store.count()


def test_plain_and_encrypted_are_told_apart(
    lite_server: str, collection_name: str, server: Signed
) -> None:
    """The wrong scheme is the most common mistake, both ways."""
    with encrypted(lite_server, server) as uri:
        plain = MilvusStore(uri.replace("https", "http"), timeout=20)
        with pytest.raises(StoreConnectionError, match="it speaks TLS: write https://"):
            plain.count()
    secured = MilvusStore(lite_server.replace("http", "https"), timeout=20)
    with pytest.raises(StoreConnectionError, match="it does not speak TLS: write http://"):
        secured.count()


def test_no_key_is_shown(
    lite_server: str, collection_name: str, ca: Signed, client: Signed, server: Signed
) -> None:
    """Neither by the error nor by a variable of ours that an error reporter would print."""
    secret = client.key.read_text().splitlines()[1]
    own = {"ca": ca.certificate, "certificate": client.certificate, "key": client.key}
    with encrypted(lite_server, server, clients=ca.certificate) as uri:
        store = store_over(uri, collection_name, **own)
        with pytest.raises(StoreConnectionError) as caught:
            store.count()
        printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [
            value
            for frame in printed.stack
            if "hybridge" in frame.filename
            for value in (frame.locals or {}).values()
        ]
    assert ours
    assert all(secret not in shown for shown in [str(caught.value), repr(store), *ours])
