"""How far a search travels through the code, counted and not timed; see `tests/bench/trip.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench" / "trip.py"


def test_a_filtered_hybrid_search_travels_no_further_than_it_did() -> None:
    """As often as `BARS` of the bench allow."""
    done = subprocess.run([sys.executable, str(BENCH)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
