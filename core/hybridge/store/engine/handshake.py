"""Why TLS with a server fails: gRPC says of it only that nobody answers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from hybridge.store.engine.address import Address

_SECONDS = 2.0
_CURES: Mapping[str, str] = {
    "mismatch": "give the name in its certificate: TLS(server_name=...)",
    "certificate_required": "it asks for a client's certificate: TLS(certificate=..., key=...)",
    "unknown_ca": "it does not know who signed the client's: check TLS(certificate=...)",
    "wrong_version_number": "it does not speak TLS: write http://, without TLS(...)",
    "expired": "its certificate has expired: renew it",
}
_UNTRUSTED = "give the certificates of those who signed the server's: TLS(ca=...)"


def tls_failure(address: Address, limit: float | None = None) -> str:
    """Return why a server does not answer, where TLS is why, and what to do; else "".

    A server that is spoken to in plain words may speak TLS alone, which is said as well.

    Args:
        address: The server.
        limit: Seconds that this may take; 2 at most.
    """
    parts = urlsplit(address.uri)
    host, port = parts.hostname, parts.port or 443
    try:
        context = _context(address) if address.is_encrypted else _unchecked()
        name = host if address.tls is None else address.tls.server_name or host
        with (
            socket.create_connection((host or "", port), min(limit or _SECONDS, _SECONDS)) as raw,
            context.wrap_socket(raw, server_hostname=name) as secured,
        ):
            if not address.is_encrypted:
                return "it speaks TLS: write https://"
            # By TLS 1.3 a server says after the handshake that it wants a client's certificate.
            secured.recv(1)
    except ssl.SSLError as error:
        return _explained(error) if address.is_encrypted else ""
    except (OSError, ValueError):
        return ""
    return ""


def _context(address: Address) -> ssl.SSLContext:
    tls = address.tls
    context = ssl.create_default_context(cafile=None if tls is None else tls.ca)
    if tls is not None and tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    context.set_alpn_protocols(["h2"])
    return context


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _explained(error: ssl.SSLError) -> str:
    said = getattr(error, "verify_message", None) or error.reason or str(error)
    cures = (cure for word, cure in _CURES.items() if word in str(said).lower())
    return f"TLS fails ({said}): {next(cures, _UNTRUSTED)}"
