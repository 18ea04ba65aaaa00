"""Tools beside the store: moving data into it, showing what it finds."""

from __future__ import annotations

from hybridge.tools.migrate import copy, migrate
from hybridge.tools.search_page import write_search_page
from hybridge.tools.verify import Report, verify

__all__ = ["Report", "copy", "migrate", "verify", "write_search_page"]
