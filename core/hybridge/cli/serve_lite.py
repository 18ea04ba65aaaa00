"""`hybridge serve-lite`: a path for several processes."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Annotated

import typer

from hybridge.cli.options import Json
from hybridge.cli.output import show

Path = Annotated[
    str,
    typer.Argument(metavar="PATH", help="A path that ends in .db.", show_default=False),
]
Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 is all of them.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes a free one.")]


def serve_lite(
    path: Path = "./milvus.db", host: Host = "127.0.0.1", port: Port = 19530, json: Json = False
) -> None:
    """Serve a Milvus Lite path to several processes.

    It serves until it is interrupted. Unlike `milvus-lite server` it keeps what is written fast to
    search, and lets no flush run beside a write. It asks for no token: whoever reaches the port may
    read and write.
    """
    from hybridge.store import resolve_address, serve_lite

    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    address = resolve_address(path, token="")
    with serve_lite(address, host, port) as bound:
        signal.signal(signal.SIGTERM, end)
        uri = f"http://{host}:{bound}"
        show({"uri": uri, "path": str(address)}, [f"serving {address} at {uri}"], as_json=json)
        typer.echo("Ctrl-C ends it", err=True)
        while not ended.wait(1.0):  # a wait without an end cannot be interrupted on Windows
            pass
