"""A process of a soak: eight walks through one collection, for as long as each line of input says.

Each time it answers with a line of JSON: how many calls there were, the process's memory, and where
store and model differed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

from support.engines import servers_over_lite
from support.walk import eight_walks, make_walked, walked


def main(uri: str, collection_name: str, process: str) -> None:
    """Walk, round by round."""
    if "HYBRIDGE_TEST_URI" in os.environ:
        from support.milvus_23 import stand_in

        stand_in()
    with servers_over_lite(), make_walked(uri, collection_name) as store:
        walks = eight_walks(store, process)
        for seconds in sys.stdin:
            walked(walks, seconds=float(seconds))
            gc.collect()
            told = {
                "calls": sum(walk.calls for walk in walks),
                "memory": resident(),
                "differences": [walk.difference for walk in walks if walk.difference],
            }
            print(json.dumps(told), flush=True)


def resident() -> int:
    """Return how many bytes of memory this process has; 0 where the system does not tell."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 if status.exists() else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
