"""How far a search travels through the code, counted and not timed; see `tests/bench/trip.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench" / "trip.py"


def test_a_filtered_hybrid_search_touches_each_file_about_once() -> None:
    """At most 55 changes of file over 3 rows, and no more than 70 over 300."""
    done = subprocess.run([sys.executable, str(BENCH)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
