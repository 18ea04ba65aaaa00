"""What a server can refuse, each told apart and each with what to do next."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import grpc
import pytest
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2

from hybridge import MilvusStore, Record
from hybridge.errors import (
    EngineError,
    StoreAuthenticationError,
    StoreConnectionError,
    StoreDatabaseError,
    StoreError,
    StoreLimitError,
    StoreOverloadedError,
    StorePermissionError,
)
from support.relay import Answer, Call, Failure, Silence, Stand, relay


@pytest.fixture
def stand() -> Iterator[Callable[..., Stand]]:
    """Makes stand-ins that answer as they are told, by the name of the method, and ends them."""
    made: list[Stand] = []

    def make(**answers: Answer) -> Stand:
        told = {"GetVersion": version("v2.6.4"), "ListDatabases": databases, **answers}
        made.append(Stand(lambda call: told[call.name](call) if call.name in told else b""))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def version(number: str) -> Answer:
    """An answer that names a version."""
    return lambda _: bytes(milvus_pb2.GetVersionResponse(version=number).SerializeToString())


def databases(_: Call) -> bytes:
    """An answer that names the one database."""
    return bytes(milvus_pb2.ListDatabasesResponse(db_names=["default"]).SerializeToString())


def refused(code: int, reason: str) -> Answer:
    """An answer whose status has a code of Milvus."""
    return lambda call: call.refused(code, reason)


def aborted(code: grpc.StatusCode, details: str) -> Answer:
    """An answer that fails in gRPC."""

    def abort(_: Call) -> bytes:
        raise Failure(code, details)

    return abort


@pytest.mark.parametrize(
    ("answer", "kind", "cure"),
    [
        (
            aborted(grpc.StatusCode.PERMISSION_DENIED, "PrivilegeDescribe: permission deny to bob"),
            StorePermissionError,
            "grant the privilege",
        ),
        (refused(1401, "privilege not permitted"), StorePermissionError, "grant the privilege"),
        (refused(800, "database not found[database=x]"), StoreDatabaseError, "check db_name="),
        (refused(3, "memory limit exceeded"), StoreOverloadedError, "call again later"),
        (refused(9, "quota exceeded, force to deny"), StoreOverloadedError, "call again later"),
        (
            aborted(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "grpc: received message larger than max (70000000 vs. 67108864)",
            ),
            StoreLimitError,
            "send fewer or smaller",
        ),
        (
            refused(65535, "worker(1) query failed: query results exceed the limit size"),
            StoreLimitError,
            "send fewer or smaller",
        ),
        (refused(1100, "invalid parameter"), EngineError, "invalid parameter"),
    ],
)
def test_refusals_are_told_apart(
    stand: Callable[..., Stand], answer: Answer, kind: type[StoreError], cure: str
) -> None:
    """Each has a class of its own, says what the server said, and what to do."""
    server = stand(DescribeCollection=answer)
    with MilvusStore(server.uri, timeout=10) as store, pytest.raises(kind, match=cure) as caught:
        store.count()
    assert type(caught.value) is kind


def test_a_refused_token_is_not_a_silent_server(stand: Callable[..., Stand]) -> None:
    """It is said at once, not after several attempts, and not as a server that is away."""
    answer = aborted(grpc.StatusCode.UNAUTHENTICATED, "auth check failure, please check api key")
    server = stand(Connect=answer, GetVersion=answer, DescribeCollection=answer)
    store = MilvusStore(server.uri, token="secret-key", timeout=10)
    with pytest.raises(StoreAuthenticationError, match="check token="):
        store.count()
    assert len(server.calls) <= 2


def test_no_variable_of_ours_shows_the_token(stand: Callable[..., Stand]) -> None:
    """An error reporter prints the variables of all frames; those of ours hold no secret."""
    answer = aborted(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
    server = stand(Connect=answer, GetVersion=answer)
    uri = server.uri.replace("http://", "http://user:secret-word@")
    store = MilvusStore(uri, token="secret-key", timeout=10)
    with pytest.raises(StoreError) as caught:
        store.count()
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in str(error)
        trace = error.__traceback__
        while trace is not None:
            if "/hybridge/" in trace.tb_frame.f_code.co_filename:
                for name, value in trace.tb_frame.f_locals.items():
                    assert "secret" not in repr(value), name
            trace = trace.tb_next
        error = None if error.__cause__ is error else error.__cause__  # pymilvus: raise e from e


def test_a_database_that_is_not_there_is_named(stand: Callable[..., Stand]) -> None:
    """Its collections would seem to be empty."""
    server = stand()
    with (
        MilvusStore(server.uri, db_name="elsewhere", timeout=10) as store,
        pytest.raises(StoreDatabaseError, match=r"no database 'elsewhere', only \['default'\]"),
    ):
        store.count()


def test_a_server_that_is_too_old_is_named(stand: Callable[..., Stand]) -> None:
    """With the version that is needed."""
    server = stand(GetVersion=version("v2.4.23"))
    with (
        MilvusStore(server.uri, timeout=10) as store,
        pytest.raises(StoreError, match=r"Milvus v2\.4\.23, Hybridge needs 2\.5 or later"),
    ):
        store.count()


def test_what_passes_is_asked_again(stand: Callable[..., Stand]) -> None:
    """A collection that recovers, a server that is not ready: within the time limit."""
    left = [refused(1, "service not ready"), refused(106, "collection on recovering")]

    def answer(call: Call) -> bytes:
        return left.pop()(call) if left else call.refused(100, "collection not found", 4)

    server = stand(DescribeCollection=answer)
    with MilvusStore(server.uri, timeout=30) as store:
        assert store.count() == 0
    assert left == []


@contextmanager
def silent_server() -> Iterator[str]:
    """Give the URI of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_silent_server_ends_with_the_limit() -> None:
    """Whatever is repeated, opening ends when the time is over."""
    with silent_server() as uri:
        store = MilvusStore(uri, timeout=1)
        with pytest.raises(StoreConnectionError):
            store.count()
        store.close()


def test_a_server_that_stops_in_mid_call_ends_with_the_limit(
    lite_server: str, collection_name: str
) -> None:
    """The error says what the limit is and how to raise it; closing returns."""
    silence = Silence()
    with relay(lite_server, silence) as server:
        store = MilvusStore(server.uri, collection_name=collection_name, timeout=5)
        store.add([Record(id="a", text="a word")])
        impatient = MilvusStore(server.uri, collection_name=collection_name, timeout=1)
        assert impatient.count() == 1
        silence.begun.set()
        with pytest.raises(StoreConnectionError, match=r"within 1 s: .* timeout="):
            impatient.count()
        server.stop()
        with pytest.raises(StoreConnectionError, match="check that it runs"):
            store.count()
        store.close()
        impatient.close()


def test_opening_one_server_does_not_wait_for_another(lite_server: str) -> None:
    """While one does not answer, another is opened and asked."""
    silence = Silence()
    silence.begun.set()
    with relay(lite_server, silence) as server:
        silent = MilvusStore(server.uri, timeout=120)
        waiting = threading.Thread(target=_fails, args=[silent], daemon=True)
        waiting.start()
        while not server.calls:
            threading.Event().wait(0.01)
        with MilvusStore(lite_server, collection_name="another") as store:
            assert store.count() == 0
        assert waiting.is_alive()


def _fails(store: MilvusStore) -> None:
    with suppress(StoreError):
        store.count()


def test_a_creation_that_is_refused_leaves_nothing(lite_server: str, collection_name: str) -> None:
    """It fails at once, as nobody else is making the collection, and may be tried again."""
    refusing = [True]

    def no_index(call: Call, answer: Answer) -> bytes:
        if refusing[0] and call.name == "CreateIndex" and collection_name == _collection(call):
            return call.refused(1100, "invalid index type")
        return answer(call)

    with (
        relay(lite_server, no_index) as server,
        MilvusStore(server.uri, collection_name=collection_name) as store,
    ):
        with pytest.raises(EngineError, match="invalid index type"):
            store.add([Record(id="a", text="a word")])
        client = MilvusClient(server.uri)  # a fresh connection: pymilvus keeps the others
        assert not {collection_name, f"{collection_name}__hybridge"} & {*client.list_collections()}
        refusing[0] = False
        store.add([Record(id="a", text="a word")])
        assert store.count() == 1


def _collection(call: Call) -> str:
    return str(call.request.collection_name)
