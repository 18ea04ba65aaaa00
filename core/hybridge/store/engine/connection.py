"""One Milvus client: opened safely, its errors translated, its file lock released on close."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from hybridge.errors import (
    EngineError,
    HybridgeError,
    StoreClosedError,
    StoreConnectionError,
    StoreDatabaseError,
    StoreError,
    StoreLockedError,
    StorePermissionError,
)
from hybridge.store.engine.address import Address, Secret
from hybridge.store.engine.client import make_client
from hybridge.store.engine.damage import check_whole
from hybridge.store.engine.dialect import Dialect, detect
from hybridge.store.engine.gate import Gate
from hybridge.store.engine.handshake import tls_failure
from hybridge.store.engine.interrupts import interrupted_after
from hybridge.store.engine.leavings import REMOVED, remove_indexes
from hybridge.store.engine.logs import logged_causes, raised_not_logged
from hybridge.store.engine.place import cannot_be, prepare_place
from hybridge.store.engine.pymilvus_import import pymilvus
from hybridge.store.engine.reader import Reader
from hybridge.store.engine.refusals import NOT_LOADED, translate
from hybridge.store.engine.segments import give_back_memory
from hybridge.store.lifetime import call_in_child
from hybridge.store.server_options import TLS, ServerOptions

T = TypeVar("T")

logger = logging.getLogger("hybridge")

HERE = "in this process"
"""Where searches are made that are not left to the engine."""

# Seconds that a call may take, its repetitions included.
_LIMIT = 60.0
_LONG_LIMIT = 600.0
_LOAD = "load_collection"
_LONG = frozenset({_LOAD, "create_index", "flush"})
_WRITES = frozenset({"upsert", "delete"})
_UNREACHABLE_ATTEMPTS = 3


class _Locks(defaultdict[str, threading.RLock]):
    """A lock for each server, and one for all paths.

    Concurrent first opens of paths fail on Milvus Lite, and the last user of a path must not
    release it while another opens it, so opening and closing share a lock. That of one server must
    not wait for another that does not answer.
    """

    def __init__(self) -> None:
        super().__init__(threading.RLock)

    def of(self, address: Address) -> threading.RLock:
        """Return the lock under which an address is opened and closed."""
        return self["" if address.is_path else address.uri]


_opening = _Locks()


@dataclass
class _Opened:
    """A client, how its engine is talked to, and how many connections use it.

    One for each address, since pymilvus 2.6.7 closes all clients of an address with the first.
    `torn` names the collections to which a write has failed since they were flushed, `gate` is what
    every call passes, and `reader` searches rows of this process without the engine.
    """

    client: Any
    dialect: Dialect
    reader: Reader | None = None
    users: int = 0
    torn: set[str] = field(default_factory=set[str])
    gate: Gate = field(default_factory=Gate)


_opened: dict[Address, _Opened] = {}


_parents: set[Address] = set()
"""The paths that Milvus Lite serves in the process that this one was forked from."""


def _renew() -> None:
    _parents.update(address for address in _opened if address.is_path)
    _opened.clear()
    _opening.clear()


call_in_child(_renew)

_CHANNEL_OPTIONS = {
    # pymilvus 3 pings idle connections every 10 s. Milvus Lite was seen to end such a connection
    # after 30 s, with a message on stderr, and to refuse the next; pings during a call are enough.
    "grpc.keepalive_permit_without_calls": False,
    # After a failed connection gRPC fails every call for so long, for a second if not told. Our own
    # attempts have to be further apart.
    "grpc.initial_reconnect_backoff_ms": 100,
}


def _attempts(limit: float) -> Retrying:
    """Return what repeats a call that may succeed a moment later, until the limit.

    A server that nobody can reach is given up after three attempts.
    """
    is_late = stop_before_delay(limit)

    def is_over(state: RetryCallState) -> bool:
        error = None if state.outcome is None else state.outcome.exception()
        unreachable = isinstance(error, StoreConnectionError)
        return is_late(state) or (unreachable and state.attempt_number >= _UNREACHABLE_ATTEMPTS)

    return Retrying(
        stop=is_over,
        wait=wait_exponential(multiplier=0.3, max=3) + wait_random(0, 0.2),
        retry=retry_if_exception(_may_pass),
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, StoreConnectionError) or getattr(error, "passes", False)


class Connection:
    """A client of one address. All calls to the engine go through `call`.

    Args:
        address: Where Milvus is.
        timeout: Seconds that one call may take; None means 60 for a server and 600 for a path.
            Loading, indexing and flushing have 600 at least.
        options: How a server keeps collections; the default ones if None.
        in_process_search: Whether rows of this process are searched without the engine.

    Raises:
        StoreLockedError: If another process has the path open.
        StoreConnectionError: If the server does not answer.
        EngineError: If the server refuses, by the token for instance.
    """

    def __init__(
        self,
        address: Address,
        timeout: float | None = None,
        options: ServerOptions | None = None,
        *,
        in_process_search: bool = True,
    ) -> None:
        self.address = address
        self.options = options or ServerOptions()
        default = _LONG_LIMIT if address.is_path else _LIMIT
        self.timeout = default if timeout is None else timeout
        opened: _Opened = _attempts(self.timeout)(_acquire, address, self.timeout)
        self._client = opened.client
        self.dialect = opened.dialect
        self.torn = opened.torn
        self._reader = opened.reader if in_process_search else None
        self._gate = opened.gate
        self._closed = False

    def call(self, operation: str, collection_name: str, **arguments: Any) -> Any:
        """Call the client's method `operation`, repeating what may succeed a moment later.

        Every operation that the store uses may be repeated without harm: writes are upserts
        and deletions name their ids.

        Raises:
            StoreConnectionError: If the server does not answer within the time limit.
            EngineError: If the engine refused.
        """
        limit = max(self.timeout, _LONG_LIMIT) if operation in _LONG else self.timeout
        until = monotonic() + limit
        attempts = _attempts(limit)
        try:
            answer = attempts(self._call_loaded, operation, collection_name, arguments, until)
        except StoreError:
            if operation in _WRITES:
                self.torn.add(collection_name)
            raise
        if operation == "flush":
            self.torn.discard(collection_name)
        return answer

    def _call_loaded(
        self, operation: str, name: str, arguments: dict[str, Any], until: float
    ) -> Any:
        """Call once; a collection that a restarted server has released is loaded first."""
        try:
            return self._call_once(operation, name, arguments, until)
        except EngineError as refusal:
            if operation == _LOAD:
                self._remake_indexes(name, refusal)
            elif refusal.code == NOT_LOADED:
                self._call_loaded(_LOAD, name, self._loading, monotonic() + _LONG_LIMIT)
            else:
                raise
        return self._call_once(operation, name, arguments, until)

    @property
    def searched(self) -> str:
        """Who makes searches: this process by itself, or the engine, and why."""
        if self._reader is None:
            return "by the engine"
        return f"by the engine: {self._reader.failure}" if self._reader.failure else HERE

    @property
    def reads_here(self) -> bool:
        """Whether this process makes searches by itself."""
        return self.searched == HERE

    def read_here(self, read: Callable[[Reader], T | None]) -> T | None:
        """Return what is read without the engine; see `hybridge.store.engine.reader`.

        Returns:
            None where it is left to the engine.
        """
        if self._reader is None:
            return None
        with interrupted_after(), self._gate.passed(alone=False):
            return read(self._reader)

    def insert(self, collection_name: str, rows: list[dict[str, Any]]) -> list[str]:
        """Insert rows that Milvus numbers, in one try: repeated, they would be there twice.

        Returns:
            Their keys.
        """
        until = monotonic() + self.timeout
        answer = self._call_loaded("insert", collection_name, {"data": rows}, until)
        return [str(key) for key in answer["ids"]]

    def load(self, collection_name: str) -> None:
        """Load a collection, as often as the server's options say.

        Where this process reads the rows by itself they are opened and no more. Loading is for the
        engine's own searches, the first of which does it: it takes a second copy of all vectors,
        from a file that the engine then writes beside the rows.
        """
        if self.reads_here:
            self.call("describe_collection", collection_name)
            give_back_memory()
        else:
            self.call(_LOAD, collection_name, **self._loading)

    def has(self, collection_name: str) -> bool:
        """Whether there is a collection of this name.

        Raises:
            StoreDamagedError: If the engine would open it without some of its rows.
        """
        if self.address.is_path:
            check_whole(Path(self.address.uri), collection_name)
        return bool(self.call("has_collection", collection_name))

    def drop(self, collection_name: str) -> None:
        """Remove a collection.

        On a path by another name, which is given at once: a removal that a crash cuts short leaves
        some files, and what is left by its own name would be a collection that has lost rows.
        """
        if self.address.is_path:
            removed = uuid.uuid4().hex + REMOVED
            self.call("rename_collection", collection_name, new_name=removed)
            self.call("drop_collection", removed)
        self.call("drop_collection", collection_name)  # pymilvus forgets the schema with it

    def _remake_indexes(self, name: str, refusal: EngineError) -> None:
        """Let the engine make a collection's index files anew: a crash may have torn one.

        Raises:
            EngineError: The refusal to load it, where that is not the cause.
        """
        path = Path(self.address.uri)
        try:
            were_there = self.address.is_path and remove_indexes(path, name)
        except OSError as error:
            raise cannot_be(path, error) from error
        if not were_there:
            raise refusal
        logger.warning("the index files of %r are made anew, one is torn: %s", name, refusal)

    @property
    def _loading(self) -> dict[str, Any]:
        return self.dialect.engine.loading(self.options)

    def _call_once(self, operation: str, name: str, arguments: dict[str, Any], until: float) -> Any:
        method = getattr(self._client, operation)
        alone = operation == "flush" and self.dialect.engine.flushes_alone

        def ask() -> Any:
            with self._gate.passed(alone=alone):
                return method(name, timeout=max(until - monotonic(), 0.1), **arguments)

        return self.answer(ask)

    def written(self, collection_name: str) -> int:
        """Return the timestamp of this client's last write to a collection, 0 where it has none.

        A read that must see the write carries it; pymilvus sends it by itself but for iterators.
        """
        pymilvus()
        from pymilvus.client.ts_utils import get_collection_ts

        endpoint = self._client._get_connection().server_address
        return int(get_collection_ts(collection_name, endpoint, self.address.db_name) or 0)

    def answer(self, call: Callable[[], Any]) -> Any:
        """Return what a call to the engine answers; its failure becomes an error of ours.

        Raises:
            StoreClosedError: If the connection was closed under the call.
        """
        with interrupted_after():  # outside: what a handler raises is no failure of the engine
            try:
                with raised_not_logged():
                    return call()
            except Exception as error:
                if self._closed:
                    msg = f"the store at {self.address} was closed during this call: open a new one"
                    raise StoreClosedError(msg) from error
                raise translate(error, self.address, self.timeout) from error

    def close(self, *, release: bool = True) -> None:
        """Close the client if nobody else uses it, and release the engine's file lock.

        Args:
            release: False leaves the engine running, which keeps its write-ahead log.
        """
        self._closed = True
        with _opening.of(self.address):
            _opened[self.address].users -= 1
            if _opened[self.address].users:
                return
            _opened.pop(self.address).client.close()
            if self.address.is_path and release:
                from milvus_lite.server_manager import server_manager_instance

                server_manager_instance.release_server(self.address.uri)


def _acquire(address: Address, timeout: float | None) -> _Opened:
    """Return the client of an address, and count one more user."""
    with _opening.of(address):
        if address not in _opened:
            with interrupted_after():  # else a client would be left that nobody closes
                _opened[address] = _open(address, timeout)
        _opened[address].users += 1
        return _opened[address]


def _open(address: Address, timeout: float | None) -> _Opened:
    if address in _parents:
        msg = (
            f"{address} was open when this process was forked, and Milvus Lite serves it in the "
            "parent alone: close it there before forking, or run `milvus-lite server`"
        )
        raise StoreLockedError(msg)
    if address.is_path:
        prepare_place(address)
        _forget_schemas()
    with logged_causes() as causes, raised_not_logged():
        try:
            client = make_client(
                uri=Secret(address.uri),
                token=address.token,
                db_name=address.db_name,
                timeout=timeout,
                grpc_options=_CHANNEL_OPTIONS,
                **_secured(address),
            )
            version = client.get_server_version(timeout=timeout)
        except Exception as error:
            if not address.is_path:
                raise _refusal(error, address, timeout) from _without_secrets(error, address)
            raise _cannot_open(address, causes) from error
    try:
        dialect = detect(address, version)
        if dialect.engine.databases:
            _check_database(client, address, timeout)
    except StoreError:
        client.close()
        raise
    return _Opened(client, dialect, dialect.engine.reader(address))


def _refusal(error: Exception, address: Address, timeout: float | None) -> StoreError:
    """Return why a server cannot be opened; a failure of TLS looks as if nobody answered."""
    refusal = translate(error, address, timeout)
    why = tls_failure(address, timeout) if isinstance(refusal, StoreConnectionError) else ""
    return StoreConnectionError(f"Milvus at {address} cannot be reached: {why}") if why else refusal


def _secured(address: Address) -> dict[str, Any]:
    """Return what pymilvus is told of TLS; it takes an authority alone as the server's own."""
    if not address.is_encrypted:
        return {}
    tls = address.tls or TLS()
    files = {"server_pem_path": tls.ca}
    if tls.certificate is not None:
        files = {
            "ca_pem_path": tls.ca,
            "client_pem_path": tls.certificate,
            "client_key_path": tls.key,
        }
    given = {**files, "server_name": tls.server_name}
    told = {name: value for name, value in given.items() if value is not None}
    return {"secure": True, **told}


def _check_database(client: Any, address: Address, timeout: float | None) -> None:
    """Refuse a database that is not there: its collections would seem to be empty.

    Raises:
        StoreDatabaseError: If it is not there.
    """
    if not address.db_name:
        return
    try:
        with raised_not_logged():
            there = client.list_databases(timeout=timeout)
    except Exception as error:
        refusal = translate(error, address, timeout)
        if isinstance(refusal, StorePermissionError):
            return  # who may not list them may still use one
        raise refusal from error
    if address.db_name not in there:
        msg = (
            f"Milvus at {address} has no database {address.db_name!r}, only {sorted(there)}: check "
            "db_name=, or create it"
        )
        raise StoreDatabaseError(msg)


def _forget_schemas() -> None:
    """Empty pymilvus's cache of schemas.

    It goes by port and name, and a path that is opened may get the port of one that was closed.
    """
    pymilvus()
    from pymilvus.client.cache import GlobalCache

    GlobalCache.schema.clear()


def _cannot_open(address: Address, causes: list[BaseException]) -> HybridgeError:
    cause = causes[0] if causes else None
    if type(cause).__name__ == "DataDirLockedError":
        return StoreLockedError(
            f"{address} is open in another process, and Milvus Lite allows one at a time: close "
            "it there, or run `milvus-lite server` and give both its URI"
        )
    path = Path(address.uri)
    if isinstance(cause, PermissionError) or (isinstance(cause, OSError) and not path.is_dir()):
        return cannot_be(path, cause)
    return EngineError(f"Milvus Lite cannot open {address}: {cause or 'no reason was given'}")


def _without_secrets(error: Exception, address: Address) -> Exception | None:
    """Return the error as a cause, unless its text repeats the token or the credentials."""
    secrets = [address.token] if address.token else []
    if address.uri != str(address):
        secrets.append(address.uri)
    return None if any(secret in str(error) for secret in secrets) else error
