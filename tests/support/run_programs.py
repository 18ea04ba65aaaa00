"""Runs programs one after another in one process, where the models' libraries are loaded once.

    python run_programs.py program ...

Prints one line of JSON for each: what it printed, and the traceback of its failure or "".
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
import traceback
from pathlib import Path


def run(program: Path) -> tuple[str, str]:
    """Run a program in its own folder, as `python program` does; return output and failure."""
    os.chdir(program.parent)
    sys.argv, sys.path[0] = [str(program)], str(program.parent)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            runpy.run_path(str(program), run_name="__main__")
        except BaseException:  # noqa: BLE001  # whatever ends it is shown
            return out.getvalue(), traceback.format_exc()
    return out.getvalue(), ""


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(json.dumps(run(Path(argument))), flush=True)
