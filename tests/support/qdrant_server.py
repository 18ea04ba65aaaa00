"""A local server that answers as Qdrant's REST API does, as far as a collection is read by it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "qdrant-0123456789abcdef"


class QdrantServer:
    """Runs from entry to exit of a `with` block; holds one collection, "docs".

    Args:
        vectors: The collection's dense vectors: `{"size": …, "distance": …}`, or such by name.
        points: Each with "id", "payload" and "vector".

    Attributes:
        asked: The paths of all requests so far.
    """

    def __init__(self, vectors: dict[str, Any], points: Sequence[dict[str, Any]]) -> None:
        self.asked: list[str] = []
        self._vectors = vectors
        self._points = list(points)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.qdrant = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> QdrantServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, payload: dict[str, Any]) -> Any:
        """Return the result of a request; None where there is no such path."""
        self.asked.append(path)
        if path == "/collections/docs":
            return {"config": {"params": {"vectors": self._vectors}}}
        if path == "/collections/docs/points/count":
            return {"count": len(self._points)}
        if path == "/collections/docs/points/scroll":
            ids = [point["id"] for point in self._points]
            start = 0 if payload.get("offset") is None else ids.index(payload["offset"])
            stop = start + payload["limit"]
            following = ids[stop] if stop < len(ids) else None
            return {"points": self._points[start:stop], "next_page_offset": following}
        return None


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.loads(body))

    def _answer(self, payload: dict[str, Any]) -> None:
        if self.headers.get("api-key") != KEY:
            self._send(403, {"status": {"error": "forbidden"}})
            return
        result = self.server.qdrant.answer(self.path, payload)  # type: ignore[attr-defined]
        if result is None:
            self._send(404, {"status": {"error": f"Not found: {self.path}"}})
        else:
            self._send(200, {"result": result, "status": "ok", "time": 0.0})

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
