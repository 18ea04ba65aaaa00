"""A job of Ray on this machine: documents into a folder, and into a collection on a server.

    python ray_job.py FOLDER BLOCKS [URI COLLECTION]

The documents are the rows of a JSON file beside the folder. It prints JSON. A file `worker` there
has the first worker that sees it kill itself, once two blocks are there; a file `job` has one kill
the job, once five are.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "examples"))

DIM = 16


class Words:
    """A model that adds up a vector for each word; in the middle of it, processes may be killed."""

    dim, model_name, is_billed = DIM, "words", False

    def __init__(self, folder: Path | None = None) -> None:
        self._folder, self._job = folder, os.getpid()

    def encode_documents(self, documents: list[str]) -> np.ndarray:
        self._kill()
        return np.stack([_vector(text) for text in documents])

    encode_queries = encode_documents

    def _kill(self) -> None:
        if self._folder is None or os.getpid() == self._job:
            return
        there = len(list(self._folder.glob("blocks/*.parquet")))
        for name, blocks, process in (("worker", 2, os.getpid()), ("job", 5, self._job)):
            if there >= blocks:
                with suppress(FileNotFoundError):  # another worker was first
                    (self._folder.parent / name).unlink()
                    os.kill(process, signal.SIGKILL)


def _vector(text: str) -> np.ndarray:
    vector = np.zeros(DIM, np.float32)
    vector[0] = 1e-3
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % DIM] += 1
    return vector / np.linalg.norm(vector)


def main(folder: Path, blocks: int, *server: str) -> None:
    """Run the job, and print what it did."""
    import ray
    import ray.data

    from hybridge.tools import ray_ingest
    from ray_ingest import COLUMNS

    rows = json.loads(folder.with_name("documents.json").read_text("utf-8"))
    ray.init(
        num_cpus=4,
        include_dashboard=False,
        object_store_memory=2**27,
        logging_level="error",
        _temp_dir=str(folder.parent),
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    dataset = ray.data.from_items(rows, override_num_blocks=blocks)
    given: dict[str, Any] = {"columns": COLUMNS, "dense": Words(folder), "progress": False}
    written = ray_ingest.write(dataset, folder, **given)
    done = {"rows": written.rows, "made": written.blocks, "averages": dict(written.average_lengths)}
    if server:
        target = {"uri": server[0], "collection_name": server[1], "health": False}
        for name in ("first", "second"):
            added = ray_ingest.add(dataset, **target, **given)
            done[name] = [added.records, added.added, added.mended]
    print(json.dumps(done))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
