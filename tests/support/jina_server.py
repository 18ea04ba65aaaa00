"""A local server that answers as Jina's API does, and fails as it is told to.

It knows one key, keeps the API's limits, scores a document by the words that it shares with the
query (unless told the scores), and makes a vector from a text's characters. A fault takes the place
of one answer; faults are used up in the order in which they were queued.
"""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import numpy as np

KEY = "jina_0123456789abcdefghijklmnopqrstuvwxyz"
WIDTH = 8
MOST_DOCUMENTS = 2_048
MOST_TEXTS = 512
MOST_DIMENSIONS = 4_096


class Request(NamedTuple):
    """One request as it arrived."""

    path: str
    payload: dict[str, Any]


Answer = dict[str, Any]
Fault = Callable[["_Handler", Answer], None]


class JinaServer:
    """Runs from entry to exit of a `with` block.

    Attributes:
        requests: What has arrived so far.
        scores: Scores by document, in place of the server's own.
        returns_documents: Whether and how results carry documents: "absent", "object", "string".
        key: The key that is asked for.
        header: The header that carries it, as a bearer token if it is `Authorization`; None where
            a key is neither asked for nor welcome.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.scores: Mapping[str, float] = {}
        self.returns_documents = "absent"
        self.key = KEY
        self.header: str | None = "Authorization"
        self.faults: deque[Fault] = deque()
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.jina = self  # type: ignore[attr-defined]

    @property
    def base_url(self) -> str:
        """What to pass as `base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def then(self, *faults: Fault) -> None:
        """Queue faults for the next requests."""
        self.faults.extend(faults)

    def __enter__(self) -> JinaServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def unauthorized(self, given: str) -> Answer:
        """Return the body of a 401; it quotes the key, as APIs do."""
        return {"detail": f"Invalid API key: {given}"}

    def answer(self, path: str, payload: dict[str, Any]) -> tuple[int, Answer]:
        """Return the status and body that the API would answer with."""
        if path == "/v1/rerank":
            return self._rerank(payload)
        if path == "/v1/embeddings":
            return self._embed(payload)
        return 404, {"detail": "Not Found"}

    def _rerank(self, payload: dict[str, Any]) -> tuple[int, Answer]:
        query, documents = payload["query"], payload["documents"]
        if not 1 <= len(documents) <= MOST_DOCUMENTS:
            return 422, {"detail": f"documents must hold 1 to {MOST_DOCUMENTS} items"}
        scored: list[dict[str, Any]] = [
            {"index": index, "relevance_score": self._score(query, text)}
            for index, text in enumerate(documents)
        ]
        scored.sort(key=lambda result: -result["relevance_score"])
        results = scored[: payload.get("top_n", len(scored))]
        for result in results:
            text = documents[result["index"]]
            if self.returns_documents != "absent":
                as_object = self.returns_documents == "object"
                result["document"] = {"text": text} if as_object else text
        return 200, {"model": payload["model"], "results": results, "usage": {"total_tokens": 7}}

    def _score(self, query: str, text: str) -> float:
        if text in self.scores:
            return self.scores[text]
        words = query.split()
        return sum(word in text.split() for word in words) / len(words)

    def _embed(self, payload: dict[str, Any]) -> tuple[int, Answer]:
        texts, width = payload["input"], payload.get("dimensions", WIDTH)
        if not 1 <= len(texts) <= MOST_TEXTS:
            return 422, {"detail": f"Each input list can contain at most {MOST_TEXTS} items."}
        if width > MOST_DIMENSIONS:
            return 422, {"detail": f"dimensions: at most {MOST_DIMENSIONS}"}
        data = [
            {"index": index, "embedding": vector(text, payload.get("task"), width)}
            for index, text in enumerate(texts)
        ]
        # The API promises no order.
        return 200, {"model": payload["model"], "data": data[::-1], "usage": {"total_tokens": 7}}


def vector(text: str, task: str | None, width: int = WIDTH) -> list[float]:
    """Return the vector that the server gives a text for a task."""
    seed = zlib.crc32(f"{task}:{text}".encode())
    return [float(value) for value in np.random.default_rng(seed).normal(size=width)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        jina: JinaServer = self.server.jina
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        jina.requests.append(Request(self.path, payload))
        given = self.headers["Authorization"] or self.headers["api-key"]
        wanted = f"Bearer {jina.key}" if jina.header == "Authorization" else jina.key
        if given != (wanted if jina.header else None):
            return self.send_json(401, jina.unauthorized(str(given)))
        code, body = jina.answer(self.path, payload)
        if code == 200 and jina.faults:
            return jina.faults.popleft()(self, body)
        return self.send_json(code, body)

    def send_json(self, code: int, body: object, **headers: str) -> None:
        """Send a whole answer."""
        self.send_bytes(code, json.dumps(body).encode(), None, **headers)

    def send_bytes(self, code: int, body: bytes, length: int | None = None, **headers: str) -> None:
        """Send an answer that says it is `length` bytes long."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("X-Request-Id", "req-42")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def refuse(code: int, body: object, **headers: str) -> Fault:
    """Answer with an error status and a JSON body; `retry_after="1"` becomes `Retry-After: 1`."""
    return lambda handler, answer: handler.send_json(code, body, **headers)


def html(code: int) -> Fault:
    """Answer as a proxy does whose backend is away."""
    page = b"<html><head><title>502</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return lambda handler, answer: handler.send_bytes(code, page)


def changed(change: Callable[[Answer], object]) -> Fault:
    """Answer with success and a body that `change` alters, in place or by returning another."""

    def fault(handler: _Handler, answer: Answer) -> None:
        altered = change(answer)
        handler.send_json(200, answer if altered is None else altered)

    return fault


def raw(body: bytes) -> Fault:
    """Answer with success and exactly these bytes."""
    return lambda handler, answer: handler.send_bytes(200, body)


def reset(handler: _Handler, answer: Answer) -> None:
    """Reset the connection without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    # Both files must go before the socket is really closed, which sends the reset.
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()
    handler.rfile = handler.wfile = io.BytesIO()


def cut(handler: _Handler, answer: Answer) -> None:
    """Close the connection in the middle of the body."""
    body = json.dumps(answer).encode()
    handler.send_bytes(200, body[: len(body) // 2], length=len(body))
    handler.close_connection = True


def silence(handler: _Handler, answer: Answer) -> None:
    """Accept the request and never answer."""
    handler.server.jina.stopping.wait(30)
    handler.close_connection = True


def drip(handler: _Handler, answer: Answer) -> None:
    """Send the headers, then the body one byte every 50 ms."""
    handler.send_bytes(200, b"", length=10_000)
    _send_slowly(handler, b" " * 10_000)


def drip_headers(handler: _Handler, answer: Answer) -> None:
    """Send even the status line one byte every 50 ms."""
    _send_slowly(handler, b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000)


def _send_slowly(handler: _Handler, content: bytes) -> None:
    for byte in content:
        if handler.server.jina.stopping.wait(0.05):
            break
        try:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
        except OSError:
            break
    handler.close_connection = True
