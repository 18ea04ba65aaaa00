"""Bytes on their way through a test."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


def connect(client: socket.socket, server: socket.socket) -> None:
    """Hand on what either sends to the other, until one of them ends; close both."""
    with client, server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
