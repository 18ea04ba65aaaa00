"""Bytes on their way through a test."""

from __future__ import annotations

import socket
from contextlib import suppress


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Hand on what arrives, to the end."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
