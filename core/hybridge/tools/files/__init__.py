"""Files as records: found, read, cut into chunks, and kept up to date in a collection."""

from __future__ import annotations

from hybridge.tools.files.finding import Found, find_files
from hybridge.tools.files.indexing import Indexed, Plan
from hybridge.tools.files.part import Settings
from hybridge.tools.files.reading import FILE, Reading

__all__ = ["FILE", "Found", "Indexed", "Plan", "Reading", "Settings", "find_files"]
