"""A server behind TLS: certificates made here, and a relay that ends the encryption."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from support.sockets import connect

NAME = "milvus.test"
"""The name in the server's certificate."""


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str) -> Signed:
    """Make an authority that signs others."""
    return _made(folder, name, "-addext", "basicConstraints=critical,CA:TRUE")


def signed_by(signer: Signed, folder: Path, name: str) -> Signed:
    """Make a certificate of a name."""
    signing = ("-CA", str(signer.certificate), "-CAkey", str(signer.key))
    return _made(folder, name, *signing, "-addext", f"subjectAltName=DNS:{name}")


def _made(folder: Path, name: str, *options: str) -> Signed:
    made = Signed(folder / f"{name}.pem", folder / f"{name}.key")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", str(made.key), "-out", str(made.certificate))
    command = ["openssl", "req", "-x509", *kind, *files, "-subj", f"/CN={name}", *options]
    subprocess.run(command, check=True, capture_output=True)
    return made


@contextmanager
def encrypted(uri: str, server: Signed, clients: Path | None = None) -> Iterator[str]:
    """Give the URI of a relay to `uri` that speaks TLS.

    Args:
        uri: The server.
        server: What the relay shows.
        clients: Who signs the certificates that clients must have; none are asked for if None.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.set_alpn_protocols(["h2"])  # gRPC speaks nothing else
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    target = (str(urlsplit(uri).hostname), urlsplit(uri).port or 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, context, target), daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        # Closing alone would leave the thread that accepts waiting.
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_relay, args=(client, context, target), daemon=True).start()


def _relay(raw: socket.socket, context: ssl.SSLContext, target: tuple[str, int]) -> None:
    with suppress(OSError), context.wrap_socket(raw, server_side=True) as client:
        connect(client, socket.create_connection(target))
