"""What pymilvus and Milvus Lite log: kept out of the way where we raise it, read where they do not.

pymilvus logs every failure, with a traceback of 40 lines, before it raises it. Each failure of ours
is raised as well, with pymilvus's as its cause, or mended by the next attempt. Milvus Lite, on the
other hand, says only in its log why it cannot open a path.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_raising: ContextVar[bool] = ContextVar("raising", default=False)


def keep_ours_out() -> None:
    """Keep the failures of `raised_not_logged` blocks, and no others, out of pymilvus's log."""
    for name in ("pymilvus.decorators", "pymilvus.client.connection_manager"):
        logging.getLogger(name).addFilter(_is_others)


def _is_others(record: logging.LogRecord) -> bool:
    return not _raising.get()


@contextmanager
def raised_not_logged() -> Generator[None]:
    """Mark a block whose failures are raised by us, so that pymilvus need not log them."""
    token = _raising.set(True)
    try:
        yield
    finally:
        _raising.reset(token)


@contextmanager
def logged_causes() -> Generator[list[BaseException]]:
    """Collect the exceptions that Milvus Lite only logs while it opens a path."""
    causes: list[BaseException] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1] is not None:
                causes.append(record.exc_info[1])

    handler = Collect()
    engine_logger = logging.getLogger("milvus_lite.server_manager")
    propagate, engine_logger.propagate = engine_logger.propagate, False
    engine_logger.addHandler(handler)
    try:
        yield causes
    finally:
        engine_logger.removeHandler(handler)
        engine_logger.propagate = propagate
