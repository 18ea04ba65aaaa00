"""A TCP line to a server that turns some connections away, without patching."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from support.sockets import connect


@contextmanager
def bad_line(uri: str, *, turned_away: int) -> Iterator[str]:
    """Give a URI that leads to `uri`, and resets the first connections as they arrive."""
    target = (urlsplit(uri).hostname, urlsplit(uri).port)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, target, turned_away), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Closing alone would leave the thread that accepts waiting.
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, target: tuple[str | None, int | None], left: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            if left > 0:
                left -= 1
                # A reset: after an orderly end gRPC may try again by itself.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            server = socket.create_connection(target)  # type: ignore[arg-type]
            threading.Thread(target=connect, args=(client, server), daemon=True).start()
