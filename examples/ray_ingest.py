"""Text that is on any machine, read by Ray Data, encoded by several processes, and searched.

The documents are the docstrings of Python's standard library, the manual pages and the descriptions
of the installed packages. Two workers make rows of them: a folder of Parquet files, which this
program then loads into a Milvus Lite path, and which a Milvus server would import. With --uri the
workers write into a collection on a server instead. Run it again, or kill it and run it again: what
is done stays done.

    pip install 'hybridge[ray,minilm]'
    python examples/ray_ingest.py [--documents 2000] [--folder ./rows] [--dense NAME] [--uri URI]
"""

from __future__ import annotations

import argparse
import os
from itertools import islice
from pathlib import Path
from typing import Any

import ray
import ray.data

from hybridge import MilvusStore
from hybridge.tools import bulk, ray_ingest
from hybridge.tools.origins import Columns
from machine_texts import documents

COLUMNS = Columns(id=None, vectors={})
"""The column "text" is the text, all others are metadata, and ids are made of the content."""


def main() -> None:
    arguments = parse_arguments()
    rows = list(islice(documents(), arguments.documents))
    ray.init(
        num_cpus=max(4, os.cpu_count() or 1), object_store_memory=2**28, include_dashboard=False
    )
    dataset = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // arguments.block))
    given: dict[str, Any] = {"columns": COLUMNS, "dense": arguments.dense}
    given["block_size"] = arguments.block
    if arguments.uri:
        print(ray_ingest.add(dataset, uri=arguments.uri, collection_name="machine", **given))
    else:
        print(ray_ingest.write(dataset, arguments.folder, **given))
    ray.shutdown()
    uri = arguments.uri or str(arguments.folder / "machine.db")
    with MilvusStore(uri, collection_name="machine", dense=arguments.dense) as store:
        if not arguments.uri:
            print(bulk.load(arguments.folder, store, progress=True))
        for question in ("parse command line arguments", "copy a file to another place"):
            print(f"\n{question}")
            for hit in store.search(question, k=3):
                print(f"  {hit.metadata['kind']:9} {hit.metadata['name']:32} {hit.relevance:.2f}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--block", type=int, default=250, help="documents of a block")
    parser.add_argument("--folder", type=Path, default=Path("./rows"))
    parser.add_argument("--dense", default="sentence-transformers/all-MiniLM-L6-v2")
    parser.add_argument("--uri", help="a server, in the place of the folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
