"""Tools beside the store: moving data into it."""

from __future__ import annotations

from hybridge.tools.migrate import copy, migrate
from hybridge.tools.verify import Report, verify

__all__ = ["Report", "copy", "migrate", "verify"]
