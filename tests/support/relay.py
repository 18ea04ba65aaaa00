"""Stand-ins for a Milvus server, spoken to by gRPC: one that is told its answers, and a relay.

The relay stands before a `milvus-lite server` and imposes what a real server imposes. Its rules are
those of Milvus 2.3 to 2.6, as measured there or read in its source.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from hybridge.store.engine.dialect import parse_version

Answer = Callable[["Call"], bytes]
"""What answers a call."""

Rule = Callable[["Call", Answer], bytes]
"""What a call passes before it is answered: it asks for the answer, or gives one of its own."""

MIB = 2**20

_METHODS = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"].methods_by_name
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_RATE_LIMIT = 8
_INVALID = 1100
_WRITES = ("Insert", "Upsert", "Delete")
_READS = ("Query", "Search", "HybridSearch")
_GREETINGS = ("Connect", "GetVersion")
_FINAL = ("Drop", "Flush")
_PASSED_ON = ("authorization", "dbname")


class Failure(Exception):  # noqa: N818 - what gRPC calls a status
    """A call that fails in gRPC, and not with a status of Milvus."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code


@dataclass(frozen=True)
class Call:
    """A call of a method of Milvus.

    Attributes:
        method: The method, as gRPC names it.
        body: The request as it came.
        context: What gRPC knows of the call.
    """

    method: str
    body: bytes
    context: grpc.ServicerContext

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.method.rpartition("/")[2]

    @property
    def request(self) -> Any:
        """The request."""
        return GetMessageClass(_METHODS[self.name].input_type).FromString(self.body)

    def refused(self, code: int, reason: str, error_code: int = 1) -> bytes:
        """Return an answer whose status has a code of Milvus."""
        kind = GetMessageClass(_METHODS[self.name].output_type)
        status = common_pb2.Status(code=code, error_code=error_code, reason=reason)
        answer = status if kind is common_pb2.Status else kind(status=status)
        return bytes(answer.SerializeToString())


class Stand:
    """A gRPC server on a free port that answers all methods as it is told.

    Args:
        answer: What answers a call.
        *rules: What each call passes before it is answered, in this order.

    Attributes:
        uri: Where it is.
        rules: The rules, which may be changed at any time.
        calls: The names of the methods that were called.
    """

    def __init__(self, answer: Answer, *rules: Rule) -> None:
        self.rules = list(rules)
        self.calls: list[str] = []
        self._answer = answer
        self._server = grpc.server(ThreadPoolExecutor(32), options=_UNLIMITED)
        self._server.add_generic_rpc_handlers([self])
        self.uri = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, details: Any) -> Any:
        """Return what answers a method; gRPC asks for it."""

        def handle(body: bytes, context: grpc.ServicerContext) -> bytes:
            call = Call(details.method, body, context)
            self.calls.append(call.name)
            try:
                return self._passed(list(self.rules), call)
            except Failure as failure:
                return context.abort(failure.code, str(failure))

        return grpc.unary_unary_rpc_method_handler(handle)

    def _passed(self, rules: list[Rule], call: Call) -> bytes:
        return rules[0](call, partial(self._passed, rules[1:])) if rules else self._answer(call)

    def stop(self) -> None:
        """End it, and what it is answering."""
        self._server.stop(None)


@contextmanager
def relay(uri: str, *rules: Rule) -> Iterator[Stand]:
    """Give a relay to the server at `uri`, each of whose calls passes the rules."""
    with grpc.insecure_channel(uri.partition("//")[2], options=_UNLIMITED) as channel:

        def forward(call: Call) -> bytes:
            method = channel.unary_unary(call.method)
            sent = [pair for pair in call.context.invocation_metadata() if pair[0] in _PASSED_ON]
            try:
                return bytes(method(call.body, timeout=600, metadata=sent))
            except grpc.RpcError as error:
                raise Failure(error.code(), error.details()) from error

        stand = Stand(forward, *rules)
        try:
            yield stand
        finally:
            stand.stop()


# --- rules ---------------------------------------------------------------------------------------


def imposed() -> list[Rule]:
    """Return all that a server before 2.6 imposes, the time between two flushes shortened."""
    return [
        is_milvus("v2.5.4"),
        messages_within(),
        flushes_apart(seconds=0.5),
        busy(every=7),
        HeldWrites(),
    ]


def is_milvus(version: str) -> Rule:
    """Say that the server has a version of Milvus, and refuse what that one does not know."""
    is_whole = parse_version(version) < (2, 6)

    def rule(call: Call, answer: Answer) -> bytes:
        if call.name == "GetVersion":
            said = f"milvus_lite as {version}"  # see ServerOverLite
            return bytes(milvus_pb2.GetVersionResponse(version=said).SerializeToString())
        if is_whole and call.name == "Upsert" and call.request.partial_update:
            return call.refused(_INVALID, "invalid parameter: the fields of some rows are missing")
        return answer(call)

    return rule


def messages_within(limit: int = 64 * MIB) -> Rule:
    """Refuse what is larger, both ways."""

    def check(what: str, size: int) -> None:
        if size > limit:
            details = f"grpc: {what} message larger than max ({size} vs. {limit})"
            raise Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, details)

    def rule(call: Call, answer: Answer) -> bytes:
        check("received", len(call.body))
        answered = answer(call)
        check("trying to send", len(answered))
        return answered

    return rule


def pages_of(rows: int) -> Rule:
    """End a page after so many rows at most, as a server does where one of its segments ends."""

    def rule(call: Call, answer: Answer) -> bytes:
        if call.name != "Query":
            return answer(call)
        request = call.request
        named = {one.key: one for one in request.query_params}
        if "limit" in named:
            named["limit"].value = str(min(rows, int(named["limit"].value)))
        return answer(replace(call, body=request.SerializeToString()))

    return rule


def flushes_apart(seconds: float = 10) -> Rule:
    """Refuse a second flush of a collection within so many seconds."""
    last: dict[str, float] = {}

    def rule(call: Call, answer: Answer) -> bytes:
        if call.name == "Flush":
            for name in call.request.collection_names:
                if time.monotonic() - last.get(name, float("-inf")) < seconds:
                    return _rate_limited(call)
                last[name] = time.monotonic()
        return answer(call)

    return rule


def busy(every: int) -> Rule:
    """Refuse one call of so many for the rate of its kind."""
    lock, counted = threading.Lock(), 0

    def rule(call: Call, answer: Answer) -> bytes:
        nonlocal counted
        with lock:
            counted += call.name not in _GREETINGS
            is_one = counted == every
            counted %= every
        return _rate_limited(call) if is_one else answer(call)

    return rule


def _rate_limited(call: Call) -> bytes:
    reason = "request is rejected by the rate limiter: rate limit exceeded, please retry later"
    return call.refused(_RATE_LIMIT, reason, common_pb2.RateLimit)


def read_only(call: Call, answer: Answer) -> bytes:
    """Deny what the privilege group `CollectionReadOnly` does not hold."""
    denied = ("Create", "Drop", "Alter", "Load", "Release", *_WRITES, "Flush")
    if call.name.startswith(denied):
        details = f"Privilege{call.name}: permission deny to reader in the `default` database"
        raise Failure(grpc.StatusCode.PERMISSION_DENIED, details)
    return answer(call)


class HeldWrites:
    """A rule: a write is acknowledged at once, and is seen a while later by those who do not ask.

    A server's nodes learn of a write from a log. A read waits for the writes up to the timestamp
    that it carries, and one without sees what has arrived.

    Args:
        seconds: How long it takes to arrive.
    """

    def __init__(self, seconds: float = 0.3) -> None:
        self._held: deque[tuple[int, Call, Answer]] = deque()
        self._delay = int(seconds * 1000) << 18
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Hold a write, and let a read see what it must."""
        if call.name in _WRITES:
            return self._hold(call, answer)
        with self._lock:
            self._settle(self._awaited(call))
        return answer(call)

    def _hold(self, call: Call, answer: Answer) -> bytes:
        with self._lock:
            self._held.append((self._now(), call, answer))
            result = milvus_pb2.MutationResult(timestamp=self._last)
        if call.name != "Delete":
            result.upsert_cnt = result.insert_cnt = call.request.num_rows
        return bytes(result.SerializeToString())

    def _awaited(self, call: Call) -> int:
        """Return the timestamp of the writes that a call sees."""
        arrived = self._now() - self._delay
        if call.name.startswith(_FINAL):
            return self._last
        if call.name not in _READS:
            return arrived
        request = call.request
        strong = not (request.use_default_consistency or request.guarantee_timestamp)
        return self._last if strong else max(arrived, request.guarantee_timestamp)

    def _settle(self, timestamp: int) -> None:
        while self._held and self._held[0][0] <= timestamp:
            _, call, answer = self._held.popleft()
            result = milvus_pb2.MutationResult.FromString(answer(call))
            assert result.status.code == 0, result.status.reason

    def _now(self) -> int:
        """Return a new timestamp, as Milvus writes it."""
        self._last = max(self._last + 1, int(time.time() * 1000) << 18)
        return self._last


class Silence:
    """A rule: once it has begun, some calls are not answered until whoever called has given up.

    The server does what was asked all the same.

    Args:
        concerns: Whether a call is one of them.

    Attributes:
        begun: Set when it begins.
    """

    def __init__(self, concerns: Callable[[Call], bool] = lambda _: True) -> None:
        self._concerns = concerns
        self.begun = threading.Event()

    def __call__(self, call: Call, answer: Answer) -> bytes:
        """Answer, at once or too late."""
        if self.begun.is_set() and self._concerns(call):
            ended = threading.Event()
            if call.context.add_callback(ended.set):
                ended.wait()
        return answer(call)
