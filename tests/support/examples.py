"""How many examples a property tries."""

from __future__ import annotations

import os


def examples(count: int) -> int:
    """Return so many, or, where `HYBRIDGE_EXAMPLES=10` is set, ten times as many."""
    return count * int(os.environ.get("HYBRIDGE_EXAMPLES", "1"))
